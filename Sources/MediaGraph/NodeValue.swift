package import JSON
package import Recording

/// What a property of a node holds: what of it LVA knows, in LVA's spelling of names, with values as they were written.
package indirect enum NodeValue: Hashable, Sendable {
    /// A string, a number or a boolean.
    case scalar(JSONValue)
    case secret(Secret)
    case list([NodeValue])
    case object([String: NodeValue])

    /// The member of an object; nil for anything else and where there is none.
    subscript(_ name: String) -> NodeValue? {
        guard case .object(let members) = self else { return nil }
        return members[name]
    }

    /// The text of a scalar or secret; nil for a list or an object.
    var text: String? {
        switch self {
        case .scalar(let value): ScalarText.of(value)
        case .secret(let secret): secret.revealed()
        case .list, .object: nil
        }
    }

    var elements: [NodeValue] {
        guard case .list(let elements) = self else { return [] }
        return elements
    }

    /// Nil when it is a secret that is not shown.
    func json(_ form: SecretForm) -> JSONValue? {
        switch self {
        case .scalar(let value): value
        case .secret(let secret): form.json(secret)
        case .list(let elements): .array(elements.compactMap { $0.json(form) })
        case .object(let members): .object(members.compactMapValues { $0.json(form) })
        }
    }
}
