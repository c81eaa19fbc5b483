import Gateway
import Messages
import Recording
import TestSupport
import Testing

@Suite("Gateway: topics")
struct BrokerTopicsTests {
    private let topics = BrokerTopics(device: "box", module: "m")

    @Test("a method, a request and an input are read as they were written, whatever they hold")
    func roundTrip() throws {
        var random = SeededRandom(seed: 4)
        for _ in 0..<500 {
            let text = String(
                String.UnicodeScalarView(
                    (0..<Int.random(in: 1...20, using: &random)).compactMap { _ in
                        Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &random))
                    }))
            guard !text.isEmpty else { continue }
            let encoded = PercentEncoding.encoded(text)
            #expect(encoded.utf8.allSatisfy { $0 > 32 && $0 < 127 && !"/+#&=".utf8.contains($0) })
            #expect(BrokerTopics.decoded(encoded[...]) == text)
            #expect(topics.arrival("$iothub/methods/POST/\(encoded)/?$rid=1") == .method(text, request: "1"))
            #expect(
                topics.arrival("devices/box/modules/m/inputs/\(encoded)/\(encoded)=\(encoded)&")
                    == .input(text, properties: [text: text]))
        }
    }

    @Test("what nobody can answer, and what is somebody else's, is nothing")
    func strangers() {
        for topic in [
            "", "$iothub/methods/POST/", "$iothub/methods/POST/a", "$iothub/methods/POST/a/",
            "$iothub/methods/POST/a/?",
            "$iothub/methods/POST/a/?$rid=", "$iothub/methods/POST/a/?$rid=%23", "$iothub/methods/POST/a/?$rid=a+b",
            "$iothub/methods/POST/a/?$rid=\(String(repeating: "1", count: 257))", "$iothub/methods/POST//?$rid=1",
            "$iothub/methods/res/200/?$rid=1", "devices/box/modules/m/inputs/", "devices/box/modules/other/inputs/a",
            "devices/box/modules/m/messages/events/a",
            "devices/box/modules/m/inputs/\(String(repeating: "a", count: 300))",
        ] {
            #expect(topics.arrival(topic) == nil, "\(topic)")
        }
        #expect(BrokerTopics.answer(200, to: "7") == "$iothub/methods/res/200/?$rid=7")
    }

    @Test("any bytes in a topic are nothing or something, and never a trap")
    func junk() {
        var random = SeededRandom(seed: 9)
        for _ in 0..<2000 {
            let bytes = (0..<40).map { _ in UInt8.random(in: 1...255, using: &random) }
            let text = String(decoding: bytes, as: UTF8.self)
            for start in [
                "$iothub/methods/POST/", "$iothub/methods/POST/a/?$rid=", "devices/box/modules/m/inputs/", "",
            ] {
                _ = topics.arrival(start + text)
            }
            _ = BrokerTopics.decoded(("%" + text)[...])
        }
    }

    @Test("an event has the same identity each time, and no other event has it")
    func identity() throws {
        let first = try #require(EventMessage(storedEvent(1), box: "a"))
        #expect(first.id == EventMessage(storedEvent(1), box: "a")?.id)
        #expect(first.id.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
        #expect(first.id != EventMessage(storedEvent(2), box: "a")?.id)
        #expect(first.id != EventMessage(storedEvent(1), box: "b")?.id)
        var other = storedEvent(1)
        other.event.graph = nil
        #expect(EventMessage(other, box: "a") == nil)
    }
}
