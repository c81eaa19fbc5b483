/// A text with `${name}` in it, taken apart.
package struct Template: Hashable, Sendable {
    package enum Part: Hashable, Sendable {
        case text(String)
        /// Name of a parameter or of a system variable.
        case reference(String)
    }

    package private(set) var parts: [Part] = []
    /// False when a `${` has no `}`.
    package private(set) var isClosed = true

    /// Every `${` opens a reference, which ends at the next `}`: LVA documents no escape and no nesting.
    package init(_ text: String) {
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
    package var references: [String] {
        parts.compactMap { part in
            guard case .reference(let name) = part else { return nil }
            return name
        }
    }

    /// Nothing of it is literal: what it stands for is said elsewhere.
    package var isReferencesAlone: Bool { isClosed && !parts.isEmpty && references.count == parts.count }
}
