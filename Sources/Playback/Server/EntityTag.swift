import Crypto
import HTTPTypes

/// A strong entity tag (RFC 9110 §8.8.3): equal exactly for equal bytes.
struct EntityTag: Hashable {
    /// As header fields have it, in quotes.
    let field: String

    init(_ digest: SHA256Digest) {
        field = "\"" + digest.prefix(16).map { Self.hex($0) }.joined() + "\""
    }

    /// Whether an `If-None-Match` field names it; that compares weakly.
    func isIn(_ list: String?) -> Bool {
        guard let list else { return false }
        return list.split(separator: ",").contains { entry in
            let tag = entry.drop { $0 == " " }.prefix { $0 != " " }
            return tag == "*" || tag == field || tag.dropFirst(2) == field && tag.hasPrefix("W/")
        }
    }

    /// Whether an `If-Range` field lets a range be answered: without one, or when it is this tag, strongly.
    func allowsRange(_ ifRange: String?) -> Bool { ifRange == nil || ifRange == field }

    private static func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}
