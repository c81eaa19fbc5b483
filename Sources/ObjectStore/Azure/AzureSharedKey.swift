import Crypto
import Foundation

/// An account's key, and what it signs: "Authorize with Shared Key" of the REST reference, for the Blob service.
///
/// Without a description: it is a secret (I10).
package struct AzureSharedKey: Sendable {
    /// The headers that come first in what is signed, one a line whether a request has them or not.
    private static let standard = [
        "content-encoding", "content-language", "content-length", "content-md5", "content-type", "date",
        "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range",
    ]

    private let account: String
    private let key: SymmetricKey

    /// Nil when it is no key as the portal shows it, in base64.
    package init?(account: String, base64: String) {
        guard let bytes = Data(base64Encoded: base64), bytes.count >= 32 else { return nil }
        self.account = account
        key = SymmetricKey(data: bytes)
    }

    /// The value of the request's Authorization header; it must have its `x-ms-date` and `x-ms-version` by now.
    package func authorization(for request: AzureRequest) -> String {
        let text = Self.text(of: request, account: account)
        let code = HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key)
        return "SharedKey \(account):\(Data(code).base64EncodedString())"
    }

    /// What is signed.
    ///
    /// A length of zero is an empty line, and so is the date beside `x-ms-date` (2015-02-21 and later). Headers of the
    /// service are sorted by name, empty ones included (2016-05-31). Where the address is path-style the account
    /// stands twice. Headers that the service would fold are never sent.
    package static func text(of request: AzureRequest, account: String) -> String {
        let values = Dictionary(request.headers.map { ($0.name, $0.value) }) { first, _ in first }
        var lines = [request.method]
        for name in standard {
            switch name {
            case "content-length": lines.append(request.length == 0 ? "" : String(request.length))
            case "date" where values["x-ms-date"] != nil: lines.append("")
            default: lines.append(values[name] ?? "")
            }
        }
        lines += request.headers.filter { $0.name.hasPrefix("x-ms-") }.sorted { $0.name < $1.name }
            .map { "\($0.name):\($0.value)" }
        lines.append("/\(account)\(request.path)")
        lines += request.query.map { ($0.name.lowercased(), $0.value) }.sorted { $0.0 < $1.0 }.map { "\($0.0):\($0.1)" }
        return lines.joined(separator: "\n")
    }
}
