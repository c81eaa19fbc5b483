import Crypto
import JSON
package import Messages

/// An event of a media graph as it leaves the box.
package struct EventMessage: Sendable {
    let sequence: Int64
    let type: String
    let event: GraphEvent
    /// The same each time that the event is sent: who gets it twice can tell.
    package let id: String

    /// Nil for an event that is no media graph's.
    ///
    /// `box` tells the sequences of boxes apart.
    package init?(_ stored: Admin.StoredEvent, box: String) {
        guard let graph = stored.event.graph else { return nil }
        (sequence, type, event) = (stored.sequence, stored.event.type, graph)
        id = Self.identifier("\(box)\n\(stored.sequence)\n\(stored.event.time)\n\(stored.event.type)")
    }

    /// Event Grid's, with `correlationId` where the event has one.
    var envelope: JSONValue {
        var members: [String: JSONValue] = [
            "id": .string(id), "topic": .string(event.topic), "subject": .string(event.subject),
            "eventType": .string(type), "eventTime": .string(event.eventTime),
            "dataVersion": .string(event.dataVersion), "data": event.body,
        ]
        if let correlation = event.correlationId { members["correlationId"] = .string(correlation) }
        return .object(members)
    }

    /// Where IoT Hub's clients would find it: an output of the module; empty where it goes nowhere.
    func output(operational: String, diagnostics: String) -> String {
        if let output = event.output { return output }
        return type.contains(".Operational.") ? operational : type.contains(".Diagnostics.") ? diagnostics : ""
    }

    /// A GUID (RFC 9562, version 8) made of a text.
    private static func identifier(_ text: String) -> String {
        var bytes = Array(SHA256.hash(data: Array(text.utf8)).prefix(16))
        for (index, mark, kept) in [(6, 0x80, 0x0F), (8, 0x80, 0x3F)] as [(Int, UInt8, UInt8)]
        where bytes.indices.contains(index) {
            bytes[index] = bytes[index] & kept | mark
        }
        var digits = ""
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { digits += "-" }
            digits += (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return digits
    }
}
