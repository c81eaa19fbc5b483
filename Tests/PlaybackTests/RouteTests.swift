import Crypto
import Footage
import Foundation
import HTTP
import JWTKit
import Playback
import Recording
import TestSupport
import Testing

/// Every address that the server has, as its router lists them, for visitors who may see one camera of two.
@Suite("Playback: every route", .serialized) struct RouteTests {
    private static let cameras = ["front", "yard"]
    private static let range = "from=2026-03-01T10:00:00Z&to=2026-03-01T10:00:08Z"
    private static let segment = "1.0.1772359200000/0.mp4"

    /// What is of no camera, and is answered to everybody or to whoever may see something.
    private static let common: Set<String> = ["/", "/page/{name}", "/healthz", "/cameras"]
    /// What is of all cameras.
    private static let whole: Set<String> = ["/metrics"]

    /// What says what there is, and may say that there is nothing; all else of a camera is media, or leads to them.
    private static let listings = ["/coverage", "/gaps", "/segments", "/list", "availableMedia"]

    /// By pattern, how one asks for a camera's.
    ///
    /// A route that is not here fails the test: it may be about somebody's footage.
    private static func addresses(_ camera: String) -> [String: [String]] {
        let manifests = ["m3u8-aapl", "m3u8-cmaf", "mpd-time-cmaf"].map { "manifest(format=\($0))" }
        let questions = ["availableMedia?precision=year"] + manifests
        return [
            "/coverage": ["/coverage?camera=\(camera)"], "/gaps": ["/gaps?camera=\(camera)"],
            "/segments": ["/segments?camera=\(camera)"], "/list": ["/list?path=\(camera)"],
            "/ranges/{file}": ["/ranges/\(camera).mp4?\(range)"],
            "/get": ["/get?path=\(camera)&start=2026-03-01T10:00:00Z&duration=3"],
            "/export/{camera}": ["/export/\(camera)?\(range)"],
            "/assets/{asset}/{question}": questions.map { "/assets/asset-\(camera)/\($0)" },
            "/assets/{asset}/media/{segment}/{file}": ["/assets/asset-\(camera)/media/\(segment)"],
            "/assets/{asset}/sound/{segment}/{file}": ["/assets/asset-\(camera)/sound/\(segment)?from=0&to=1000000"],
            "/preview/{file}": ["/preview/\(camera).jpg?time=2026-03-01T10:00:02Z&width=160"],
            "/live/streams": ["/live/streams?camera=\(camera)"],
            "/live/{camera}/stream.mp4": ["/live/\(camera)/stream.mp4"],
            "/live/{camera}/index.m3u8": ["/live/\(camera)/index.m3u8"],
            "/sign": ["/sign?camera=\(camera)&\(range)"],
        ]
    }

    private func recorded() async throws -> RecordedSite {
        let site = try RecordedSite(cameras: Self.cameras)
        let clip = try await EncodedClip(seconds: 1)
        for camera in Self.cameras {
            try site.record(clip, camera: camera, segments: 2, length: 4)
            try GrowingSegment(site, clip, camera: camera, counter: 2, second: 8).append(second: 8)
        }
        return site
    }

    /// For each kind of credential that opens the camera `front`, what a request has to say.
    private struct Visitors: Sendable {
        let access: Access
        let opening: [(name: String, headers: [(name: String, value: String)], query: String)]

        init() async throws {
            let key = ES256PrivateKey()
            let signing = SymmetricKey(size: .bits256)
            access = Access(
                accounts: ["guard": .init(password: try #require(Password("secret")), cameras: .named(["front"]))],
                tokens: try await ContentTokens(
                    issuer: "operator", audience: "cvr",
                    keys: [.init(kid: "one", algorithm: .es256, pem: key.publicKey.pemRepresentation)]),
                signing: signing, isOpen: false)
            let basic = "Basic " + Data("guard:secret".utf8).base64EncodedString()
            let token = try await TestClaims(asset: "asset-front").signed(key, kid: "one")
            let signature = URLSignature(
                camera: try RecordedSite.name("front"), range: .always, expires: WallTime.current() + .seconds(60)
            ).text(key: signing)
            opening = [
                ("account", [("Authorization", basic)], ""), ("token", [("Authorization", "Bearer \(token)")], ""),
                ("token in a query", [], "token=\(token)"), ("token in a cookie", [("Cookie", "token=\(token)")], ""),
                ("signature", [], "signature=\(signature)"),
            ]
        }
    }

    @Test("each is known here, and denies another's camera to whoever asks, by GET and by HEAD")
    func authorised() async throws {
        let site = try await recorded()
        let visitors = try await Visitors()
        try await ServedSite.run(
            try site.archive(Self.cameras, now: RecordedSite.start + .seconds(12)), access: visitors.access
        ) { served in
            let patterns = Set(served.server.paths)
            let known = Set(Self.addresses("front").keys).union(Self.common).union(Self.whole)
            #expect(patterns.subtracting(known).sorted() == [], "routes without a line in this test")
            #expect(known.subtracting(patterns).sorted() == [], "lines of routes that are gone")
            for (visitor, headers, query) in visitors.opening {
                let ask = { (path: String, method: String) in
                    let joined = query.isEmpty ? path : path + (path.contains("?") ? "&" : "?") + query
                    return try await served.get(joined, headers, method: method).status
                }
                for method in ["GET", "HEAD"] {
                    for path in Self.addresses("yard").values.joined() {
                        #expect(try await ask(path, method) == 403, "\(visitor): \(method) \(path)")
                    }
                    #expect(try await ask("/metrics", method) == 403, "\(visitor)")
                    #expect(try await ask("/cameras", method) == 200, "\(visitor)")
                }
                for path in Self.addresses("front").values.joined() where !path.hasPrefix("/sign") {
                    let status = try await ask(path, "HEAD")
                    #expect(![401, 403].contains(status), "\(visitor): \(path): \(status)")
                }
            }
            for path in Self.addresses("front").values.joined() + ["/", "/cameras", "/metrics"] {
                #expect(try await served.get(path).status == 401, "\(path)")
            }
            for path in ["/healthz", "/page/app.js"] { #expect(try await served.get(path).status == 200) }
        }
    }

    @Test("nothing outside of a token's time is served, by any route that is about times")
    func windows() async throws {
        let site = try await recorded()
        let key = ES256PrivateKey()
        let tokens = try await ContentTokens(
            issuer: "operator", audience: "cvr",
            keys: [.init(kid: "one", algorithm: .es256, pem: key.publicKey.pemRepresentation)])
        let token = try await TestClaims(
            asset: "asset-front", startTime: "2026-02-01T00:00:00Z", endTime: "2026-02-02T00:00:00Z"
        ).signed(key, kid: "one")
        try await ServedSite.run(
            try site.archive(Self.cameras, now: RecordedSite.start + .seconds(12)),
            access: Access(tokens: tokens, isOpen: false)
        ) {
            served in
            for path in Self.addresses("front").values.joined() {
                let answer = try await served.get(path, [("Authorization", "Bearer \(token)")])
                let text = String(decoding: answer.body, as: UTF8.self)
                // What is asked without times is answered as if there were nothing else.
                let isEmpty =
                    Self.listings.contains { path.contains($0) } && answer.status == 200
                    && answer["content-type"] == "application/json" && !text.contains("2026-03-01")
                #expect([403, 404].contains(answer.status) || isEmpty, "\(path): \(answer.status) \(text.prefix(200))")
            }
        }
    }
}
