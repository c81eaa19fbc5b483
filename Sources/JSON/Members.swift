/// The members of an object by name whatever their case, as LVA reads them; null is none.
package struct Members {
    private var values: [String: JSONValue] = [:]

    /// Without members for what is no object; of two names that differ in case alone the first in order counts.
    package init(_ value: JSONValue?) {
        guard case .object(let members) = value else { return }
        for (name, value) in members.sorted(by: { $0.key < $1.key }) where value != .null {
            let folded = name.lowercased()
            if values[folded] == nil { values[folded] = value }
        }
    }

    package subscript(_ name: String) -> JSONValue? { values[name.lowercased()] }
}
