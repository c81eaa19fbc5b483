import Recording
import Testing
import YAMLConfiguration

@Suite("Configuration: playback")
struct PlaybackConfigurationTests {
    private func playback(_ text: String) throws -> PlaybackConfiguration {
        try box("store: { url: file:///s }\nplayback: \(text)\n").playback
    }

    private func found(_ text: String) -> [String] {
        mistakes("store: { url: file:///s }\nplayback: \(text)\n").map { mistake in
            mistake.split(separator: "playback", maxSplits: 1).last.map(String.init) ?? mistake
        }
    }

    @Test("a box that says nothing serves its own host, and none serves nobody")
    func defaults() throws {
        #expect(try box("store: { url: file:///s }").playback == playback("{}"))
        #expect(try playback("{}").listen?.description == "127.0.0.1:8480")
        let silent = try playback("{ listen: none }")
        #expect(silent.listen == nil)
    }

    @Test("addresses, certificates, accounts, tokens and the key of signatures are read")
    func whole() throws {
        let all = try playback(
            """
            { listen: "[::]:443", tls: { certificate: /etc/cvr/cert.pem, key: playback-key },
              accounts: { guard@site: { credential: guard, cameras: [front, yard] }, chief: { credential: /p/chief } },
              tokens: { issuer: https://i.example, audience: a, keys: [{ kid: k1, algorithm: es256, file: /k.pem }] },
              signing: url-key, proxies: [10.0.0.7, "2001:db8::/32"], allowOrigins: ["https://P.example:443"] }
            """)
        #expect(all.listen?.description == "[::]:443" && all.listen?.isLoopback == false)
        #expect(all.tls?.certificate == "/etc/cvr/cert.pem" && all.tls?.key == "playback-key")
        #expect(all.accounts["guard@site"]?.cameras?.map(\.text) == ["front", "yard"])
        #expect(all.proxies.map(\.description) == ["10.0.0.7", "2001:db8::/32"])
        #expect(all.origins.map(\.description) == ["https://p.example"])
        let chief = try #require(all.accounts["chief"])
        #expect(chief.credential == "/p/chief" && chief.cameras == nil)
        #expect(all.tokens?.issuer == "https://i.example" && all.tokens?.audience == "a" && all.signing == "url-key")
        let key = try #require(all.tokens?.keys.first)
        #expect(key.identifier == "k1" && key.algorithm == .es256 && key.file == "/k.pem")
    }

    @Test("whoever other hosts can reach has to encrypt and to ask who they are; a loopback address need not")
    func beyondThisHost() {
        let access = "accounts: { a: { credential: a } }"
        let tokens = "tokens: { issuer: i, audience: a, keys: [{ kid: k, algorithm: RS256, file: /k }] }"
        let tls = "tls: { certificate: /c, key: k }"
        for listen in ["0.0.0.0:8480", "192.168.1.4:80", "\"[::]:8480\"", "\"[fe80::1]:8480\"", "128.0.0.1:1"] {
            let both = found("{ listen: \(listen) }")
            #expect(both.count == 2 && both.contains { $0.contains("add tls:") }, "\(listen)")
            #expect(both.contains { $0.contains("add accounts or tokens") }, "\(listen)")
            #expect(found("{ listen: \(listen), \(tls) }").count == 1, "\(listen)")
            #expect(found("{ listen: \(listen), \(access) }").count == 1, "\(listen)")
            #expect(found("{ listen: \(listen), \(tls), accounts: {} }").count == 1, "\(listen)")
            #expect(found("{ listen: \(listen), \(tls), \(access) }").isEmpty, "\(listen)")
            #expect(found("{ listen: \(listen), \(tls), \(tokens) }").isEmpty, "\(listen)")
        }
        for listen in ["127.0.0.1:0", "127.8.9.1:80", "\"[::1]:8480\"", "\"[::ffff:127.0.0.1]:1\"", "none"] {
            #expect(found("{ listen: \(listen) }").isEmpty, "\(listen)")
        }
    }

    @Test(
        "a mistake is named with its key",
        arguments: [
            ("{ listn: none }", ".listn: unknown key; did you mean listen?"),
            ("{ tls: { certificate: /c } }", ".tls.key: is missing; add key: FILE (PEM, mode 0600)"),
            ("{ tls: { key: k } }", ".tls.certificate: is missing; add certificate: FILE (PEM)"),
            ("{ proxies: [proxy.example] }", ".proxies: not a numeric address, nor a block of them such as 10.0.0.0/8"),
            (
                "{ allowOrigins: [https://p.example/x] }",
                ".allowOrigins: not where a page is from: https://HOST or https://HOST:PORT, and no path"
            ),
            ("{ accounts: { a: {} } }", ".accounts.a.credential: is missing; add credential: NAME"),
            (
                "{ accounts: { a: { credential: a, camera: [x] } } }",
                ".accounts.a.camera: unknown key; did you mean cameras?"
            ),
            (
                "{ accounts: { 'a:b': { credential: a } } }",
                ".accounts.a:b: not an account's name: 1 to 64 letters, digits, - . _ and @"
            ),
            (
                "{ accounts: { a: { credential: a, cameras: [Front] } } }",
                ".accounts.a.cameras: not a camera's name: [a-z0-9][a-z0-9-]{0,31}"
            ),
            (
                "{ tokens: { issuer: i, audience: a } }",
                ".tokens.keys: names no key; add keys: [{ kid: NAME, algorithm: ES256, file: FILE }]"
            ),
            (
                "{ tokens: { issuer: i, audience: a, keys: [{ kid: k, algorithm: HS256, file: /k }] } }",
                ".tokens.keys[0].algorithm: expected RS256 or RS384 or RS512 or ES256 or ES384 or ES512"
            ),
            (
                "{ tokens: { issuer: i, audience: a, keys: [{ kid: k, algorithm: RS256 }] } }",
                ".tokens.keys[0].file: is missing; add file: FILE (PEM), the public key"
            ),
        ])
    func mistake(text: String, message: String) { #expect(found(text) == [message]) }

    @Test(
        "what is no numeric address with a port is refused",
        arguments: [
            "8480", "localhost:8480", "127.0.0.1", "127.0.0.1:65536", "127.0.0.1:-1", "256.0.0.1:80", "1.2.3:80",
            "\"[::1]\"", "\"[::1::]:80\"", "\"[1:2:3:4:5:6:7:8:9]:80\"", "\"[12345::]:80\"", "\"::1:80\"", "\"[]:80\"",
            "''",
        ])
    func badAddress(text: String) {
        #expect(found("{ listen: \(text) }").contains { $0.hasPrefix(".listen: not a numeric address") })
    }

    @Test("no camera is called like the directory of cvr-playback")
    func reservedName() {
        let text = "store: { url: file:///s }\ncameras: { playback: { url: rtsp://h/ } }"
        #expect(
            mistakes(text) == [
                "cvr.yaml:2: cameras.playback: is the name of cvr-playback's directory; choose another"
            ])
    }
}
