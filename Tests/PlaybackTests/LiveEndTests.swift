import Crypto
import Footage
import Foundation
import HTTP
import JWTKit
import Playback
import Recording
import TestSupport
import Testing

/// When what is sent live ends, or never begins.
@Suite("Playback: ends of live video", .serialized) struct LiveEndTests {
    /// What of a visitor's right to see the present is over in a minute.
    enum Ending: String, CaseIterable, Sendable {
        case token, tokenWindow, signature, signatureWindow

        var reason: String { [.token, .signature].contains(self) ? "unauthorized" : "outsideWindow" }
    }

    private struct Visitors {
        let access: Access
        private let signer = ES256PrivateKey()
        private let signing = SymmetricKey(size: .bits256)

        init() async throws {
            access = Access(
                tokens: try await ContentTokens(
                    issuer: "operator", audience: "cvr",
                    keys: [.init(kid: "one", algorithm: .es256, pem: signer.publicKey.pemRepresentation)]),
                signing: signing, isOpen: false)
        }

        /// The query of one whose visit is over after `soon`.
        func query(_ ending: Ending, soon: WallTime) async throws -> String {
            switch ending {
            case .token:
                let claims = TestClaims(exp: Int(soon.microseconds / 1_000_000), asset: "asset-front")
                return "token=" + (try await claims.signed(signer, kid: "one"))
            case .tokenWindow:
                let claims = TestClaims(asset: "asset-front", endTime: soon.rfc3339)
                return "token=" + (try await claims.signed(signer, kid: "one"))
            case .signature: return try signature(to: soon + .seconds(3600), expires: soon)
            case .signatureWindow: return try signature(to: soon, expires: soon + .seconds(3600))
            }
        }

        func signature(to: WallTime, expires: WallTime) throws -> String {
            let signature = URLSignature(
                camera: try RecordedSite.name("front"), range: .earliest..<to, expires: expires)
            return "signature=" + signature.text(key: signing)
        }
    }

    @Test("it ends with the token or the signature that opened it, and for nobody else", arguments: Ending.allCases)
    func visits(ending: Ending) async throws {
        let site = try RecordedSite()
        let clip = try await EncodedClip()
        let growing = try GrowingSegment(site, clip, counter: 0, second: 0)
        try growing.append(second: 0)
        let clock = TestClock()
        let visitors = try await Visitors()
        try await ServedSite.run(
            try site.archive(now: RecordedSite.start + .seconds(10)), access: visitors.access, clock: clock.server
        ) { served in
            let soon = clock.now + .seconds(60)
            let short = try await visitors.query(ending, soon: soon)
            let long = try visitors.signature(to: soon + .seconds(3600), expires: soon + .seconds(3600))
            let received = Received()
            async let film = served.stream("/live/front/stream.mp4?" + short, into: received)
            try await received.growth(beyond: 0)
            var streams: [LiveFrames] = []
            for query in [short, long] {
                var frames = LiveFrames(try RawConnection(port: served.port), "camera=front&" + query)
                #expect(try await frames.next().kind == "i")
                #expect(try await frames.next().kind == "f")
                streams.append(frames)
            }
            clock.skip(.seconds(61))
            try growing.append(second: 1)
            let end = try await streams[0].next()
            #expect(end.kind == "e" && end.text == ending.reason, "\(end.kind) \(end.text.prefix(40))")
            #expect(try await streams[1].next().kind == "f")
            #expect(try await film.status == 200)
            let file = site.folder + "/live.mp4"
            try Data(received.bytes).write(to: URL(filePath: file))
            #expect(try await Player.frames(file) == 25, "nothing of what came later")
            let again = try await served.get("/live/front/stream.mp4?" + short)
            #expect(ServedSite.code(again) == ending.reason)
        }
    }

    @Test("a camera that went away is not live for who comes, whoever else still waits for it")
    func away() async throws {
        let site = try RecordedSite()
        let clip = try await EncodedClip()
        let growing = try GrowingSegment(site, clip, counter: 0, second: 0)
        try growing.append(second: 0)
        let clock = TestClock(speed: 20)
        try await ServedSite.run(
            try site.archive(now: RecordedSite.start + .seconds(10)), clock: clock.server
        ) { served in
            var waiting = LiveFrames(try RawConnection(port: served.port), "camera=front")
            #expect(try await waiting.next().kind == "i")
            #expect(try await waiting.next().kind == "f")
            try growing.close()
            #expect(try await waiting.next().text == "notLive")
            let begin = clock.passed
            try await eventually("more than half a minute") { clock.passed - begin > .seconds(40) ? true : nil }
            try await Self.expectNotLive(served)
            var late = LiveFrames(try RawConnection(port: served.port), "camera=front")
            #expect(try await late.next().text == "notLive")
            // What comes then is live for both.
            try GrowingSegment(site, clip, counter: 1, second: 60).append(second: 60)
            for var frames in [waiting, late] {
                #expect(try await frames.next().kind == "i")
                let second = Int(RecordedSite.start.microseconds / 1_000_000) + 60
                #expect(try await frames.next().second == second)
            }
        }
    }

    @Test("a camera that is not recorded is not live, nor is what its worker left when it died")
    func notRecorded() async throws {
        for isLeft in [false, true] {
            let site = try RecordedSite()
            let clip = try await EncodedClip()
            try site.record(clip, segments: 1, length: 4)
            if isLeft { try GrowingSegment(site, clip, counter: 1, second: 4).append(second: 4) }
            try await ServedSite.run(
                try site.archive(now: RecordedSite.start + .seconds(86_400)), clock: TestClock(speed: 20).server
            ) { served in
                let cameras = try await served.get("/cameras")
                #expect(String(decoding: cameras.body, as: UTF8.self).contains("\"live\":false"))
                try await Self.expectNotLive(served)
            }
        }
    }

    private static func expectNotLive(_ served: ServedSite) async throws {
        async let film = served.get("/live/front/stream.mp4")
        async let list = served.get("/live/front/index.m3u8")
        for answer in [try await film, try await list] {
            #expect(answer.status == 503 && ServedSite.code(answer) == "notLive")
        }
    }
}
