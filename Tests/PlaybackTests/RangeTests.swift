import Foundation
import HTTP
import Messages
import Playback
import Recording
import TestSupport
import Testing

/// Any range of footage as one file whose bytes are computed.
@Suite("Playback: ranges", .serialized) struct RangeTests {
    private static let path = "/ranges/front.mp4?from=2026-03-01T10:00:03Z&to=2026-03-01T10:00:17.5Z"

    /// Three segments of 6 s.
    private func recorded() async throws -> RecordedSite {
        let site = try RecordedSite()
        try site.record(try await EncodedClip(), segments: 3, length: 6)
        return site
    }

    @Test("files with other bytes have other tags: a track by itself is another file than both")
    func tags() async throws {
        let site = try RecordedSite()
        try site.record(try await EncodedClip(), segments: 1, length: 4)
        try await ServedSite.run(try site.archive()) { served in
            var tags: Set<String> = []
            var bodies: Set<[UInt8]> = []
            for file in ["0.mp4", "0.0.mp4", "0.1.mp4"] {
                let answer = try await served.get("/assets/asset-front/media/1.0.1772359200000/\(file)")
                tags.insert(try #require(answer["etag"]))
                bodies.insert(answer.body)
            }
            #expect(bodies.count == 3 && tags.count == 3)
        }
    }

    @Test("a range is what ffmpeg plays, and any part of it is that part of the whole")
    func parts() async throws {
        let site = try await recorded()
        try await ServedSite.run(try site.archive()) { served in
            let whole = try await served.get(Self.path)
            #expect(whole.status == 200 && whole["content-type"] == "video/mp4")
            #expect(whole["content-length"] == "\(whole.body.count)" && whole["accept-ranges"] == "bytes")
            let file = site.folder + "/whole.mp4"
            try Data(whole.body).write(to: URL(filePath: file))
            // 3 to 18 s: the fragment that holds the end is whole.
            #expect(try await Player.frames(file) == 15 * 25)

            var random = SeededRandom(seed: 7)
            for _ in 0..<60 {
                let first = Int.random(in: 0..<whole.body.count, using: &random)
                let last = Int.random(in: first..<min(whole.body.count, first + 90_000), using: &random)
                let part = try await served.get(Self.path, [("Range", "bytes=\(first)-\(last)")])
                #expect(part.status == 206 && part["content-range"] == "bytes \(first)-\(last)/\(whole.body.count)")
                #expect(part.body == Array(whole.body[first...last]), "\(first)-\(last)")
            }
            let tail = try await served.get(Self.path, [("Range", "bytes=-100")])
            #expect(tail.status == 206 && tail.body == Array(whole.body.suffix(100)))
            let open = try await served.get(Self.path, [("Range", "bytes=\(whole.body.count - 7)-")])
            #expect(open.status == 206 && open.body == Array(whole.body.suffix(7)))
        }
    }

    @Test("what HTTP says of conditions and of ranges that cannot be")
    func conditions() async throws {
        let site = try await recorded()
        try await ServedSite.run(try site.archive()) { served in
            let head = try await served.get(Self.path, method: "HEAD")
            let tag = try #require(head["etag"])
            let length = try #require(head["content-length"].flatMap { Int($0) })
            #expect(head.status == 200 && head.body.isEmpty && length > 10_000)
            #expect(try await served.get(Self.path, [("If-None-Match", tag)]).status == 304)
            let same = try await served.get(Self.path, [("Range", "bytes=0-9"), ("If-Range", tag)])
            #expect(same.status == 206 && same.body.count == 10)
            let other = try await served.get(Self.path, [("Range", "bytes=0-9"), ("If-Range", "\"other\"")])
            #expect(other.status == 200 && other.body.count == length)
            let beyond = try await served.get(Self.path, [("Range", "bytes=\(length)-")])
            #expect(beyond.status == 416 && beyond["content-range"] == "bytes */\(length)")
            for odd in ["bytes=9-3", "bytes=a-b", "bytes=", "items=0-1", "bytes=0-1,5-6", "bytes=--1"] {
                #expect(try await served.get(Self.path, [("Range", odd)]).status == 200, "\(odd)")
            }
            let download = try await served.get(Self.path + "&download=1", method: "HEAD")
            #expect(download["content-disposition"]?.contains("front_2026-03-01T10-00-03Z") == true)
            // Another footage of the same length is another tag.
            let later = Self.path.replacing(":03Z", with: ":04Z").replacing("17.5Z", with: "17.9Z")
            #expect(try await served.get(later, method: "HEAD")["etag"] != tag)
        }
    }

    @Test("MediaMTX's front ends find and play what there is; a gap ends a clip or is skipped")
    func clips() async throws {
        let site = try RecordedSite()
        let clip = try await EncodedClip()
        try site.record(clip, segments: 2, length: 5)
        try site.record(clip, session: 2, anchor: RecordedSite.start + .seconds(30), segments: 1, length: 5)
        try await ServedSite.run(try site.archive()) { served in
            struct Entry: Decodable {
                let start: String
                let duration: Double
                let url: String
            }
            let list = try await served.get("/list?path=front")
            let entries = try JSONDecoder().decode([Entry].self, from: Data(list.body))
            #expect(entries.map(\.duration) == [10, 5])
            #expect(entries.allSatisfy { $0.url.hasPrefix("\(served.base)/get?") })
            let behind = try await served.get(
                "/list?path=front", [("Host", "localhost:8443"), ("X-Forwarded-Proto", "https")])
            let forwarded = try JSONDecoder().decode([Entry].self, from: Data(behind.body))
            #expect(forwarded.allSatisfy { $0.url.hasPrefix("https://localhost:8443/get?") })
            for entry in entries { #expect(try await Player.frames(entry.url) == Int(entry.duration) * 25) }
            let get = served.base + "/get?path=front&start=2026-03-01T10:00:00Z&duration=60&format=mp4"
            #expect(try await Player.frames(get) == 250)
            #expect(try await Player.frames(get + "&gap=skip") == 375)
            let none = try await served.get("/get?path=front&start=2026-03-02T10:00:00Z&duration=60")
            #expect(none.status == 404 && ServedSite.code(none) == "noFootage")
        }
    }

    @Test("what is listed can be had: a stretch that is longer than the longest range is several entries")
    func longest() async throws {
        struct Entry: Decodable {
            let duration: Double
            let url: String
        }
        let site = try await recorded()
        var limits = ServerLimits()
        limits.range = .seconds(7)
        try await ServedSite.run(try site.archive(), limits: limits) { served async throws in
            let list = try await served.get("/list?path=front")
            let entries = try JSONDecoder().decode([Entry].self, from: Data(list.body))
            #expect(entries.map(\.duration) == [7, 7, 4])
            for entry in entries { #expect(try await Player.frames(entry.url) >= Int(entry.duration) * 25) }
            let longer = try await served.get("/get?path=front&start=2026-03-01T10:00:00Z&duration=7.1")
            #expect(longer.status == 400 && ServedSite.code(longer) == "badRequest")
        }
    }

    /// 125 pictures, and then 100 of another size.
    private func twoFormats() async throws -> RecordedSite {
        let site = try RecordedSite()
        try site.record(try await EncodedClip(), segments: 1, length: 5)
        try site.record(
            try await EncodedClip(size: "320x180"), session: 2, anchor: RecordedSite.start + .seconds(5), segments: 1,
            length: 4)
        return site
    }

    @Test("a range over a change of the picture's format names the ranges that can be had")
    func codecChange() async throws {
        let site = try await twoFormats()
        try await ServedSite.run(try site.archive()) { served in
            struct Conflict: Decodable {
                struct Span: Decodable {
                    let start: String
                    let end: String
                }
                let ranges: [Span]
            }
            let range = "from=2026-03-01T10:00:00Z&to=2026-03-01T10:01:00Z"
            let both = try await served.get("/ranges/front.mp4?\(range)")
            #expect(both.status == 409 && ServedSite.code(both) == "codecChange")
            let ranges = try JSONDecoder().decode(Conflict.self, from: Data(both.body)).ranges
            var frames: [Int] = []
            for span in ranges {
                frames.append(
                    try await Player.frames("\(served.base)/ranges/front.mp4?from=\(span.start)&to=\(span.end)"))
            }
            #expect(frames == [125, 100])
        }
    }

    @Test("an export says what each of its files will be, to the byte")
    func export() async throws {
        let site = try await twoFormats()
        try await ServedSite.run(try site.archive()) { served in
            let range = "from=2026-03-01T10:00:00Z&to=2026-03-01T10:01:00Z"
            let export = try await served.get("/export/front?\(range)")
            let files = try JSONDecoder().decode(ExportContents.self, from: Data(export.body)).ranges
            #expect(files.count == 2)
            for file in files {
                let got = try await served.get(ServedSite.path(of: file.url, in: "/export/front"))
                #expect(Int64(got.body.count) == file.bytes && got["etag"] == file.etag)
                #expect(file.segments.count == 1 && file.segments[0].bytes < file.bytes)
            }
        }
    }
}
