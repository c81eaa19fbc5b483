import Foundation
import TestSupport
import Testing

/// GStreamer's reader of DASH (`dashdemux2`), which goes from Period to Period: what it takes out is held against what was
/// recorded, picture by picture.
@Suite(
    "Playback: an independent reader of DASH", .serialized, .timeLimit(.minutes(5)),
    .enabled(
        if: ProcessInfo.processInfo.environment["CVR_CONFORMANCE"] != nil, "contrib/test --all sets CVR_CONFORMANCE"))
struct DASHReaderTests {
    /// A track of a Period as it came out: an elementary stream, and when its buffers are to be shown.
    private struct Stream: Decodable {
        let codec: String
        let file: String
        /// Seconds from the beginning of the presentation, in the order of decoding.
        let times: [Double]
    }

    private static let times = "startTime=2026-03-01T10:00:00Z,endTime=2026-03-01T10:01:00Z"

    private struct Answer: Decodable {
        let streams: [Stream]
        let error: String
    }

    /// What GStreamer takes out of a manifest with so many tracks in all its Periods.
    private static func read(_ manifest: String, tracks: Int, into folder: String) async throws -> [Stream] {
        let done = try await run(
            "/usr/bin/python3", [Repository.path("Tests/PlaybackTests/dash.py"), manifest, folder, String(tracks)],
            within: .seconds(60)
        )
        guard done.ending == .exited(0) else { throw Missed("GStreamer: \(done.errors)") }
        let answer = try JSONDecoder().decode(Answer.self, from: done.output)
        #expect(answer.error == "")
        return answer.streams
    }

    @Test(
        "plays each Period of a manifest to its end at its time: another size, another codec, without sound, after a gap"
    )
    func periods() async throws {
        let parts = [("h264-aac", 0.0), ("h264-other-size", 8), ("h265-aac", 16), ("h265", 24), ("h264-aac", 40)]
        let site = try RecordedSite()
        for (index, part) in parts.enumerated() {
            try await site.record(part.0, session: Int64(index + 1), at: part.1, seconds: 8)
        }
        try await ServedSite.run(try site.archive()) { served in
            let streams = try await Self.read(
                "\(served.base)/assets/asset-front/manifest(format=mpd-time-cmaf,\(Self.times)).mpd", tracks: 9,
                into: site.folder)
            let pictures = streams.filter { $0.codec.hasPrefix("video/") }
            #expect(
                pictures.map(\.codec) == [
                    "video/x-h264", "video/x-h264", "video/x-h265", "video/x-h265", "video/x-h264",
                ])
            #expect(streams.count == 9, "four with sound")
            for (part, stream) in zip(parts, pictures) {
                let clip = try await SourceClip(part.0)
                let played = try await Played(stream.file, clip.video)
                #expect(played.complaints == "")
                #expect(played.pictures == Expected(clip: clip, stretches: [0..<8]).pictures, "\(part)")
                // A clip's first picture is shown a little longer than it is of.
                let shown = stream.times.sorted()
                #expect(
                    abs((shown.first ?? -1) - part.1) < 0.25 && abs((shown.last ?? -1) - part.1 - 8) < 0.25, "\(part)")
                #expect(Set(shown).count == shown.count, "\(part)")
            }
        }
    }
}
