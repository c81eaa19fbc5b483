import Crypto
import Foundation
package import Recording

/// AWS Signature Version 4 of a request's headers, for S3.
///
/// After "Authenticating Requests (AWS Signature Version 4)" of the Amazon S3 API reference. Unlike other services S3
/// encodes a path once; our keys need no encoding at all.
package struct S3Signature: Sendable {
    static let unsignedPayload = "UNSIGNED-PAYLOAD"

    private let credential: S3Credential
    private let region: String

    package init(_ credential: S3Credential, region: String) {
        self.credential = credential
        self.region = region
    }

    /// The headers to send beside `headers`, Authorization among them.
    ///
    /// `path` and the names and values of `query` are encoded already; `headers` are all signed, their names in lower
    /// case, and `host` among them. `payload` is the SHA-256 of the body in hexadecimal, or `unsignedPayload`.
    package func headers(
        _ method: String, path: String, query: [(name: String, value: String)],
        headers: [(name: String, value: String)], payload: String, at time: WallTime
    ) -> [(name: String, value: String)] {
        let moment = time.rfc3339.prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
        var added = [(name: "x-amz-content-sha256", value: payload), (name: "x-amz-date", value: moment)]
        if let token = credential.sessionToken { added.append(("x-amz-security-token", token)) }
        let signed = (headers + added).sorted { $0.name < $1.name }
        let names = signed.map(\.name).joined(separator: ";")
        let request = Self.canonical(method, path, query, signed, names, payload)
        let scope = "\(moment.prefix(8))/\(region)/s3/aws4_request"
        let text = "AWS4-HMAC-SHA256\n\(moment)\n\(scope)\n\(Self.hash(request.utf8))"
        let signature = Self.hexadecimal(Self.authenticate(text, key: key(on: moment.prefix(8))))
        let authorization =
            "AWS4-HMAC-SHA256 Credential=\(credential.keyID)/\(scope), SignedHeaders=\(names), Signature=\(signature)"
        return added + [("authorization", authorization)]
    }

    private static func canonical(
        _ method: String, _ path: String, _ query: [(name: String, value: String)],
        _ signed: [(name: String, value: String)], _ names: String, _ payload: String
    ) -> String {
        let query = query.sorted { $0.name < $1.name }.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        let headers = signed.map { "\($0.name):\(trimmed($0.value))\n" }.joined()
        return "\(method)\n\(path)\n\(query)\n\(headers)\n\(names)\n\(payload)"
    }

    /// Of a body that is in memory.
    static func hash(_ bytes: some Sequence<UInt8>) -> String { hexadecimal(SHA256.hash(data: Array(bytes))) }

    /// Percent-encodes all but letters, digits, `-`, `.`, `_` and `~`.
    static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }

    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private func key(on day: Substring) -> [UInt8] {
        var key = Array("AWS4\(credential.secret)".utf8)
        for part in [String(day), region, "s3", "aws4_request"] { key = Self.authenticate(part, key: key) }
        return key
    }

    private static func authenticate(_ text: String, key: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: SymmetricKey(data: key)))
    }

    /// Without blanks at the ends, and one blank for several.
    private static func trimmed(_ value: String) -> String {
        value.split(separator: " ").joined(separator: " ")
    }
}
