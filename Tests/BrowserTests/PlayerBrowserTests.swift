import Foundation
import Recording
import TestSupport
import Testing

extension BrowserTests.Recorded {
    /// What a player showed: video.js of HLS; of DASH player.js, which is ours, as GStreamer's is not for a browser
    /// (`DASHReaderTests`).
    private struct Played: Decodable, Sendable {
        /// Width and number of each frame, in the order in which they were shown.
        let frames: [[Int]]
        let decoded: Int
        let error: String

        /// Those of the frames of a width.
        func numbers(_ width: Int) -> [Int] { frames.filter { $0.first == width }.compactMap(\.last) }
    }

    @Test(
        "over two sizes of picture video.js plays HLS, and a browser's own buffers what DASH lists, but for three frames at most",
        arguments: [("mpd-time-cmaf", "mpd"), ("m3u8-cmaf", "m3u8")])
    func anotherPlayer(format: String, ending: String) async throws {
        let past = try PastBox.current
        let (from, to) = (past.change - 5, past.change + 5)
        let times = [from, to].map { WallTime(microseconds: Int64($0 * 1e6)).rfc3339 }
        let url =
            "\(past.watched.url)assets/yard/manifest(format=\(format),startTime=\(times[0]),endTime=\(times[1])).\(ending)"
        let browser = past.watched.browser
        try await browser.open(past.watched.url + "healthz", scripts: try BrowserTests.otherPlayer())
        let played: Played = try await browser.value("() => playManifest('\(url)', '\(ending)')")
        try await browser.shot("other-player-\(ending)")
        #expect(played.error == "")
        if ending == "mpd" {
            #expect(try await Web.get(url).text.components(separatedBy: "<Period ").count == 3)
        }
        let (before, after) = (played.numbers(320), played.numbers(480))
        let ends = try [#require(before.first), #require(before.last), #require(after.first), #require(after.last)]
        #expect((-2.1...0.1).contains(try past.error(of: ends[0], of: "yard", at: from)))
        #expect((-0.1...2.1).contains(try past.error(of: ends[3], of: "yard", at: to)))
        // The camera went over to the beginning of the other clip at a keyframe.
        #expect(ends[1] % 15 == 14 && ends[2] == 0, "\(ends)")
        let wanted = (ends[1] - ends[0] + WatchedBox.frames) % WatchedBox.frames + 1 + ends[3] + 1
        #expect(played.decoded == wanted && wanted >= 10 * 15, "\(ends)")
        // A busy machine is late to draw one or the other that it decoded.
        #expect(played.frames.count >= wanted - 3, "\(played.frames)")
        print("\(ending): \(played.frames.count) of \(wanted) frames shown, \(played.decoded) decoded")
    }
}

extension BrowserTests {
    /// The scripts of `playManifest`: video.js, which is in the tests' virtual environment, and what leads it.
    static func otherPlayer() throws -> [String] {
        let venv = ProcessInfo.processInfo.environment["CVR_TEST_VENV"] ?? Repository.path(".venv-test")
        let found = SegmentFiles.all(in: venv + "/lib", endings: ["js/videojs/resources/video.min.js"]).first
        return [try #require(found, "js.videojs in \(venv)"), Repository.path("Tests/BrowserTests/player.js")]
    }
}
