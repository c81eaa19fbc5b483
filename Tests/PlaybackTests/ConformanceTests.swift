import Foundation
import HTTP
import Playback
import Recording
import TestSupport
import Testing

/// Whatever form footage is served in, a reader that is not ours plays every picture and every sound that was recorded.
@Suite(
    "Playback: independent readers", .serialized, .timeLimit(.minutes(10)),
    .enabled(
        if: ProcessInfo.processInfo.environment["CVR_CONFORMANCE"] != nil, "contrib/test --all sets CVR_CONFORMANCE"))
struct ConformanceTests {
    private static let clips = [
        "h264-aac", "h264-bframes", "h264-video", "h264-alaw", "h264-ulaw", "h265-aac", "h265",
    ]

    /// Seconds 0 to 12, at once 4 to 12 by another session, and after a gap 0 to 8.
    private static let all = [0..<12, 4..<12, 0..<8]
    /// From 2.5 s to 35 s: the key before the start, and the whole fragment that holds the end.
    private static let part = [2..<12, 4..<12, 0..<5]
    private static let times = "2026-03-01T10:00:02.500Z/2026-03-01T10:00:35.000Z"

    private func withSite(
        _ clip: String, _ body: @Sendable (ServedSite, SourceClip) async throws -> Void
    ) async throws {
        let site = try RecordedSite()
        try await site.record(clip, session: 1, at: 0, seconds: 12)
        try await site.record(clip, session: 2, at: 12, from: 4, seconds: 8)
        try await site.record(clip, session: 3, at: 30, seconds: 8)
        let source = try await SourceClip(clip)
        let hooks = ServerHooks(previews: Previews(.init(program: Repository.binaries + "/cvr-preview")))
        try await ServedSite.run(try site.archive(), hooks: hooks) { try await body($0, source) }
    }

    private func expect(_ input: String, plays stretches: [Range<Int>], of clip: SourceClip) async throws {
        let played = try await Played(input, clip.video)
        let difference = Expected(clip: clip, stretches: stretches)
            .difference(played, isMadeAAC: input.contains("format=m3u8") && !input.contains("tracks=all"))
        #expect(difference == nil, "\(clip.name), \(input): \(difference ?? "")")
    }

    @Test("every manifest, of all and of a range, over a session's border and a gap", arguments: clips)
    func manifests(_ clip: String) async throws {
        let times = Self.times.split(separator: "/")
        try await withSite(clip) { served, source in
            for (format, ending) in [("m3u8-cmaf", ""), ("m3u8-aapl", ".m3u8"), ("mpd-time-cmaf", ".mpd")] {
                let asset = served.base + "/assets/asset-front/"
                try await expect("\(asset)manifest(format=\(format))\(ending)", plays: Self.all, of: source)
                try await expect(
                    "\(asset)manifest(format=\(format),startTime=\(times[0]),endTime=\(times[1]))\(ending)",
                    plays: Self.part, of: source)
            }
        }
    }

    @Test("every clip and every range: skipping gaps, ending at one, within a segment, at odd times", arguments: clips)
    func files(_ clip: String) async throws {
        try await withSite(clip) { served, source in
            let get = "\(served.base)/get?path=front&start=2026-03-01T10:00:02.500Z"
            for format in ["fmp4", "mp4"] {
                try await expect("\(get)&duration=32.5&format=\(format)&gap=skip", plays: Self.part, of: source)
                try await expect("\(get)&duration=1m30s&format=\(format)", plays: [2..<12, 4..<12], of: source)
            }
            // Within one fragment, with a zone, and in parts of a second.
            try await expect("\(get)&duration=0.001", plays: [2..<3], of: source)
            try await expect(
                "\(served.base)/get?path=front&start=2026-03-01T12:00:04.5001%2B02:00&duration=3249.9ms",
                plays: [4..<8], of: source)
            let ranges = "\(served.base)/ranges/front.mp4?from="
            try await expect(
                ranges + "2026-03-01T10:00:02.500Z&to=2026-03-01T10:00:35Z", plays: Self.part, of: source)
            try await expect(
                ranges + "2026-03-01T09:00:00Z&to=2026-03-01T11:00:00Z&gap=stop", plays: [0..<12, 4..<12], of: source)
            try await expect(
                ranges + "2026-03-01T10:00:29.999999Z&to=2026-03-01T10:00:37.999999Z", plays: [0..<8], of: source)
        }
    }

