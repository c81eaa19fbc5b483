import Foundation
import Testing
import Varlink

@Suite("Varlink: JSON")
struct JSONObjectTests {
    @Test(
        "objects are taken",
        arguments: [
            "{}", " \t\r\n{ } ", #"{"a":1}"#, #"{"a":-0.5e+10,"b":[],"c":{},"d":[1,"x",null,true,false]}"#,
            #"{"a":"\"\\\/\b\f\n\r\t\u00e9"}"#, #"{"é":"😀"}"#, #"{"a":[[[[1]]]]}"#,
        ])
    func valid(text: String) { #expect(JSONObject(Array(text.utf8)) != nil) }

    @Test(
        "anything else is not",
        arguments: [
            "", "{", "}", "[]", "1", #""a""#, "{}{}", "{},", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{,"a":1}"#,
            #"{a:1}"#, #"{"a":01}"#, #"{"a":1.}"#, #"{"a":.5}"#, #"{"a":+1}"#, #"{"a":1e}"#, #"{"a":-}"#,
            #"{"a":nul}"#, #"{"a":truex}"#, #"{"a":"\x"}"#, #"{"a":"\u12g4"}"#, "{\"a\":\"\n\"}", #"{"a":"x}"#,
            #"{"a":[1,]}"#, #"{"a":[1}"#, #"{"a":'x'}"#, #"{"a":NaN}"#, "{\u{FEFF}}",
        ])
    func invalid(text: String) { #expect(JSONObject(Array(text.utf8)) == nil) }

    @Test("nesting is bounded")
    func depth() {
        let deep = { (depth: Int) in
            JSONObject(
                Array(#"{"a":"#.utf8) + Array(repeating: 0x5B, count: depth) + Array(repeating: 0x5D, count: depth) + [
                    0x7D
                ])
        }
        #expect(deep(63) != nil)
        #expect(deep(64) == nil)
        #expect(deep(1_000_000) == nil)
    }

    @Test("members are found as they are written")
    func members() throws {
        let object = try #require(JSONObject(Array(#"{ "s" : "a\nb", "n":null, "o": {"s":1} ,"t":true}"#.utf8)))
        #expect(object.string("s") == "a\nb")
        #expect(object["n"] == nil)
        #expect(object["o"] == Data(#"{"s":1}"#.utf8))
        #expect(object.flag("t") == true)
        #expect(object.flag("absent") == false)
        #expect(object.flag("s") == nil)
    }

    @Test("what passes is JSON to everyone, and broken bytes trap nothing")
    func mutations() throws {
        var random = SystemRandomNumberGenerator()
        let seed = Array(#"{"method":"a.b.C","parameters":{"x":[1,-2.5e3,"yé\n",null,true],"z":{}},"more":false}"#.utf8)
        for _ in 0..<20_000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: index)
                default: bytes.insert(seed.randomElement(using: &random) ?? 0, at: index)
                }
            }
            if JSONObject(bytes) != nil {
                #expect(throws: Never.self, "\(String(decoding: bytes, as: UTF8.self))") {
                    try JSONSerialization.jsonObject(with: Data(bytes))
                }
            }
        }
    }
}
