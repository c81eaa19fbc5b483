/// What a JSON web token is signed with (RFC 7518 §3.1), of those that LVA takes: public keys alone.
package enum TokenAlgorithm: String, Sendable, CaseIterable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"

    /// All of them, for a sentence.
    package static let names = allCases.map(\.rawValue).joined(separator: ", ")
}