    @Test("what MediaMTX's front ends ask is answered as it would: each stretch with the address that plays it")
    func listed() async throws {
        struct Entry: Decodable {
            let start: String
            let duration: Double
            let url: String
        }
        try await withSite("h264-aac") { served, source in
            let list = { (query: String) in
                let answer = try await served.get("/list?path=front\(query)")
                return try JSONDecoder().decode([Entry].self, from: Data(answer.body))
            }
            let all = try await list("")
            #expect(
                all.map { $0.duration.rounded() } == [20, 8]
                    && all.allSatisfy { $0.start.hasPrefix("2026-03-01T10:00:") })
            for (entry, stretches) in zip(all, [[0..<12, 4..<12], [0..<8]]) {
                try await expect(entry.url, plays: stretches, of: source)
                try await expect(entry.url + "&format=mp4", plays: stretches, of: source)
            }
            let clipped = try await list("&start=2026-03-01T12:00:02.5%2B02:00&end=2026-03-01T10:00:35Z")
            #expect(clipped.map(\.duration).last == 5)
            for (entry, stretches) in zip(clipped, [[2..<12, 4..<12], [0..<5]]) {
                try await expect(entry.url, plays: stretches, of: source)
            }
            #expect(try await served.get("/list?path=front&start=2027-01-01T00:00:00Z").status == 404)
            #expect(try await served.get("/list?path=nowhere").status == 404)
            for query in [
                "", "?path=", "?path=front&start=yesterday",
                "?path=front&start=2026-03-02T00:00:00Z&end=2026-03-01T00:00:00Z",
            ] {
                #expect(try await served.get("/list\(query)").status == 400, "\(query)")
            }
        }
    }

    @Test("over a change of codec a playlist gives each part its own init part, and each plays to its end")
    func codecChange() async throws {
        let site = try RecordedSite()
        let parts = [("h264-aac", 0.0), ("h265-aac", 8), ("h264-other-size", 16)]
        for (index, part) in parts.enumerated() {
            try await site.record(part.0, session: Int64(index + 1), at: part.1, seconds: 8)
        }
        try await ServedSite.run(try site.archive()) { served in
            for format in ["m3u8-cmaf", "m3u8-aapl"] {
                let address = "\(served.base)/assets/asset-front/"
                let answer = try await served.get("/assets/asset-front/manifest(format=\(format))")
                let formats = try Self.formats(of: String(decoding: answer.body, as: UTF8.self))
                #expect(formats.count == 3)
                for (part, playlist) in zip(parts, formats) {
                    let file = site.folder + "/part.m3u8"
                    try Data(playlist.replacing("media/", with: address + "media/").utf8).write(to: URL(filePath: file))
                    let source = try await SourceClip(part.0)
                    let played = try await Played(
                        file, source.video, options: ["-protocol_whitelist", "file,http,tcp"])
                    let difference = Expected(clip: source, stretches: [0..<8]).difference(played)
                    #expect(difference == nil, "\(part.0): \(difference ?? "")")
                }
            }
        }
    }

    /// A playlist's parts, one an init part, as playlists by themselves: ffmpeg's own reader of HLS keeps to the first.
    private static func formats(of playlist: String) throws -> [String] {
        var head: [Substring] = []
        var parts: [[Substring]] = []
        for line in playlist.split(separator: "\n") {
            if line.hasPrefix("#EXT-X-MAP:") { parts.append([]) }
            if parts.isEmpty { head.append(line) } else { parts[parts.count - 1].append(line) }
        }
        return parts.map { (head + $0 + ["#EXT-X-ENDLIST"]).joined(separator: "\n") + "\n" }
    }
}
