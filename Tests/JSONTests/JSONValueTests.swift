import FoundationEssentials
import JSON
import Testing

/// What goes in comes out, and nothing that is no JSON does.
@Suite("any JSON as a value")
struct JSONValueTests {
    private func read(_ text: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    @Test(
        "text that was read is written again",
        arguments: [
            "null", "true", "false", "0", "-7", "9223372036854775807", "1.5", "\"\"", "\"\\\"\\\\\\n\\u001b\\u009b ü\"",
            "[]", "[1,[2,null]]", "{}", "{\"a\":{\"b\":[false]},\"c\":\"d\"}",
        ])
    func roundTrip(text: String) throws {
        let value = try read(text)
        #expect(value.text == text)
        #expect(try read(value.text) == value)
        #expect(try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode([value])) == .array([value]))
    }

    @Test("what is too large for an integer is a double, and an infinite double is null")
    func largeNumbers() throws {
        #expect(try read("9223372036854775808") == .number(9_223_372_036_854_775_808))
        #expect(JSONValue.number(.infinity).text == "null")
    }

    @Test("what is no JSON, or nested without an end, is refused", arguments: ["", "{", "[,1]", "nul", "\"\\x\""])
    func refused(text: String) {
        #expect(throws: (any Error).self) { try read(text) }
        #expect(throws: (any Error).self) { try read(String(repeating: "[", count: 100_000)) }
    }

    @Test("members are found in objects alone")
    func members() throws {
        #expect(try read("{\"a\":1}")["a"] == .integer(1))
        #expect(try read("{\"a\":1}")["b"] == nil)
        #expect(try read("[1]")["a"] == nil)
    }
}
