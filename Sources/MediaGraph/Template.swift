/// A text with `${name}` in it, taken apart.
struct Template: Hashable, Sendable {
    enum Part: Hashable, Sendable {
        case text(String)
        /// Name of a parameter or of a system variable.
        case reference(String)
    }

    var parts: [Part] = []
    /// False when a `${` has no `}`.
    var isClosed = true

    /// Every `${` opens a reference, which ends at the next `}`: LVA documents no escape and no nesting.
    init(_ text: String) {
        var rest = text[...]
        while let open = rest.firstRange(of: "${") {
            add(rest[..<open.lowerBound])
            guard let close = rest[open.upperBound...].firstIndex(of: "}") else {
                isClosed = false
                return
            }
            parts.append(.reference(String(rest[open.upperBound..<close])))
            rest = rest[rest.index(after: close)...]
        }
        add(rest)
    }

    private mutating func add(_ text: Substring) {
        if !text.isEmpty { parts.append(.text(String(text))) }
    }

    /// In the order they are written; one is there as often as it is used.
    var references: [String] {
        parts.compactMap { part in
            guard case .reference(let name) = part else { return nil }
            return name
        }
    }

    /// Nothing of it is literal: what it stands for is said elsewhere.
    var isReferencesAlone: Bool { isClosed && !parts.isEmpty && references.count == parts.count }
}

/// What the box itself knows of a graph that runs.
enum SystemVariable: Hashable, Sendable {
    case dateTime
    case preciseDateTime
    case topologyName
    case instanceName

    /// LVA's name or the one that AVA gave it later, in any case; nil for any other.
    init?(_ name: String) {
        switch name.lowercased() {
        case "system.datetime", "system.runtime.datetime": self = .dateTime
        case "system.precisedatetime", "system.runtime.precisedatetime": self = .preciseDateTime
        case "system.graphtopologyname", "system.topologyname": self = .topologyName
        case "system.graphinstancename", "system.pipelinename": self = .instanceName
        default: return nil
        }
    }

    static let names = [
        "System.DateTime", "System.PreciseDateTime", "System.GraphTopologyName", "System.GraphInstanceName",
    ]

    /// Whether a parameter may not be called so, because it would hide a variable of this or a later version.
    static func reserves(_ name: String) -> Bool { name.lowercased().hasPrefix("system.") }
}
