import Footage
import Foundation
import HTTP
import Playback
import Recording
import Synchronization
import TestSupport
import Testing

/// LVA's addresses, served, and played by ffmpeg.
@Suite("Playback: manifests", .serialized) struct ManifestTests {
    @Test("every manifest plays every frame, over segments, sessions and a gap")
    func plays() async throws {
        let site = try RecordedSite()
        let clip = try await EncodedClip()
        try site.record(clip, segments: 3, length: 7)
        try site.record(clip, session: 2, anchor: RecordedSite.start + .seconds(60), segments: 2, length: 5)
        try await ServedSite.run(try site.archive()) { served in
            let asset = "/assets/asset-front/"
            for format in ["m3u8-cmaf", "m3u8-aapl", "mpd-time-cmaf"] {
                let manifest = "\(served.base)\(asset)manifest(format=\(format))"
                #expect(try await Player.frames(manifest) == 31 * 25, "\(format)")
                let part = "manifest(format=\(format),startTime=2026-03-01T10:00:07Z,endTime=2026-03-01T10:01:03Z)"
                #expect(try await Player.frames(served.base + asset + part) == (14 + 3) * 25, "\(format)")
            }
            // As browsers encode it.
            let encoded = try await served.get(asset + "manifest%28format=m3u8-cmaf%29.m3u8")
            #expect(encoded.status == 200 && encoded["content-type"] == "application/vnd.apple.mpegurl")
            let empty = try await served.get(
                asset + "manifest(format=m3u8-cmaf,startTime=2026-03-01T10:00:30Z,endTime=2026-03-01T10:00:40Z)")
            #expect(empty.status == 404 && ServedSite.code(empty) == "noFootage")
            let wrong = try await served.get(asset + "manifest(format=flv)")
            #expect(wrong.status == 400 && ServedSite.code(wrong) == "invalidParameter")
            let media = try await served.get(
                asset + "availableMedia?precision=full&startTime=2026-03-01T00:00:00Z&endTime=2026-03-02T00:00:00Z")
            #expect(
                String(decoding: media.body, as: UTF8.self) == """
                    {"timeRanges":[{"end":"2026-03-01T10:00:21.000Z","start":"2026-03-01T10:00:00.000Z"},\
                    {"end":"2026-03-01T10:01:10.000Z","start":"2026-03-01T10:01:00.000Z"}]}
                    """)
        }
    }

    @Test("a camera's sound that browsers do not play is named", arguments: [("h264-aac", false), ("h264-alaw", true)])
    func sound(clip: String, isTranscoded: Bool) async throws {
        struct Answer: Decodable {
            struct Camera: Decodable { let codecs: String, transcodedSound: Bool }
            let cameras: [Camera]
        }
        let site = try RecordedSite()
        try await site.record(clip, session: 1, at: 0, seconds: 4)
        try await ServedSite.run(try site.archive()) { served in
            let answer = try JSONDecoder().decode(Answer.self, from: Data(try await served.get("/cameras").body))
            let camera = try #require(answer.cameras.first)
            #expect(camera.transcodedSound == isTranscoded, "\(camera.codecs)")
        }
    }

    @Test("a camera that fell silent inside of a segment: two ranges, and every picture plays")
    func hole() async throws {
        let site = try RecordedSite()
        let clip = try await EncodedClip()
        let segment = try GrowingSegment(site, clip, counter: 0, second: 0)
        for second in [0, 1, 2, 10, 11, 12] { try segment.append(second: second) }
        try segment.close()
        try site.tell(
            Gap(
                from: RecordedSite.start + .seconds(3), to: RecordedSite.start + .seconds(10), reason: .networkLoss,
                detail: ""))
        try await ServedSite.run(try site.archive()) { served in
            let asset = "/assets/asset-front/"
            let media = try await served.get(
                asset + "availableMedia?precision=full&startTime=2026-03-01T00:00:00Z&endTime=2026-03-02T00:00:00Z")
            #expect(
                String(decoding: media.body, as: UTF8.self) == """
                    {"timeRanges":[{"end":"2026-03-01T10:00:03.000Z","start":"2026-03-01T10:00:00.000Z"},\
                    {"end":"2026-03-01T10:00:13.000Z","start":"2026-03-01T10:00:10.000Z"}]}
                    """)
            for format in ["m3u8-cmaf", "mpd-time-cmaf"] {
                #expect(try await Player.frames("\(served.base)\(asset)manifest(format=\(format))") == 6 * 25)
            }
            let playlist = try await served.get(asset + "manifest(format=m3u8-cmaf)")
            #expect(String(decoding: playlist.body, as: UTF8.self).contains("#EXT-X-DISCONTINUITY\n"))
            let clip = "/get?path=front&start=2026-03-01T10:00:00Z&duration=20"
            #expect(try await Player.frames(served.base + clip) == 3 * 25)
            #expect(try await Player.frames(served.base + clip + "&gap=skip") == 6 * 25)
        }
    }

    @Test("pictures between a silence and the next key: a file has and plays them, a manifest goes on with the key")
    func beforeTheKey() async throws {
        let site = try RecordedSite()
        let segment = try GrowingSegment(
            site, try await EncodedClip(hasSound: false, keyEvery: 100), counter: 0, second: 0)
        // Three seconds and the fourth, after a silence, of one group of pictures, and the next group.
        for second in [0, 1, 2, 11, 12, 13] { try segment.append(second: second) }
        try segment.close()
        try await ServedSite.run(try site.archive()) { served async throws in
            let range = { (from: String) in "\(served.base)/ranges/front.mp4?from=\(from)&to=2026-03-01T10:01:00Z" }
            #expect(try await Player.frames(range("2026-03-01T10:00:00Z")) == 6 * 25)
            // What begins in the silence, or before that key, begins with it.
            #expect(try await Player.frames(range("2026-03-01T10:00:05Z")) == 2 * 25)
            #expect(try await Player.frames(range("2026-03-01T10:00:11.5Z")) == 2 * 25)
            for format in ["m3u8-cmaf", "mpd-time-cmaf"] {
                let manifest = "\(served.base)/assets/asset-front/manifest(format=\(format))"
                #expect(try await Player.frames(manifest) == 5 * 25, "\(format)")
            }
        }
    }

    @Test("a segment that is whole, and has not its final name yet, is served as it is ever after")
    func closing() async throws {
        let site = try RecordedSite()
        let clip = try await EncodedClip()
        try site.record(clip, segments: 1, length: 6)
        let segment = try GrowingSegment(site, clip, counter: 1, second: 6)
        for second in 6..<12 { try segment.append(second: second) }
        try segment.finish()
        try await ServedSite.run(try site.archive()) { served in
            let asset = "/assets/asset-front/"
            let playlist = try await served.get(asset + "manifest(format=m3u8-cmaf)")
            let lines = String(decoding: playlist.body, as: UTF8.self).split(separator: "\n")
            let media = asset + (try #require(lines.last { $0.hasPrefix("media/") }))
            let before = try await served.get(media)
            #expect(before.status == 200 && media.contains("/1.1."), "\(media): \(ServedSite.code(before))")
            try segment.rename()
            let after = try await served.get(media)
            #expect(after.status == 200 && after.body == before.body && after["etag"] == before["etag"])
        }
    }

    @Test("while its camera is away a live manifest stays the list that it is, and is ended at last")
    func away() async throws {
        let site = try RecordedSite()
        let clip = try await EncodedClip()
        let segment = try GrowingSegment(site, clip, counter: 0, second: 0)
        for second in 0..<8 { try segment.append(second: second) }
        let clock = Mutex(RecordedSite.start + .seconds(10))
        try await ServedSite.run(try site.archive { clock.withLock(\.self) }) { served in
            func text(_ fields: String) async throws -> String {
                let answer = try await served.get("/assets/asset-front/manifest(format=m3u8-cmaf\(fields))")
                return String(decoding: answer.body, as: UTF8.self)
            }
            let start = ",startTime=2026-03-01T10:00:00Z"
            let (sliding, event) = (try await text(""), try await text(start))
            #expect(!sliding.contains("TYPE") && event.contains("#EXT-X-PLAYLIST-TYPE:EVENT\n"))
            #expect(!sliding.contains("ENDLIST") && !event.contains("ENDLIST"))
            clock.withLock { $0 = $0 + .seconds(3 * 3600) }
            #expect(try await text("") == sliding)
            #expect(try await text(start) == event)
            try segment.close()
            clock.withLock { $0 = $0 + .seconds(2 * 3600) }
            for (before, fields) in [(sliding, ""), (event, start)] {
                let now = try await text(fields)
                #expect(now.hasPrefix(before) && now.hasSuffix("#EXT-X-ENDLIST\n"), "\(now)")
            }
        }
    }

    @Test(
        "a server that was started again goes on with a live manifest of a camera that is away, with no lower numbers")
    func restarted() async throws {
        let site = try RecordedSite()
        let clip = try await EncodedClip()
        try site.record(clip, segments: 2, length: 4)
        try site.record(clip, session: 2, anchor: RecordedSite.start + .seconds(20), segments: 2, length: 4)
        let clock = Mutex(RecordedSite.start + .seconds(30))
        let archive = try site.archive { clock.withLock(\.self) }
        let start = ",startTime=2026-03-01T10:00:00Z"
        var before: [Int64] = [0, 0]
        for (moment, isLive) in [(30, true), (330, true), (900, false)] as [(Int64, Bool)] {
            clock.withLock { $0 = RecordedSite.start + .seconds(moment) }
            before = try await numbers(archive, before, start, isLive)
        }
    }

    /// What a server that has just begun lists: media and discontinuity sequence, none lower than `before` while it is live.
    private func numbers(
        _ archive: Archive, _ before: [Int64], _ start: String, _ isLive: Bool
    ) async throws -> [Int64] {
        let found = Mutex<[Int64]>([])
        try await ServedSite.run(archive) { served in
            for fields in [start, ""] {
                let answer = try await served.get("/assets/asset-front/manifest(format=m3u8-cmaf\(fields))")
                let text = String(decoding: answer.body, as: UTF8.self)
                #expect(text.contains("#EXT-X-ENDLIST") == !isLive && text.contains("TYPE:VOD") == !isLive, "\(text)")
                let numbers = text.matches(of: /SEQUENCE:(\d+)/).compactMap { Int64($0.output.1) }
                found.withLock { $0 = numbers }
            }
        }
        let numbers = found.withLock(\.self)
        if isLive { #expect(numbers.count == 2 && zip(numbers, before).allSatisfy { $0 >= $1 && $0 > 1_700_000_000 }) }
        return numbers
    }

    @Test("the server says what cvrctl says, and what its hooks give, over TLS too")
    func listings() async throws {
        let site = try RecordedSite()
        try site.record(try await EncodedClip(), segments: 2, length: 4)
        let certificate = try await Certificate(in: site.folder)
        let hooks = ServerHooks(
            metrics: { _ in "cvr_up 1\n" },
            page: { $0 == "" ? .init(type: "text/html; charset=utf-8", bytes: Array("<p>".utf8)) : nil })
        try await ServedSite.run(try site.archive(), hooks: hooks, tls: certificate) { served in
            struct Coverage: Decodable {
                let recorded: Double
                let percent: Double
            }
            let range = "camera=front&from=2026-03-01T10:00:00Z&to=2026-03-01T10:00:16Z"
            let coverage = try JSONDecoder().decode(
                Coverage.self, from: Data(try await served.get("/coverage?\(range)").body))
            #expect(abs(coverage.recorded - 8) < 0.1 && abs(coverage.percent - 50) < 1)
            struct Segment: Decodable { let key: String }
            let segments = try JSONDecoder().decode(
                [Segment].self, from: Data(try await served.get("/segments?\(range)").body))
            #expect(segments.count == 2)
            #expect(String(decoding: try await served.get("/metrics").body, as: UTF8.self) == "cvr_up 1\n")
            let page = try await served.get("/")
            #expect(page.status == 200 && page["strict-transport-security"] != nil)
            let tag = try #require(page["etag"])
            #expect(try await served.get("/", [("If-None-Match", tag)]).status == 304)
            #expect(try await served.get("/page/other.js").status == 404)
        }
    }
}
