import Footage
import Foundation
import FragmentedMP4
import HTTP
import Playback
import Recording
import TestSupport
import Testing

/// Several cameras' live fragments in one answer.
@Suite("Playback: live streams", .serialized) struct LiveStreamsTests {
    private static let cameras = ["front", "yard"]
    private static let second = Int(RecordedSite.start.microseconds / 1_000_000)

    private func archive(_ site: RecordedSite) throws -> Archive {
        try site.archive(Self.cameras, now: RecordedSite.start + .seconds(10))
    }

    @Test("each camera goes on as if it were alone, whatever becomes of another")
    func together() async throws {
        let site = try RecordedSite(cameras: Self.cameras)
        let clip = try await EncodedClip()
        let front = try GrowingSegment(site, clip, counter: 0, second: 0)
        let yard = try GrowingSegment(site, clip, camera: "yard", counter: 0, second: 0)
        try front.append(second: 0)
        try yard.append(second: 0)
        try await ServedSite.run(try archive(site)) { served in
            var frames = LiveFrames(
                try RawConnection(port: served.port), "camera=front&camera=yard&camera=nowhere")
            var films: [Int: [UInt8]] = [0: [], 1: []]
            var begins: [Int: Int] = [:]
            func take(_ frame: LiveFrames.Frame) {
                films[frame.camera, default: []] += frame.content
                if frame.kind == "i" { begins[frame.camera, default: 0] += 1 }
            }
            #expect(try await frames.next(of: 2).text == "noSuchCamera")
            for _ in 0..<4 { take(try await frames.next()) }
            #expect(begins == [0: 1, 1: 1])
            for second in 1..<3 {
                for segment in [front, yard] { try segment.append(second: second) }
                for _ in 0..<2 { take(try await frames.next()) }
            }
            try yard.close()
            let away = try await frames.next()
            #expect(away.camera == 1 && away.kind == "e" && away.text == "notLive")
            // It comes back as another film, and the first one goes on meanwhile.
            let other = try GrowingSegment(
                site, try await EncodedClip(size: "320x180"), camera: "yard", session: 2, counter: 0, second: 9)
            try other.append(second: 9)
            #expect(try await frames.next().kind == "i")
            #expect(try await frames.next().second == Self.second + 9)
            try front.append(second: 3)
            let last = try await frames.next()
            #expect(last.camera == 0 && last.kind == "f" && last.second == Self.second + 3)
            take(last)
            try await check(films, [0: 4, 1: 3], site)
        }
    }

    /// Each camera's bytes play by themselves, to the last of its seconds.
    private func check(_ films: [Int: [UInt8]], _ seconds: [Int: Int], _ site: RecordedSite) async throws {
        for (camera, seconds) in seconds {
            let file = site.folder + "/live-\(camera).mp4"
            try Data(films[camera] ?? []).write(to: URL(filePath: file))
            #expect(try await Player.frames(file) == seconds * 25)
        }
    }

    @Test("for a reader that is slow fragments pass by, and each camera goes on with its newest key")
    func slowly() async throws {
        let site = try RecordedSite(cameras: Self.cameras)
        let clip = try await EncodedClip(size: "1280x720", seconds: 2)
        let segments = try Self.cameras.map { try GrowingSegment(site, clip, camera: $0, counter: 0, second: 0) }
        for segment in segments { try segment.append(second: 0) }
        try await ServedSite.run(try archive(site)) { served in
            var frames = LiveFrames(
                try RawConnection(port: served.port, window: 4096), "camera=front&camera=yard")
            var films = [[UInt8]](repeating: [], count: 2)
            var seconds = [[Int]](repeating: [], count: 2)
            func take(_ frame: LiveFrames.Frame) {
                #expect(["i", "p", "f"].contains(frame.kind))
                films[frame.camera] += frame.content
                if let second = frame.second { seconds[frame.camera].append(second - Self.second) }
            }
            take(try await frames.next())
            let written = 60
            // Who reads at once sees that the server has taken up each of them.
            var quick = LiveFrames(try RawConnection(port: served.port, window: 1 << 20), "camera=front&camera=yard")
            for second in 1..<written {
                for (camera, segment) in segments.enumerated() {
                    try segment.append(second: second)
                    while try await quick.next(of: camera).second != Self.second + second {}
                }
            }
            while seconds.contains(where: { $0.last != written - 1 }) { take(try await frames.next()) }
            while films.contains(where: { $0.count < 1000 }) { take(try await frames.next()) }
            print("live: of \(written) fragments a slow reader got \(seconds.map(\.count))")
            for seconds in seconds {
                #expect(seconds.count < written - 5)
                #expect(seconds == seconds.sorted() && Set(seconds).count == seconds.count)
            }
        }
    }

    @Test("every camera is held against what the visitor may see")
    func access() async throws {
        let site = try RecordedSite(cameras: Self.cameras)
        let clip = try await EncodedClip()
        for camera in Self.cameras {
            try GrowingSegment(site, clip, camera: camera, counter: 0, second: 0).append(second: 0)
        }
        let access = Access(
            accounts: [
                "guard": .init(password: try #require(Password("long secret")), cameras: .named(["front"]))
            ], isOpen: false)
        let field = "Authorization: Basic " + Data("guard:long secret".utf8).base64EncodedString()
        try await ServedSite.run(try archive(site), access: access) { served in
            var frames = LiveFrames(
                try RawConnection(port: served.port), "camera=yard&camera=front&camera=nowhere", [field])
            for _ in 0..<4 {
                let frame = try await frames.next()
                if frame.camera == 1 {
                    #expect(["i", "f"].contains(frame.kind))
                } else {
                    #expect(frame.text == "forbidden")
                }
            }
            let header = ("Authorization", String(field.dropFirst(15)))
            let many = (0..<65).map { "camera=c\($0)" }.joined(separator: "&")
            for (query, status) in [
                ("camera=yard", 403), ("camera=nowhere", 403), ("", 400), ("camera=front&camera=front", 400),
                (many, 400),
            ] { #expect(try await served.get("/live/streams?" + query, [header]).status == status, "\(query)") }
            #expect(try await served.get("/live/streams?camera=front").status == 401)
        }
    }
}
