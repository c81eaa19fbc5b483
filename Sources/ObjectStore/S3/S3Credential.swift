/// Whom a store at S3 knows: `ACCESS_KEY_ID:SECRET[:SESSION_TOKEN]`.
///
/// No description, mirror or log line shows more than that there is one (I10).
package struct S3Credential: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    let keyID: String
    let secret: String
    let sessionToken: String?

    /// Nil when it is not of that form; a line's end behind it does no harm.
    package init?(_ text: String) {
        let line = text.last?.isNewline == true ? text.dropLast() : text[...]
        let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } }
        guard parts.count >= 2, isPlain else { return nil }
        keyID = String(parts[0])
        secret = String(parts[1])
        sessionToken = parts.count == 3 ? String(parts[2]) : nil
    }

    package var description: String { "(secret)" }
    package var debugDescription: String { "(secret)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
