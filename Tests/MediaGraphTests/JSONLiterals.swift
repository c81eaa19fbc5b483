import FoundationEssentials
package import JSON
import MediaGraph
import Recording

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByFloatLiteral
{
    package init(stringLiteral text: String) { self = .string(text) }
    package init(integerLiteral number: Int64) { self = .integer(number) }
    package init(floatLiteral number: Double) { self = .number(number) }
    package init(booleanLiteral flag: Bool) { self = .bool(flag) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral members: (String, JSONValue)...) {
        self = .object(Dictionary(members, uniquingKeysWith: { first, _ in first }))
    }

    /// Text of JSON, as a client sends it.
    init(parsing text: String) throws { self = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) }

    /// The same with the value at a path of names and positions replaced; nil takes it away.
    func setting(_ path: [String], _ value: JSONValue?) -> JSONValue {
        guard let first = path.first else { return value ?? .null }
        let rest = Array(path.dropFirst())
        switch self {
        case .object(var members):
            members[first] = rest.isEmpty ? value : (members[first] ?? [:]).setting(rest, value)
            return .object(members)
        case .array(var elements):
            guard let position = Int(first) else { return self }
            if position == elements.count { elements.append([:]) }
            guard elements.indices.contains(position) else { return self }
            if rest.isEmpty, value == nil {
                elements.remove(at: position)
            } else {
                elements[position] = elements[position].setting(rest, value)
            }
            return .array(elements)
        default: return self
        }
    }

    func setting(_ path: String, _ value: JSONValue?) -> JSONValue {
        setting(path.split(separator: ".").map(String.init), value)
    }
}

let someTime = WallTime(seconds: 1_618_860_169, nanoseconds: 296_000_000)

/// What an expression is expected to throw; nil when it does not.
func graphError<Value>(_ body: () throws(GraphError) -> Value) -> GraphError? {
    do {
        _ = try body()
        return nil
    } catch {
        return error
    }
}

extension GraphError {
    /// Codes and places of all mistakes, in order.
    var summary: [String] { details.map { "\($0.code) \($0.target ?? "-")" } }
}

/// Seals by turning every byte round; nothing of the text is left to read.
func seal(_ secret: Secret) -> String {
    secret.revealed().utf8.map { String($0 ^ 0xFF, radix: 16) }.joined(separator: " ")
}

func unseal(_ text: String) throws -> Secret {
    let bytes = text.split(separator: " ").compactMap { UInt8($0, radix: 16) }.map { $0 ^ 0xFF }
    return Secret(String(decoding: bytes, as: UTF8.self))
}
