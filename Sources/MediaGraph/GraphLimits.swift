/// How much of everything one box takes (LVA's quotas), and which names it takes.
package enum GraphLimits {
    package static let topologies = 50
    package static let instances = 1000
    package static let nameLength = 32
    package static let parameterNameLength = 64
    /// Elements of any list of a topology or an instance: LVA names no bound, and memory has one (I9).
    package static let listLength = 100
    /// Mistakes that one answer tells.
    package static let details = 100

    /// The rule for names of topologies and instances, in words.
    package static let nameRule =
        "1 to 32 letters of the English alphabet, digits and dashes, with no dash at either end"

    /// Whether a topology or an instance may be called so.
    package static func isName(_ text: String) -> Bool {
        guard (1...nameLength).contains(text.utf8.count), !text.hasPrefix("-"), !text.hasSuffix("-") else {
            return false
        }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }
}
