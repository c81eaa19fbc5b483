import JSON

/// JSON with the members of a struct in the order they are declared, and nil as null: `Codable` would leave it out.
enum JSONText {
    static func of(_ value: Any) -> String {
        switch value {
        case let text as String: return quoted(text)
        case let flag as Bool: return flag ? "true" : "false"
        case let number as any BinaryInteger: return "\(number)"
        case let json as JSONValue: return json.text
        case let number as Double: return number.isFinite ? "\(number)" : "null"
        default: break
        }
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional: return mirror.children.first.map { of($0.value) } ?? "null"
        case .collection: return "[" + mirror.children.map { of($0.value) }.joined(separator: ",") + "]"
        case .dictionary:
            let members = (value as? [String: Any])?.sorted { $0.key < $1.key } ?? []
            return object(members.map { ($0.key, $0.value) })
        default: return object(mirror.children.map { ($0.label ?? "", $0.value) })
        }
    }

    private static func object(_ members: [(String, Any)]) -> String {
        "{" + members.map { quoted($0) + ":" + of($1) }.joined(separator: ",") + "}"
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case "\0"..."\u{1F}", "\u{7F}"..."\u{9F}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
