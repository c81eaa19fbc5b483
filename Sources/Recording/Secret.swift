/// A text that no description, log line or debugger summary shows (I10).
package struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    package init(_ text: String) { self.text = text }

    /// The only way to the text; call it where it goes on the wire and nowhere else.
    package func revealed() -> String { text }

    package var isEmpty: Bool { text.isEmpty }
    package var description: String { "(secret)" }
    package var debugDescription: String { "(secret)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// On a socket that only its two ends can open, and in no other JSON (I10).
extension Secret: Codable {
    package init(from decoder: any Decoder) throws { self.init(try decoder.singleValueContainer().decode(String.self)) }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(revealed())
    }
}
