/// How much of everything one box takes (LVA's quotas), and which names it takes.
package enum GraphLimits {
    package static let topologies = 50
    package static let instances = 1000
    package static let nameLength = 32
    package static let parameterNameLength = 64
    /// Elements of any list of a topology or an instance: LVA names no bound, and memory has one (I9).
    package static let listLength = 100
    /// Bytes of any text, before and after parameters are put in: room for a chain of certificates.
    package static let textLength = 16 << 10
    /// Bytes of the name of a node, and of an input or an output of the module: LVA names no bound, and a topic of MQTT,
    /// which holds them percent-encoded, has one.
    package static let nodeNameLength = 256
    /// References to parameters and variables in one text.
    package static let references = 32
    /// References in a topology, of which each is looked up again for each of its instances when it changes.
    package static let topologyReferences = 128
    /// Bytes of all texts of a topology, and of an instance, of which a box may have a thousand.
    package static let topologyLength = 256 << 10
    package static let instanceLength = 32 << 10
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
        return text.utf8.allSatisfy { GraphText.isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
    }
}
