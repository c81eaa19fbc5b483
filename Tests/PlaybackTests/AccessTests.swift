import Crypto
import CryptoExtras
import Footage
import Foundation
import HTTP
import JWTKit
import Playback
import Recording
import TestSupport
import Testing

/// Who may see what.
@Suite("Playback: access", .serialized) struct AccessTests {
    private static let cameras = ["front", "yard"]
    private static let range = "from=2026-03-01T10:00:00Z&to=2026-03-01T10:00:08Z"
    private static let media = "media/1.0.1772359200000/0.mp4"

    private func recorded() async throws -> RecordedSite {
        let site = try RecordedSite(cameras: Self.cameras)
        let clip = try await EncodedClip(seconds: 1)
        for camera in Self.cameras { try site.record(clip, camera: camera, segments: 2, length: 4) }
        return site
    }

    private func basic(_ name: String, _ password: String) -> (name: String, value: String) {
        ("Authorization", "Basic " + Data("\(name):\(password)".utf8).base64EncodedString())
    }

    private static func objects(_ camera: String) -> [String] {
        [
            "/ranges/\(camera).mp4?\(range)", "/get?path=\(camera)&start=2026-03-01T10:00:00Z&duration=3",
            "/list?path=\(camera)", "/coverage?camera=\(camera)", "/segments?camera=\(camera)",
            "/gaps?camera=\(camera)",
            "/export/\(camera)?\(range)", "/assets/asset-\(camera)/\(media)",
            "/assets/asset-\(camera)/availableMedia?precision=year",
        ]
    }

