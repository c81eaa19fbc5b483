package import Crypto
import Foundation
package import Recording

/// Query parameter `signature`: lets whoever has it see one camera's footage of a range until it expires.
///
/// `CAMERA.FROM.TO.EXPIRES.MAC`: times are milliseconds since 1970, the last is HMAC-SHA256 (RFC 2104) in Base64 for
/// URLs over all before it. What is signed is not one path: a manifest and the media that it names need the same one.
package struct URLSignature: Hashable, Sendable {
    /// So that nothing else that is ever signed with the key can be taken for one.
    private static let purpose = "cvr signed URL 1:"
    /// Nobody can take one back.
    package static let longest = TimeSpan.seconds(86_400)

    package let camera: CameraName
    package let range: Range<WallTime>
    package let expires: WallTime

    package init(camera: CameraName, range: Range<WallTime>, expires: WallTime) {
        self.camera = camera
        self.range = range
        self.expires = expires
    }

    /// Nil for one that `key` did not sign, or that is not one.
    package init?(_ text: String, key: SymmetricKey) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 5, let camera = CameraName(parts[0]), let from = Int64(parts[1]), let to = Int64(parts[2]),
            let expires = Int64(parts[3]), from < to, let mac = Data(base64URL: String(parts[4])),
            case let signed = parts[..<4].joined(separator: "."),
            HMAC<SHA256>.isValidAuthenticationCode(
                mac, authenticating: Data((Self.purpose + signed).utf8), using: key)
        else { return nil }
        self.init(
            camera: camera, range: WallTime(milliseconds: from)..<WallTime(milliseconds: to),
            expires: WallTime(milliseconds: expires))
        // Times out of the calendar were cut.
        guard range.lowerBound < range.upperBound else { return nil }
    }

    package func text(key: SymmetricKey) -> String {
        let times = [range.lowerBound, range.upperBound, expires].map { String($0.microseconds / 1000) }
        let signed = ([camera.text] + times).joined(separator: ".")
        let mac = HMAC<SHA256>.authenticationCode(for: Data((Self.purpose + signed).utf8), using: key)
        return signed + "." + Data(mac).base64URL
    }
}

extension WallTime {
    fileprivate init(milliseconds: Int64) { self.init(microseconds: milliseconds.multipliedSaturated(1000)) }
}

extension Data {
    /// RFC 4648 §5, without padding.
    var base64URL: String {
        base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    init?(base64URL text: String) {
        let usual = text.replacing("-", with: "+").replacing("_", with: "/")
        self.init(base64Encoded: usual + String(repeating: "=", count: (4 - usual.utf8.count % 4) % 4))
    }
}
