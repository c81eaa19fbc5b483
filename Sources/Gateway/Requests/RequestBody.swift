import Foundation
import JSON
import Messages

/// What clients send as JSON: bounded in what it costs to read, here and in cvrd, not in its bytes alone (I9).
enum RequestBody {
    /// Members and elements; a topology of fifty nodes has some hundreds.
    private static let mostParts = 20_000

    static let refusal = GraphReply.failure(
        400, "BadRequest",
        "what was sent is no JSON, nested too deeply, or has more than \(mostParts) members; see RFC 8259")

    /// Nil for what `refusal` says.
    static func value(of bytes: [UInt8]) -> JSONValue? {
        let parts = bytes.reduce(0) { count, byte in
            switch byte {
            case UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "{"): count + 1
            default: count
            }
        }
        guard parts <= mostParts else { return nil }
        // What is wrong with it, a client's own parser says better.
        return try? JSONDecoder().decode(JSONValue.self, from: Data(bytes))
    }
}