    @Test("an account sees its cameras, by every address, and no other")
    func accounts() async throws {
        let site = try await recorded()
        let salt = Data((0..<16).map { UInt8($0) })
        let key = try KDF.Scrypt.deriveKey(
            from: Data("long secret".utf8), salt: salt, outputByteCount: 32, rounds: 1024, blockSize: 8, parallelism: 1)
        let hash = key.withUnsafeBytes { Data($0).base64EncodedString() }
        let access = Access(
            accounts: [
                "guard": .init(
                    password: try #require(Password("scrypt$1024$8$1$\(salt.base64EncodedString())$\(hash)")),
                    cameras: .named(["front"])),
                "chief": .init(password: try #require(Password("other secret")), cameras: .all),
            ], isOpen: false)
        try await ServedSite.run(try site.archive(Self.cameras), access: access) { served in
            for path in Self.objects("front") {
                #expect(try await served.get(path).status == 401, "\(path)")
                #expect(try await served.get(path, [basic("guard", "long secret")]).status == 200, "\(path)")
                #expect(try await served.get(path, [basic("chief", "other secret")]).status == 200, "\(path)")
            }
            for path in Self.objects("yard") + Self.objects("nowhere") {
                #expect(try await served.get(path, [basic("guard", "long secret")]).status == 403, "\(path)")
            }
            let unknown = try await served.get("/coverage?camera=nowhere", [basic("chief", "other secret")])
            #expect(unknown.status == 404 && ServedSite.code(unknown) == "noSuchCamera")
            let cameras = try await served.get("/cameras", [basic("guard", "long secret")])
            let text = String(decoding: cameras.body, as: UTF8.self)
            #expect(text.contains("\"front\"") && !text.contains("yard"))
            #expect(try await served.get("/metrics", [basic("guard", "long secret")]).status == 403)
            #expect(try await served.get("/healthz").status == 200)
        }
    }

    /// An account with a slow password, one with a fast one, and a token for all cameras.
    private func guarded() async throws -> (access: Access, token: String) {
        let salt = Data((0..<16).map { UInt8($0) })
        let key = try KDF.Scrypt.deriveKey(
            from: Data("long secret".utf8), salt: salt, outputByteCount: 32, rounds: 1024, blockSize: 8, parallelism: 1)
        let hash = key.withUnsafeBytes { Data($0).base64EncodedString() }
        let signer = ES256PrivateKey()
        let access = Access(
            accounts: [
                "guard": .init(
                    password: try #require(Password("scrypt$1024$8$1$\(salt.base64EncodedString())$\(hash)")),
                    cameras: .all),
                "chief": .init(password: try #require(Password("other secret")), cameras: .all),
            ],
            tokens: try await ContentTokens(
                issuer: "operator", audience: "cvr",
                keys: [.init(kid: "one", algorithm: .es256, pem: signer.publicKey.pemRepresentation)]), isOpen: false)
        return (access, try await TestClaims(asset: "*").signed(signer, kid: "one"))
    }

    @Test("whoever guesses is stopped, with the right password too, and nobody else is", arguments: ["guard", "chief"])
    func guesses(name: String) async throws {
        let site = try await recorded()
        let (access, token) = try await guarded()
        let passwords = ["guard": "long secret", "chief": "other secret"]
        let other = name == "guard" ? "chief" : "guard"
        try await ServedSite.run(try site.archive(Self.cameras), access: access) { served in
            let ask = { @Sendable (name: String, password: String) in
                try await served.get("/cameras", [basic(name, password)]).status
            }
            // A page's first requests come all at once, and later ones without an end.
            let first = try await Self.atOnce(30) { _ in try await ask(name, passwords[name] ?? "") }
            #expect(Set(first) == [200])
            for _ in 0..<12 { #expect(try await ask(name, passwords[name] ?? "") == 200) }
            let begin = ContinuousClock.now
            let guessed = try await Self.atOnce(60) { try await ask(name, "guess \($0)") }
            let refilled = Int((ContinuousClock.now - begin) / .seconds(5))
            #expect((1...10 + refilled).contains(guessed.count { $0 == 401 }), "\(guessed)")
            #expect(Set(guessed).isSubset(of: [401, 429, 503]) && guessed.contains(429))
            // A new attempt may come between two requests, once in five seconds.
            var isLocked = false
            for round in 0..<5 where !isLocked {
                for attempt in 0..<12 where try await ask(name, "guess \(round) \(attempt)") == 429 { break }
                isLocked = try await ask(name, passwords[name] ?? "") == 429
            }
            #expect(isLocked)
            #expect(try await ask(other, passwords[other] ?? "") == 200)
            for _ in 0..<12 {
                #expect(try await served.get("/cameras", [("Authorization", "Bearer x.y.z")]).status == 401)
            }
            #expect(try await served.get("/cameras?token=\(token)").status == 200)
        }
    }

    private static func atOnce(_ count: Int, _ body: @escaping @Sendable (Int) async throws -> Int) async throws
        -> [Int]
    {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<count { group.addTask { try await body(index) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    @Test("many addresses guess no faster than some, and lock out nobody who was there before")
    func distributedGuesses() async throws {
        let site = try await recorded()
        let access = Access(
            accounts: [
                "guard": .init(password: try #require(Password("long secret")), cameras: .all),
                "chief": .init(password: try #require(Password("other secret")), cameras: .all),
            ], isOpen: false)
        try await ServedSite.run(
            try site.archive(Self.cameras), access: access, clock: TestClock(speed: 0).server, proxies: ["127.0.0.1"]
        ) { served in
            let ask = { (address: String, name: String, password: String) in
                try await served.get("/cameras", [basic(name, password), ("X-Forwarded-For", address)]).status
            }
            #expect(try await ask("192.0.2.1", "guard", "long secret") == 200)
            // All networks of a site are one place.
            for network in 0..<12 {
                let status = try await ask("2001:db8:0:\(network)::1", "guard", "guess \(network)")
                #expect(status == (network < 10 ? 401 : 429))
            }
            for host in 0..<100 {
                let status = try await ask("198.51.100.\(host)", "guard", "guess of \(host)")
                #expect(status == (host < 90 ? 401 : 429), "\(host)")
            }
            #expect(try await ask("203.0.113.1", "guard", "long secret") == 429)
            for _ in 0..<12 { #expect(try await ask("192.0.2.1", "guard", "long secret") == 200) }
            #expect(try await ask("203.0.113.1", "chief", "other secret") == 200)
        }
    }

    @Test("a server without accounts takes no notice of another one's cookie, and answers to no other name")
    func open() async throws {
        let site = try await recorded()
        try await ServedSite.run(try site.archive(Self.cameras), access: .open) { served in
            for (field, value) in [
                ("Cookie", "token=of-another-server"), ("Authorization", "Bearer stale"), ("Authorization", "Basic ?"),
            ] {
                for _ in 0..<12 {
                    #expect(try await served.get("/cameras", [(field, value)]).status == 200, "\(value)")
                }
            }
            #expect(try await served.get("/cameras?signature=no").status == 401)
            for host in ["localhost", "localhost:\(served.port)", "127.0.0.1", "[::1]:8480", "LocalHost:1"] {
                #expect(try await served.get("/cameras", [("Host", host)]).status == 200, "\(host)")
            }
            for host in ["evil.example", "evil.example:\(served.port)", "127.0.0.1.evil.example", "localhost.evil"] {
                let answer = try await served.get("/cameras", [("Host", host)])
                #expect(answer.status == 421 && ServedSite.code(answer) == "misdirected", "\(host)")
            }
        }
    }

    @Test("a token in the page's address is enough to open the page")
    func page() async throws {
        let site = try await recorded()
        let (access, token) = try await guarded()
        try await ServedSite.run(
            try site.archive(Self.cameras), access: Access(tokens: access.tokens, isOpen: false)
        ) { served in
            #expect(try await served.get("/").status == 401)
            let page = try await served.get("/?token=\(token)")
            #expect(page.status == 200)
            let text = String(decoding: page.body, as: UTF8.self)
            let parts = text.matches(of: /(?:href|src)="(page\/[^"]+)"/).map { String($0.1) }
            #expect(parts.contains("page/app.js") && parts.contains("page/style.css"), "\(parts)")
            for part in parts { #expect(try await served.get("/" + part).status == 200, "\(part)") }
        }
    }

    @Test("a content token opens its assets, however it is sent")
    func tokens() async throws {
        let site = try await recorded()
        let key = ES256PrivateKey()
        let tokens = try await ContentTokens(
            issuer: "operator", audience: "cvr",
            keys: [.init(kid: "one", algorithm: .es256, pem: key.publicKey.pemRepresentation)])
        let access = Access(tokens: tokens, isOpen: false)
        try await ServedSite.run(try site.archive(Self.cameras), access: access) { served in
            let good = try await TestClaims(asset: "asset-front").signed(key, kid: "one")
            for path in Self.objects("front") {
                let query = path + (path.contains("?") ? "&" : "?") + "token=\(good)"
                #expect(try await served.get(query).status == 200, "\(path)")
                #expect(try await served.get(path, [("Authorization", "Bearer \(good)")]).status == 200, "\(path)")
                #expect(try await served.get(path, [("Cookie", "a=b; token=\(good)")]).status == 200, "\(path)")
            }
            for path in Self.objects("yard") {
                #expect(try await served.get(path, [("Cookie", "token=\(good)")]).status == 403, "\(path)")
            }
            // Addresses in answers carry it on.
            let list = try await served.get("/list?path=front&token=\(good)")
            #expect(String(decoding: list.body, as: UTF8.self).contains("token=\(good)"))
        }
    }

    @Test("who brings a token of ours at another time is told what the clock says", arguments: [true, false])
    func untimely(isEarly: Bool) async throws {
        let site = try await recorded()
        let key = ES256PrivateKey()
        let tokens = try await ContentTokens(
            issuer: "operator", audience: "cvr",
            keys: [.init(kid: "one", algorithm: .es256, pem: key.publicKey.pemRepresentation)])
        let access = Access(tokens: tokens, isOpen: false)
        try await ServedSite.run(try site.archive(Self.cameras), access: access) { served in
            let claims =
                isEarly
                ? TestClaims(nbf: 4_000_000_000, asset: "asset-front")
                : TestClaims(exp: 1_000_000, asset: "asset-front")
            let token = try await claims.signed(key, kid: "one")
            // Not counted as guesses: nobody who guesses has one.
            for _ in 0..<12 {
                let answer = try await served.get("/coverage?camera=front", [("Cookie", "token=\(token)")])
                let text = String(decoding: answer.body, as: UTF8.self)
                #expect(answer.status == 401 && text.contains("this server's clock says"), "\(text)")
                #expect(text.contains(isEarly ? "valid from 2096-10-02T07:06:40" : "valid to 1970-01-12T13:46:40"))
            }
        }
    }

    @Test("a token's or a signature's range is the only one that is served, to the fragment")
    func windows() async throws {
        let site = try await recorded()
        let key = SymmetricKey(size: .bits256)
        let access = Access(signing: key, isOpen: false)
        let (from, to) = (RecordedSite.start + .seconds(5), RecordedSite.start + .seconds(7))
        let signature = URLSignature(
            camera: try RecordedSite.name("front"), range: from..<to, expires: WallTime.current() + .seconds(60)
        ).text(key: key)
        try await ServedSite.run(try site.archive(Self.cameras), access: access) { served in
            let sign = "signature=\(signature)"
            let inside = "/ranges/front.mp4?from=2026-03-01T10:00:05Z&to=2026-03-01T10:00:07Z&"
            #expect(try await served.get(inside + sign).status == 200)
            let wider = try await served.get("/ranges/front.mp4?\(Self.range)&\(sign)")
            #expect(wider.status == 403 && ServedSite.code(wider) == "outsideWindow")
            #expect(try await served.get("/coverage?camera=yard&\(sign)").status == 403)
            #expect(try await served.get("/assets/asset-front/\(Self.media)?\(sign)").status == 403)
            // The second segment is within in part.
            let media = "/assets/asset-front/media/1.1.1772359204000/0.mp4"
            let rows = try site.archive().rows(
                .init(name: try RecordedSite.name("front"), asset: "asset-front"), from: from, to: to)
            let row = try #require(rows.first)
            let (first, last) = (row.media.fragments[1].offset, row.media.fragments[3].offset)
            for (bytes, status) in [
                ("0-\(row.media.initLength - 1)", 206), ("\(first)-\(last - 1)", 206), ("\(first)-\(last)", 403),
                ("\(first - 1)-\(last - 1)", 403), ("0-", 403),
            ] {
                #expect(
                    try await served.get("\(media)?\(sign)", [("Range", "bytes=\(bytes)")]).status == status, "\(bytes)"
                )
            }
            #expect(try await served.get("\(media)?\(sign)").status == 403)
        }
    }

    @Test("what lists footage answers for as much of a range as may be seen, and its media can be had")
    func wider() async throws {
        let site = try RecordedSite()
        try await site.record("h264-alaw", session: 1, at: 0, seconds: 12)
        let key = SymmetricKey(size: .bits256)
        let (from, to) = (RecordedSite.start + .milliseconds(2500), RecordedSite.start + .milliseconds(6500))
        let sign =
            "signature="
            + URLSignature(
                camera: try RecordedSite.name("front"), range: from..<to, expires: WallTime.current() + .seconds(60)
            ).text(key: key)
        let previews = Previews(.init(program: Repository.binaries + "/cvr-preview"))
        try await ServedSite.run(
            try site.archive(), access: Access(signing: key, isOpen: false), hooks: ServerHooks(previews: previews)
        ) { served in
            let range = "from=2026-03-01T09:00:00Z&to=2026-03-01T11:00:00Z"
            for path in ["/coverage?camera=front&\(range)", "/gaps?camera=front&\(range)"] {
                let answer = try await served.get("\(path)&\(sign)")
                let text = String(decoding: answer.body, as: UTF8.self)
                #expect(answer.status == 200, "\(path): \(text)")
                for time in text.matches(of: /"2026[^"]+"/).compactMap({
                    WallTime(rfc3339: $0.output.dropFirst().dropLast())
                }) {
                    #expect(from <= time && time <= to, "\(path): \(text)")
                }
            }
            #expect(try await served.get("/segments?camera=front&\(range)&\(sign)").status == 200)
            let list = try await served.get("/list?path=front&start=2026-03-01T09:00:00Z&\(sign)")
            let clip = try #require(
                String(decoding: list.body, as: UTF8.self).firstMatch(of: /http:\/\/[^\/]+([^"]+)/))
            #expect(try await served.get(String(clip.output.1)).status == 200, "\(clip.output.1)")
            for other in ["to=2026-03-01T10:00:02Z", "from=2026-03-01T10:00:07Z"] {
                let answer = try await served.get("/coverage?camera=front&\(other)&\(sign)")
                #expect(answer.status == 403 && ServedSite.code(answer) == "outsideWindow")
            }
            try await playable(served, sign)
        }
    }

    /// Each chunk of a manifest of more than may be seen, with its init part and its sound, may be had.
    private func playable(_ served: ServedSite, _ sign: String) async throws {
        let times = "startTime=2026-03-01T09:50:00Z,endTime=2026-03-01T10:02:00Z"
        let whole = "/assets/asset-front/manifest(format=m3u8-cmaf,\(times)).m3u8?\(sign)"
        // That of the picture, beside a rendition of its sound.
        let variant = try #require(
            String(decoding: try await served.get(whole).body, as: UTF8.self)
                .firstMatch(of: /#EXT-X-STREAM-INF[^\n]*\n([^\n]+)/))
        let path = try ServedSite.path(of: variant.output.1, in: whole)
        let manifest = try await served.get(path)
        let text = String(decoding: manifest.body, as: UTF8.self)
        #expect(manifest.status == 200, "\(text)")
        let chunks = text.matches(of: /#EXT-X-BYTERANGE:(\d+)@(\d+)\n(?:#[^\n]*\n)*([^\n#]+)/)
        #expect(!chunks.isEmpty, "\(text)")
        for (index, chunk) in chunks.enumerated() {
            let (length, start) = (try #require(Int(chunk.output.1)), try #require(Int(chunk.output.2)))
            let url = try ServedSite.path(of: chunk.output.3, in: path)
            let bytes = ("Range", "bytes=\(start)-\(start + length - 1)")
            #expect(try await served.get(url, [bytes]).status == 206, "\(url) \(bytes)")
            let sound = url.replacing("/media/", with: "/sound/") + "&from=\(start)&to=\(start + length)"
            #expect(try await served.get(sound).status == 200, "\(sound)")
            // What may be heard begins with the key before the time, which is not the segment's first.
            let before = url.replacing("/media/", with: "/sound/") + "&from=0&to=\(start + length)"
            #expect(try await served.get(before).status == (index == 0 ? 403 : 200), "\(before)")
        }
    }

    @Test("a signature that was changed or is over opens nothing")
    func badSignatures() async throws {
        let site = try await recorded()
        let key = SymmetricKey(size: .bits256)
        let (from, to) = (RecordedSite.start + .seconds(5), RecordedSite.start + .seconds(7))
        let signature = URLSignature(
            camera: try RecordedSite.name("front"), range: from..<to, expires: WallTime.current() + .seconds(60)
        ).text(key: key)
        let access = Access(signing: key, isOpen: false)
        try await ServedSite.run(try site.archive(Self.cameras), access: access) { served in
            let inside = "/ranges/front.mp4?from=2026-03-01T10:00:05Z&to=2026-03-01T10:00:07Z&"
            #expect(try await served.get(inside + "signature=\(signature)").status == 200)
            let forged = signature.replacing("front", with: "yard")
            let longer = signature.replacing(".\(to.microseconds / 1000).", with: ".\(to.microseconds / 1000 + 1).")
            let (head, mac) = (signature.split(separator: ".").dropLast().joined(separator: "."), signature.suffix(43))
            for bad in [
                forged, longer, "front.1.2.3.AAAA", "", String(signature.dropLast()), head + ".",
                "\(head).\(mac)\(mac)",
            ] {
                #expect(try await served.get("/coverage?camera=front&signature=\(bad)").status == 401, "\(bad)")
            }
            let expired = URLSignature(
                camera: try RecordedSite.name("front"), range: from..<to, expires: RecordedSite.start
            ).text(key: key)
            #expect(try await served.get(inside + "signature=\(expired)").status == 401)
        }
    }
}
