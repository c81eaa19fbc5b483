import Foundation
package import JSON

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
    package init(parsing text: String) throws { self = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) }

    /// The same with the value at a path of names and positions replaced; nil takes it away.
    package func setting(_ path: [String], _ value: JSONValue?) -> JSONValue {
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

    package func setting(_ path: String, _ value: JSONValue?) -> JSONValue {
        setting(path.split(separator: ".").map(String.init), value)
    }
}
