import Foundation
import Recording
import TestSupport
import Testing

extension BrowserTests.Recorded {
    /// What a player of somebody else's showed.
    private struct Played: Decodable, Sendable {
        /// Width and number of each frame, in the order in which they were shown.
        let frames: [[Int]]
        let decoded: Int
        let error: String
    }

    @Test(
        "another player plays every frame of two formats, two Periods of DASH and two sections of HLS",
        arguments: [("mpd-time-cmaf", "mpd", "application/dash+xml"), ("m3u8-cmaf", "m3u8", "application/x-mpegURL")])
    func anotherPlayer(format: String, ending: String, type: String) async throws {
        let past = try PastBox.current
        let (from, to) = (past.change - 5, past.change + 5)
        let times = [from, to].map { WallTime(microseconds: Int64($0 * 1e6)).rfc3339 }
        let url =
            "\(past.watched.url)assets/yard/manifest(format=\(format),startTime=\(times[0]),endTime=\(times[1])).\(ending)"
        let browser = past.watched.browser
        try await browser.open(
            past.watched.url + "healthz", scripts: [try Self.player(), Repository.path("Tests/BrowserTests/player.js")])
        let played: Played = try await browser.value("() => playManifest('\(url)', '\(type)')")
        try await browser.shot("video.js-\(ending)")
        #expect(played.error == "")
        if ending == "mpd" {
            #expect(try await Web.get(url).text.components(separatedBy: "<Period ").count == 3)
        }
        for (width, bound) in [(320, from), (480, to)] {
            let numbers = played.frames.filter { $0[0] == width }.map { $0[1] }
            let error = try past.error(
                of: (width == 320 ? numbers.first : numbers.last) ?? -1, of: "yard", at: bound)
            #expect(width == 320 ? (-2.1...0.1).contains(error) : (-0.1...2.1).contains(error), "\(error)")
            let missed = zip(numbers, numbers.dropFirst()).filter { ($0 + 1) % WatchedBox.frames != $1 }
            #expect(missed.isEmpty && numbers.count >= 5 * 15 - 1, "\(width): \(numbers)")
        }
        #expect(played.frames.first { $0[0] == 480 }?[1] == 0)
        #expect(played.decoded == played.frames.count)
    }

    /// The file of video.js in the tests' virtual environment.
    private static func player() throws -> String {
        let venv = ProcessInfo.processInfo.environment["CVR_TEST_VENV"] ?? Repository.path(".venv-test")
        let found = SegmentFiles.all(in: venv + "/lib", endings: ["js/videojs/resources/video.min.js"]).first
        return try #require(found, "js.videojs in \(venv)")
    }
}
