/// A camera's name: `[a-z0-9][a-z0-9-]{0,31}`, unique on a box and safe in a path, a key and a URL.
package struct CameraName: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let text: String

    /// Nil when `text` does not follow the grammar.
    package init?(_ text: some StringProtocol) {
        guard isLabel(text) else { return nil }
        self.text = String(text)
    }

    package var description: String { text }

    package static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}

/// A box's name in the store: the first part of every object key; same grammar as a camera's.
package struct SiteName: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// Nil when `text` does not follow the grammar.
    package init?(_ text: some StringProtocol) {
        guard isLabel(text) else { return nil }
        self.text = String(text)
    }

    /// The site a box gets when its operator names none: the host name, folded into the grammar.
    package init(hostName: String) {
        var folded = ""
        for byte in hostName.utf8.prefix(while: { $0 != UInt8(ascii: ".") }) where folded.utf8.count < 32 {
            let lower = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte &+ 32 : byte
            let usable = isLabelByte(lower, first: folded.isEmpty)
            if usable { folded.unicodeScalars.append(Unicode.Scalar(lower)) }
        }
        text = folded.isEmpty ? "site" : folded
    }

    package var description: String { text }
}

/// Which recording of a camera holds the lock: two exist so that a successor can start before its
/// predecessor stops.
package enum Slot: String, Sendable, CaseIterable {
    case a, b

    package var other: Slot { self == .a ? .b : .a }
}

private func isLabel(_ text: some StringProtocol) -> Bool {
    guard let first = text.utf8.first, isLabelByte(first, first: true), text.utf8.count <= 32 else { return false }
    return text.utf8.allSatisfy { isLabelByte($0, first: false) }
}

private func isLabelByte(_ byte: UInt8, first: Bool) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "-"): !first
    default: false
    }
}
