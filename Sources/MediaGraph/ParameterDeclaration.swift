package import JSON
package import Recording

/// What kind of value a parameter takes.
package enum ParameterType: String, Hashable, Sendable, CaseIterable {
    case string = "String"
    case secretString = "SecretString"
    /// 32 bits, signed.
    case int = "Int"
    case double = "Double"
    case bool = "Bool"

    /// Nil for what is none of LVA's types, in any case of letters.
    init?(anyCase text: String) {
        guard let type = Self.allCases.first(where: { $0.rawValue.lowercased() == text.lowercased() }) else {
            return nil
        }
        self = type
    }

    /// What a text must be to be one of these, in words.
    var rule: String {
        switch self {
        case .string, .secretString: "a text"
        case .int: "a whole number of 32 bits"
        case .double: "a number"
        case .bool: "true or false"
        }
    }

    func takes(_ text: String) -> Bool {
        switch self {
        case .string, .secretString: true
        case .int: Int32(GraphText.trimmed(text)) != nil
        case .double: GraphText.decimal(text) != nil
        case .bool: ["true", "false"].contains(GraphText.trimmed(text).lowercased())
        }
    }
}

/// What an instance may or must say of a topology.
package struct ParameterDeclaration: Hashable, Sendable {
    package var name: String
    package var type: ParameterType
    package var description: String?
    package var defaultValue: ParameterValue?

    /// A topology puts it where a secret is: then it is one, and shown only as far as the topology's author wrote it.
    package var isSecret = false

    func json(_ form: SecretForm) -> JSONValue {
        var members: [String: JSONValue] = ["name": .string(name), "type": .string(type.rawValue)]
        if let description { members["description"] = .string(description) }
        if let value = sealedDefault(form) ?? defaultValue?.json(form) { members["default"] = value }
        return .object(members)
    }

    /// On disk the default is no less secret for being a String.
    private func sealedDefault(_ form: SecretForm) -> JSONValue? {
        guard isSecret, case .sealed = form, case .plain(let value)? = defaultValue else { return nil }
        return form.json(Secret(ScalarText.of(value) ?? ""))
    }
}

/// The value of a parameter, as it was written.
package enum ParameterValue: Hashable, Sendable {
    case plain(JSONValue)
    case secret(Secret)

    var substitute: Substitution.Value {
        switch self {
        case .plain(let value): .plain(ScalarText.of(value) ?? "")
        case .secret(let value): .secret(value)
        }
    }

    /// Nil when it is not shown.
    func json(_ form: SecretForm) -> JSONValue? {
        switch self {
        case .plain(let value): value
        case .secret(let secret): form.json(secret)
        }
    }
}

/// What becomes of secrets when a topology or an instance is written.
package enum SecretForm: Sendable {
    /// Left out, but for an empty one, which is none: Get, List and the answer to Set.
    case hidden
    /// As `{"@sealed": text}`: on disk.
    case sealed(@Sendable (Secret) -> String)

    static let mark = "@sealed"

    func json(_ secret: Secret) -> JSONValue? {
        switch self {
        case .hidden: secret.isEmpty ? .string("") : nil
        case .sealed(let seal): .object([Self.mark: .string(seal(secret))])
        }
    }
}

/// A JSON value that stands for a text: LVA's numbers are strings, and its samples write numbers too.
enum ScalarText {
    /// Nil for null, objects and arrays.
    static func of(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .integer(let number): "\(number)"
        case .number(let number): number == number.rounded() && abs(number) < 1e15 ? "\(Int64(number))" : "\(number)"
        case .bool(let flag): flag ? "true" : "false"
        case .null, .array, .object: nil
        }
    }
}
