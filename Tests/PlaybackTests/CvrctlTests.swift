import Foundation
import JWTKit
import Playback
import Recording
import TestSupport
import Testing

/// cvrctl itself against a server that wants to know who asks.
@Suite("Playback: cvrctl with an account, a token, over TLS", .serialized) struct CvrctlTests {
    private static let range = ["--from", "2026-03-01T10:00:00Z", "--to", "2026-03-01T10:00:08Z"]

    private let key = ES256PrivateKey()

    private func withServer(
        _ body: @Sendable (ServedSite, RecordedSite, _ files: [String: String]) async throws -> Void
    ) async throws {
        let site = try RecordedSite()
        try site.record(try await EncodedClip(seconds: 1), segments: 2, length: 4)
        let certificate = try await Certificate(in: site.folder)
        let access = Access(
            accounts: [
                "guard": .init(password: try #require(Password("guard's secret")), cameras: .all),
                "blind": .init(password: try #require(Password("guard's secret")), cameras: .named(["yard"])),
            ],
            tokens: try await ContentTokens(
                issuer: "operator", audience: "cvr",
                keys: [.init(kid: "one", algorithm: .es256, pem: key.publicKey.pemRepresentation)]), isOpen: false)
        var files = ["ca": certificate.path]
        for (name, text) in [
            ("password", "guard's secret\n"), ("wrong", "guess"), ("lines", "a\nb\n"), ("open", "guard's secret"),
            ("token", try await TestClaims(asset: "asset-front").signed(key, kid: "one")),
        ] {
            let path = "\(site.folder)/\(name)"
            let mode = name == "open" ? 0o640 : 0o600
            #expect(
                FileManager.default.createFile(
                    atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: mode]))
            files[name] = path
        }
        try await ServedSite.run(try site.archive(), access: access, tls: certificate) { [files] in
            try await body($0, site, files)
        }
    }

    private func cvrctl(_ words: [String], input: String = "") async throws -> Finished {
        try await run("\(Repository.binaries)/cvrctl", ["--json"] + words, input: input)
    }

    @Test("an export is made as an account, by file or standard input, and with a token")
    func export() async throws {
        try await withServer { served, site, files in
            let ways: [([String], String)] = [
                (["--account", "guard", "--credential", files["password"] ?? ""], ""),
                (["--account", "guard"], "guard's secret\n"), (["--token-file", files["token"] ?? ""], ""),
            ]
            for (index, (words, input)) in ways.enumerated() {
                let file = "\(site.folder)/clip-\(index).mp4"
                let done = try await cvrctl(
                    ["export", "front", "--url", served.base, "--ca", files["ca"] ?? "", "--output", file]
                        + Self.range + words, input: input)
                #expect(done.ending == .exited(0), "\(words): \(done.text)\(done.errors)")
                #expect(try await Player.frames(file) == 200)
                let told = try String(contentsOfFile: file + ".json", encoding: .utf8) + done.text + done.errors
                #expect(!told.contains("secret") && !told.contains("eyJ") && told.contains(served.base))
            }
        }
    }

    @Test("whoever is not let in is told so, and which of the two is wrong")
    func refused() async throws {
        try await withServer { served, site, files in
            let export = ["export", "front", "--url", served.base, "--output", "\(site.folder)/x.mp4"] + Self.range
            let trusting = export + ["--ca", files["ca"] ?? ""]
            let expected: [([String], Int32, String)] = [
                (export + ["--token-file", files["token"] ?? ""], 4, "playbackUnavailable"),
                (trusting, 5, "unauthorized"),
                (trusting + ["--account", "guard", "--credential", files["wrong"] ?? ""], 5, "unauthorized"),
                (trusting + ["--account", "nobody", "--credential", files["password"] ?? ""], 5, "unauthorized"),
                (trusting + ["--account", "blind", "--credential", files["password"] ?? ""], 5, "forbidden"),
                (trusting + ["--account", "guard", "--credential", files["open"] ?? ""], 2, "chmod"),
                (trusting + ["--account", "guard", "--credential", files["lines"] ?? ""], 2, "one line"),
                (trusting + ["--account", "guard", "--credential", "/nowhere"], 2, "cannot be read"),
                (trusting + ["--account", "guard"], 2, "standard input"),
                (export + ["--ca", "/nowhere"], 2, "cannot be read"),
            ]
            for (words, status, text) in expected {
                let done = try await cvrctl(words)
                #expect(
                    done.ending == .exited(status) && (done.text + done.errors).contains(text), "\(words): \(done.text)"
                )
            }
            #expect(!FileManager.default.fileExists(atPath: "\(site.folder)/x.mp4.part"))
        }
    }

    @Test("a secret is sent to nobody without TLS but this host, and its options go together")
    func usage() async throws {
        let token = NSTemporaryDirectory() + "token-\(UUID().uuidString)"
        #expect(
            FileManager.default.createFile(
                atPath: token, contents: Data("x".utf8), attributes: [.posixPermissions: 0o600]))
        for words in [
            ["--url", "http://192.0.2.1:8480", "--token-file", token],
            ["--url", "http://127.0.0.1.example:1", "--token-file", token],
            ["--account", "a", "--token-file", token], ["--credential", token],
            ["--account", "a:b", "--credential", token],
        ] {
            let done = try await cvrctl(["play", "front"] + words)
            #expect(done.ending == .exited(2), "\(words): \(done.text)\(done.errors)")
        }
        try FileManager.default.removeItem(atPath: token)
    }

    @Test("play says whether the account may see the camera, and prints no secret")
    func play() async throws {
        try await withServer { served, _, files in
            let common = ["play", "front", "--url", served.base, "--ca", files["ca"] ?? ""]
            let password = ["--credential", files["password"] ?? ""]
            let done = try await cvrctl(common + ["--account", "guard"] + password)
            #expect(done.text == "{\"url\":\"\(served.base)/#cameras=front\"}\n", "\(done.text)\(done.errors)")
            // The page would be refused without it, and the browser cannot ask for one.
            let token = try await cvrctl(common + ["--token-file", files["token"] ?? ""])
            #expect(token.ending == .exited(5) && token.text.contains("tokenNotHandedOn"), "\(token.text)")
            #expect(!token.text.contains("eyJ") && !token.text.contains("\"url\""))
            let blind = try await cvrctl(common + ["--account", "blind"] + password)
            #expect(blind.ending == .exited(3) && blind.text.contains("noSuchCamera"), "\(blind.text)")
        }
    }
}
