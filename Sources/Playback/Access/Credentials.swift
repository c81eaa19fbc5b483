import Foundation
import HTTPTypes
import Hummingbird

/// What a request says of whoever sent it.
///
/// In this order the first counts: `signature=` and `token=` of the query, then the `Authorization` field (`Bearer` or
/// `Basic`, RFC 6750 and RFC 7617), then a cookie `token`.
enum Credentials: Hashable {
    case none
    case signature(String)
    case token(String, isInQuery: Bool)
    case account(name: String, password: String)
    /// An `Authorization` field that cannot be read.
    case malformed

    var isSignature: Bool { if case .signature = self { true } else { false } }

    init(_ request: Request) {
        let query = request.uri.queryParameters
        if let signature = query["signature"] {
            self = .signature(String(signature))
        } else if let token = query["token"] {
            self = .token(String(token), isInQuery: true)
        } else if let field = request.headers[.authorization] {
            self = Self.authorization(field)
        } else if let token = Self.cookie(in: request.headers[values: .cookie]) {
            self = .token(token, isInQuery: false)
        } else {
            self = .none
        }
    }

    private static func authorization(_ field: String) -> Credentials {
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, case let value = parts[1].filter({ $0 != " " }) else { return .malformed }
        switch parts[0].lowercased() {
        case "bearer": return .token(value, isInQuery: false)
        case "basic":
            guard let bytes = Data(base64Encoded: value), let text = String(bytes: bytes, encoding: .utf8),
                let colon = text.firstIndex(of: ":")
            else { return .malformed }
            return .account(name: String(text[..<colon]), password: String(text[text.index(after: colon)...]))
        default: return .malformed
        }
    }

    /// The first cookie of that name (RFC 6265 §5.4).
    private static func cookie(in fields: [String]) -> String? {
        for pair in fields.flatMap({ $0.split(separator: ";") }) {
            let parts = pair.split(separator: "=", maxSplits: 1)
            if parts.count == 2, parts[0].filter({ $0 != " " }) == "token" { return parts[1].filter { $0 != " " } }
        }
        return nil
    }
}
