import Crypto
import Messages
import Recording

/// Who may ask: whoever sends one of the tokens (RFC 6750).
///
/// Their hashes are kept and compared, in the same time for all.
struct BearerTokens: Sendable {
    private let hashes: [[UInt8]]

    init(_ tokens: [Secret]) { hashes = tokens.map { Self.hash($0.revealed()) } }

    /// Whether the value of an `Authorization` header holds one.
    func admit(_ header: String?) -> Bool {
        guard let header, header.utf8.count <= 8192 else { return false }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let scheme = parts.first, let token = parts.last, scheme.lowercased() == "bearer" else {
            return false
        }
        let asked = Self.hash(String(token.drop { $0 == " " }))
        var isKnown = false
        // No early end: how long it takes tells nothing.
        for hash in hashes where Self.isEqual(hash, asked) { isKnown = true }
        return isKnown
    }

    private static func hash(_ text: String) -> [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }

    private static func isEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0 && left.count == right.count
    }
}
