import Foundation
import Playback
import Recording
import TestSupport
import Testing

/// ffmpeg follows each live form while it grows, over two rotations: no picture is missing, none comes twice.
@Suite(
    "Playback: independent readers of what grows", .serialized, .timeLimit(.minutes(5)),
    .enabled(
        if: ProcessInfo.processInfo.environment["CVR_CONFORMANCE"] != nil, "contrib/test --all sets CVR_CONFORMANCE"))
struct LiveConformanceTests {
    private static let rate = 25

    /// An address, how ffmpeg is to open it, and the second with which it begins.
    private struct Form: Sendable {
        let path: String
        var options: [String] = []
        var first = 0
    }

    private static let fromStart = ["-live_start_index", "0"]
    private static let forms = [
        Form(path: "/assets/asset-front/manifest(format=m3u8-cmaf)", options: fromStart),
        Form(
            path: "/assets/asset-front/manifest(format=m3u8-aapl,startTime=2026-03-01T10:00:00Z).m3u8",
            options: fromStart),
        Form(path: "/assets/asset-front/manifest(format=mpd-time-cmaf).mpd"),
        Form(path: "/assets/asset-front/manifest(format=mpd-time-cmaf,startTime=2026-03-01T10:00:00Z)"),
        Form(path: "/live/front/index.m3u8", options: fromStart),
        Form(path: "/live/front/stream.mp4", first: 12),
    ]

    @Test("every form", arguments: forms.indices)
    func followed(_ index: Int) async throws {
        let form = Self.forms[index]
        let site = try RecordedSite()
        let clip = try await EncodedClip()
        try site.record(clip, segments: 2, length: 6)
        let first = try GrowingSegment(site, clip, counter: 2, second: 12)
        try first.append(second: 12)
        try await ServedSite.run(try site.archive(now: RecordedSite.start + .seconds(30))) { served in
            let player = try Follower(served.base, form, until: 24)
            do {
                try await player.follow(first) { try GrowingSegment(site, clip, counter: $0, second: $1) }
            } catch {
                await player.stop()
                throw error
            }
            await player.expectWhole()
        }
    }

    /// A player that follows until it has shown what is before a second.
    private struct Follower {
        let form: Form
        private let count: Int
        private let process: ChildProcess

        init(_ base: String, _ form: Form, until end: Int) throws {
            self.form = form
            count = (end - form.first) * LiveConformanceTests.rate
            process = try ChildProcess(
                "/usr/bin/ffmpeg",
                ["-nostdin", "-v", "error", "-xerror", "-copyts", "-threads", "1"] + form.options + [
                    "-i", base + form.path,
                ]
                    + ["-map", "0:v:0", "-frames:v", "\(count)", "-fps_mode", "passthrough", "-enc_time_base:v", "-1"]
                    + ["-flush_packets", "1", "-f", "framecrc", "-"])
        }

        private var times: [Int64] {
            process.output.lines.filter { !$0.hasPrefix("#") }.compactMap { line in
                line.split(separator: ",").dropFirst().first.flatMap { Int64($0.filter { $0 != " " }) }
            }
        }

        /// Over two rotations, a second at a time; `next` begins a segment.
        func follow(_ first: GrowingSegment, _ next: (Int64, Int) throws -> GrowingSegment) async throws {
            var growing = first
            if form.first == 0 { try await showed(12) }
            for (counter, start) in [(Int64(3), 18), (4, 24)] {
                for second in start - 5..<start {
                    try growing.append(second: second)
                    // A film leaves out what its viewer is five fragments behind.
                    if form.path.hasSuffix("stream.mp4") { try await showed(second) }
                }
                try growing.close()
                growing = try next(counter, start)
                try growing.append(second: start)
                try await showed(start)
            }
        }

        func stop() async { await process.stop() }

        /// All before a second but what demuxer and decoder hold back until more comes, which is less than half a second.
        func showed(_ second: Int) async throws {
            let frames = (second - form.first) * LiveConformanceTests.rate - 12
            try await eventually("\(form.path) shows \(frames) frames", within: .seconds(60), every: .milliseconds(100))
            {
                if times.count >= frames { return true }
                guard process.isRunning else {
                    throw Missed("\(form.path) ended after \(times.count) frames: \(process.errors.text)")
                }
                return nil
            }
        }

        func expectWhole() async {
            do {
                #expect(try await process.end(within: .seconds(30)) == .exited(0), "\(form.path)")
            } catch {
                await process.stop()
                Issue.record("\(form.path): \(error)")
            }
            #expect(process.errors.text.isEmpty, "\(form.path): \(process.errors.text)")
            let (times, steps) = (times, Set(zip(times, times.dropFirst()).map { $1 - $0 }))
            #expect(times.count == count && steps.count == 1, "\(form.path): \(times.count) frames, steps \(steps)")
        }
    }
}
