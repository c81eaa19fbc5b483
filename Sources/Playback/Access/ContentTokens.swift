import Foundation
import JWTKit
package import Recording

/// LVA's content tokens: JSON Web Tokens (RFC 7519) that an operator's own service signs, each for assets and a range.
///
/// Claims: `iss`, `aud`, `exp` (must be there), `nbf`; `assets` or `asset`, `cameras` or `camera`: names, or `*` for all;
/// `startTime`, `endTime`: RFC 3339, what of these may be seen. A token without any asset or camera opens nothing. `kid` in
/// its header names the key; the key says the algorithm, whatever the header says.
package struct ContentTokens: Sendable {
    /// A public key, PEM.
    package struct Key: Hashable, Sendable {
        package var kid: String
        package var algorithm: TokenAlgorithm
        package var pem: String

        package init(kid: String, algorithm: TokenAlgorithm, pem: String) {
            self.kid = kid
            self.algorithm = algorithm
            self.pem = pem
        }
    }

    private let issuer: String
    private let audience: String
    private let keys: JWTKeyCollection

    /// Throws what JWTKit says of a key that is not one.
    package init(issuer: String, audience: String, keys: [Key]) async throws {
        self.issuer = issuer
        self.audience = audience
        let collection = JWTKeyCollection()
        for key in keys { try await collection.add(key) }
        // A token whose key is unknown must not be held against any other.
        await collection.clearDefault()
        self.keys = collection
    }

    /// Nil unless it is one of ours, whole and valid `now`.
    package func visitor(_ token: String, at now: WallTime, carried: [String]) async -> Visitor? {
        guard token.utf8.count <= 8192 else { return nil }
        // Why it does not hold is nobody's business but its maker's.
        guard let claims = try? await keys.verify(token, as: Claims.self), isForUs(claims),
            claims.validity.contains(now)
        else { return nil }
        guard let cameras = claims.cameraSet, let window = claims.window else { return nil }
        return Visitor(
            name: claims.sub ?? "token", cameras: cameras, window: window, until: claims.validity.upperBound,
            carried: carried)
    }

    /// When a token is valid that was made for us, whoever asks; nil for any other.
    package func validity(of token: String) async -> Range<WallTime>? {
        // As above.
        guard token.utf8.count <= 8192, let claims = try? await keys.verify(token, as: Claims.self), isForUs(claims)
        else { return nil }
        return claims.validity
    }

    private func isForUs(_ claims: Claims) -> Bool { claims.iss == issuer && claims.aud.all.contains(audience) }
}

extension JWTKeyCollection {
    fileprivate func add(_ key: ContentTokens.Key) throws {
        let kid = JWKIdentifier(string: key.kid)
        switch key.algorithm {
        case .rs256: add(rsa: try Insecure.RSA.PublicKey(pem: key.pem), digestAlgorithm: .sha256, kid: kid)
        case .rs384: add(rsa: try Insecure.RSA.PublicKey(pem: key.pem), digestAlgorithm: .sha384, kid: kid)
        case .rs512: add(rsa: try Insecure.RSA.PublicKey(pem: key.pem), digestAlgorithm: .sha512, kid: kid)
        case .es256: add(ecdsa: try ES256PublicKey(pem: key.pem), kid: kid)
        case .es384: add(ecdsa: try ES384PublicKey(pem: key.pem), kid: kid)
        case .es512: add(ecdsa: try ES512PublicKey(pem: key.pem), kid: kid)
        }
    }
}

/// Checked here, not by JWTKit: against a clock that is ours.
private struct Claims: JWTPayload {
    var iss: String
    var aud: Names
    var exp: Double
    var nbf: Double?
    var sub: String?
    var asset: Names?
    var assets: Names?
    var camera: Names?
    var cameras: Names?
    var startTime: String?
    var endTime: String?

    func verify(using algorithm: some JWTAlgorithm) {}

    /// Nil when it opens nothing; an asset may have the name of another's camera.
    var cameraSet: Visitor.Cameras? {
        let (names, assets) = (Self.all(camera, cameras), Self.all(asset, assets))
        guard !names.isEmpty || !assets.isEmpty else { return nil }
        return names.contains("*") || assets.contains("*") ? .all : .some(named: names, assets: assets)
    }

    private static func all(_ names: Names?...) -> Set<String> { Set(names.compactMap(\.self).flatMap(\.all)) }

    /// From `nbf` to before `exp`; empty when these make no sense.
    var validity: Range<WallTime> {
        let (from, to) = (nbf.map { Self.moment($0) } ?? .earliest, Self.moment(exp))
        return from..<max(from, to)
    }

    private static func moment(_ seconds: Double) -> WallTime {
        WallTime(microseconds: Int64(exactly: (seconds * 1_000_000).rounded()) ?? (seconds > 0 ? .max : .min))
    }

    /// Nil when a bound cannot be read: it must not open all that there is.
    var window: Range<WallTime>? {
        guard let from = Self.time(startTime, else: .earliest), let to = Self.time(endTime, else: .latest), from < to
        else { return nil }
        return from..<to
    }

    private static func time(_ text: String?, else bound: WallTime) -> WallTime? {
        guard let text else { return bound }
        return WallTime(rfc3339: text)
    }
}

/// A name, or several.
private struct Names: Codable, Sendable {
    var all: [String]

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        // Else it is an array, or an error to say so.
        if let one = try? value.decode(String.self) { all = [one] } else { all = try value.decode([String].self) }
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        try value.encode(all)
    }
}
