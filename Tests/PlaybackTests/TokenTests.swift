import Crypto
import Foundation
import JWTKit
import Playback
import Recording
import TestSupport
import Testing

/// Content tokens that a server must not believe.
@Suite("Playback: content tokens") struct TokenTests {
    private static let now = WallTime(rfc3339: "2026-03-01T10:00:00Z") ?? .earliest
    private let key = ES256PrivateKey()

    private func tokens(issuer: String = "operator") async throws -> ContentTokens {
        try await ContentTokens(
            issuer: issuer, audience: "cvr",
            keys: [.init(kid: "one", algorithm: .es256, pem: key.publicKey.pemRepresentation)])
    }

    private func visitor(_ token: String) async throws -> Visitor? {
        try await tokens().visitor(token, at: Self.now, carried: [])
    }

    /// With a header and claims of one's own, and a signature of nothing.
    private func forged(_ header: String, like token: String, signature: String = "") -> String {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        return "\(Self.base64(Data(header.utf8))).\(parts[1]).\(signature)"
    }

    private static func base64(_ data: Data) -> String {
        data.base64EncodedString().replacing("=", with: "").replacing("+", with: "-").replacing("/", with: "_")
    }

    @Test("one that holds opens what it names: an asset by its name, a camera by its own")
    func good() async throws {
        let front = try RecordedSite.name("front")
        let asset = try #require(try await visitor(TestClaims(asset: "a").signed(key, kid: "one")))
        #expect(asset.maySee(camera: front, asset: "a") && !asset.maySee(camera: front, asset: "b"))
        // An asset with the name of another one's camera.
        let named = try #require(try await visitor(TestClaims(asset: "front").signed(key, kid: "one")))
        #expect(!named.maySee(camera: front, asset: "a") && named.maySee(camera: front, asset: "front"))
        let camera = try #require(try await visitor(TestClaims(asset: nil, camera: "front").signed(key, kid: "one")))
        #expect(camera.maySee(camera: front, asset: "a") && !camera.mayShare)
        let all = try #require(try await visitor(TestClaims(asset: "*").signed(key, kid: "one")))
        #expect(all.cameras == .all && all.window == .always)
        let some = try #require(
            try await visitor(TestClaims(asset: "a", startTime: "2026-01-01T00:00:00Z").signed(key, kid: "one")))
        #expect(some.window.lowerBound == WallTime(rfc3339: "2026-01-01T00:00:00Z") && !some.maySeeAll)
    }

    @Test(
        "each algorithm that a configuration may name is taken, and none of another key",
        arguments: TokenAlgorithm.allCases)
    func algorithms(algorithm: TokenAlgorithm) async throws {
        let curve = [TokenAlgorithm.es256: "P-256", .es384: "P-384", .es512: "P-521"][algorithm]
        let kind =
            curve.map { ["EC", "-pkeyopt", "ec_paramgen_curve:\($0)"] } ?? ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
        let made = try await run("/usr/bin/openssl", ["genpkey", "-algorithm"] + kind)
        let signer = JWTKeyCollection()
        let kid = JWKIdentifier(string: "one")
        let publicKey: String
        switch algorithm {
        case .es256: publicKey = try await Self.add(ES256PrivateKey(pem: made.text), to: signer, kid)
        case .es384: publicKey = try await Self.add(ES384PrivateKey(pem: made.text), to: signer, kid)
        case .es512: publicKey = try await Self.add(ES512PrivateKey(pem: made.text), to: signer, kid)
        default:
            let digests = [TokenAlgorithm.rs256: DigestAlgorithm.sha256, .rs384: .sha384]
            let key = try Insecure.RSA.PrivateKey(pem: made.text)
            await signer.add(rsa: key, digestAlgorithm: digests[algorithm] ?? .sha512, kid: kid)
            publicKey = key.publicKey.pemRepresentation
        }
        let token = try await signer.sign(TestClaims(asset: "*"), kid: kid)
        for other in TokenAlgorithm.allCases {
            // What is no key of an algorithm is refused as a configuration.
            let tokens = try? await ContentTokens(
                issuer: "operator", audience: "cvr", keys: [.init(kid: "one", algorithm: other, pem: publicKey)])
            let visitor = await tokens?.visitor(token, at: Self.now, carried: [])
            #expect((visitor != nil) == (other == algorithm), "\(other)")
        }
    }

    private static func add<Key: ECDSACurveType>(
        _ key: ECDSA.PrivateKey<Key>, to keys: JWTKeyCollection, _ kid: JWKIdentifier
    ) async -> String {
        await keys.add(ecdsa: key, kid: kid)
        return key.publicKey.pemRepresentation
    }

    @Test("an address that is signed as cvr-playback-http(7) shows holds")
    func signedElsewhere() async throws {
        let page = try String(contentsOfFile: Repository.path("etc/man/cvr-playback-http.7"), encoding: .utf8)
        let examples = page.components(separatedBy: ".EX\n").compactMap { $0.components(separatedBy: ".EE\n").first }
        let script = try #require(examples.first { $0.contains("$SIGNING") }).replacing("\\-", with: "-")
        let secret = "0123456789abcdef it's"
        let done = try await run("/usr/bin/env", ["SIGNING=\(secret)", "/bin/sh", "-c", script])
        let text = done.text.trimmingCharacters(in: .newlines)
        let key = try #require(Access.signingKey(secret))
        let signature = try #require(URLSignature(text, key: key), "\(text) \(done.errors)")
        #expect(signature.camera.text == "front" && signature.text(key: key) == text)
        #expect(signature.range.lowerBound == WallTime(rfc3339: "2026-11-26T08:00:00Z"))
    }

    @Test("a signature that is missing, another's, or made with the public key as a secret, is none")
    func forgeries() async throws {
        let good = try await TestClaims(asset: "*").signed(key, kid: "one")
        #expect(try await visitor(good) != nil)
        var bad: [String: String] = [:]
        for name in ["none", "None", "NONE", ""] {
            let header = "{\"alg\":\"\(name)\",\"typ\":\"JWT\",\"kid\":\"one\"}"
            bad["alg \(name)"] = forged(header, like: good)
            bad["alg \(name), with a signature"] = forged(
                header, like: good, signature: String(good.split(separator: ".")[2]))
        }
        bad.merge(signedWithPublicKey(like: good)) { first, _ in first }
        let parts = good.split(separator: ".").map(String.init)
        let embedded = #"{"alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA"},"kid":"one"}"#
        bad["a key of its own in the header"] = forged(embedded, like: good, signature: parts[2])
        bad["another header"] = forged(#"{"alg":"RS256","typ":"JWT","kid":"one"}"#, like: good, signature: parts[2])
        bad["a signature of zeroes"] = forged(
            #"{"alg":"ES256","kid":"one"}"#, like: good, signature: Self.base64(Data(count: 64)))
        bad["a shorter signature"] = String(good.dropLast(8))
        bad["a changed signature"] = String(good.dropLast(8)) + "AAAAAAAA"
        bad["more parts"] = good + ".e30"
        bad["fewer parts"] = parts[0] + "." + parts[1]
        bad["nothing"] = ""
        bad["dots"] = ".."
        bad["a long one"] = String(repeating: "a", count: 100_000) + good
        bad["another's key"] = try await TestClaims(asset: "*").signed(ES256PrivateKey(), kid: "one")
        bad["an unknown key"] = try await TestClaims(asset: "*").signed(key, kid: "two")
        bad["a path for a key"] = try await TestClaims(asset: "*").signed(key, kid: "../one")
        bad["no key"] = try await TestClaims(asset: "*").signed(key, kid: nil)
        for (what, token) in bad { #expect(try await visitor(token) == nil, "\(what)") }
        for index in good.indices.dropLast(2) where good[index] != "." {
            var changed = good
            changed.replaceSubrange(index...index, with: good[index] == "A" ? "B" : "A")
            #expect(try await visitor(changed) == nil, "changed at \(index.utf16Offset(in: good))")
        }
    }

    /// What a verifier believes that takes the header's word for what kind of key it has.
    private func signedWithPublicKey(like good: String) -> [String: String] {
        var bad: [String: String] = [:]
        let pem = key.publicKey.pemRepresentation
        for secret in [pem, pem + "\n", pem.trimmingCharacters(in: .newlines), key.publicKey.pemBody] {
            let header = #"{"alg":"HS256","typ":"JWT","kid":"one"}"#
            let unsigned = forged(header, like: good).dropLast()
            let mac = HMAC<SHA256>.authenticationCode(
                for: Data(unsigned.utf8), using: SymmetricKey(data: Data(secret.utf8)))
            bad["HS256 with \(secret.count) bytes of the public key"] = "\(unsigned).\(Self.base64(Data(mac)))"
        }
        return bad
    }

    @Test("one for another issuer, audience or time, or that opens nothing, is none")
    func claims() async throws {
        let seconds = Int(Self.now.microseconds / 1_000_000)
        let bad: [String: TestClaims] = [
            "issuer": TestClaims(iss: "else", asset: "*"), "audience": TestClaims(aud: "else", asset: "*"),
            "empty issuer": TestClaims(iss: "", asset: "*"), "expired": TestClaims(exp: seconds, asset: "*"),
            "long expired": TestClaims(exp: -1, asset: "*"), "not yet": TestClaims(nbf: seconds + 1, asset: "*"),
            "nothing": TestClaims(asset: nil), "no time": TestClaims(asset: "*", startTime: "soon"),
            "an end before its start": TestClaims(
                asset: "*", startTime: "2026-03-02T00:00:00Z", endTime: "2026-03-01T00:00:00Z"),
        ]
        for (what, claims) in bad {
            #expect(try await visitor(claims.signed(key, kid: "one")) == nil, "\(what)")
        }
        #expect(
            try await visitor(TestClaims(exp: seconds + 1, nbf: seconds, asset: "*").signed(key, kid: "one")) != nil)
        let other = try await tokens(issuer: "else")
        let token = try await TestClaims(asset: "*").signed(key, kid: "one")
        #expect(await other.visitor(token, at: Self.now, carried: []) == nil)
    }

    @Test("a claim of another type, or none at all, is none")
    func malformed() async throws {
        for claims in [
            "{}", "[]", "null", "\"x\"", "{\"iss\":\"operator\",\"aud\":\"cvr\",\"asset\":\"*\"}",
            "{\"iss\":\"operator\",\"aud\":\"cvr\",\"asset\":\"*\",\"exp\":\"never\"}",
            "{\"iss\":\"operator\",\"aud\":{},\"asset\":\"*\",\"exp\":4100000000}",
            "{\"iss\":\"operator\",\"aud\":\"cvr\",\"asset\":{\"x\":1},\"exp\":4100000000}",
        ] {
            let head = Self.base64(Data(#"{"alg":"ES256","typ":"JWT","kid":"one"}"#.utf8))
            let signed = "\(head).\(Self.base64(Data(claims.utf8)))"
            // Rightly signed: by P256 itself, as JWT would.
            let raw = try P256.Signing.PrivateKey(pemRepresentation: key.pemRepresentation)
                .signature(for: Data(signed.utf8)).rawRepresentation
            #expect(try await visitor("\(signed).\(Self.base64(raw))") == nil, "\(claims)")
        }
    }
}

extension ECDSA.PublicKey {
    /// Without the lines around it.
    fileprivate var pemBody: String {
        pemRepresentation.split(separator: "\n").filter { !$0.hasPrefix("-") }.joined()
    }
}

/// The claims of a token, as an operator's service would write them.
struct TestClaims: JWTPayload {
    var iss = "operator"
    var aud = "cvr"
    var exp = 4_100_000_000
    var nbf: Int?
    var asset: String?
    var camera: String?
    var startTime: String?
    var endTime: String?

    func verify(using algorithm: some JWTAlgorithm) {}

    func signed(_ key: ES256PrivateKey, kid: String?) async throws -> String {
        let keys = JWTKeyCollection()
        await keys.add(ecdsa: key, kid: kid.map { JWKIdentifier(string: $0) })
        return try await keys.sign(self, kid: kid.map { JWKIdentifier(string: $0) })
    }
}
