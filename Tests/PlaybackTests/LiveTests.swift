import Footage
import Foundation
import FragmentedMP4
import HTTP
import Playback
import Recording
import Synchronization
import TestSupport
import Testing

/// Following the segment that a worker appends to.
@Suite("Playback: live", .serialized) struct LiveTests {
    private static let now = RecordedSite.start + .seconds(10)

    @Test("a film that goes on over a rotation, as soon as a fragment is in the file, and ends with its format")
    func stream() async throws {
        let site = try RecordedSite()
        let clip = try await EncodedClip()
        let first = try GrowingSegment(site, clip, counter: 0, second: 0)
        for second in 0..<3 { try first.append(second: second) }
        try await ServedSite.run(try site.archive(now: Self.now)) { served in
            let received = Received()
            async let ended = served.stream("/live/front/stream.mp4", into: received)
            // It begins with the newest key: the third second.
            let begin = try await received.growth(beyond: 0)
            var delays: [Duration] = []
            for second in 3..<5 { delays.append(try await received.delay { try first.append(second: second) }) }
            // Both at once: what closes a segment comes with it.
            try first.append(second: 5)
            try first.close()
            let next = try GrowingSegment(site, clip, counter: 1, second: 6)
            for second in 6..<9 { delays.append(try await received.delay { try next.append(second: second) }) }
            print("live: fragment in the file to bytes at the viewer: \(delays)")
            #expect(delays.sorted()[delays.count / 2] < .milliseconds(200))
            #expect(begin > 0 && served.server.viewers == 1)
            try next.close()
            let other = try GrowingSegment(
                site, try await EncodedClip(size: "320x180"), session: 2, counter: 0, second: 9)
            try other.append(second: 9)
            let answer = try await ended
            #expect(answer.status == 200 && answer["content-type"] == "video/mp4; codecs=\"avc1.42c00b,mp4a.40.2\"")
            let file = site.folder + "/live.mp4"
            try Data(received.bytes).write(to: URL(filePath: file))
            #expect(try await Player.frames(file) == 7 * 25)
        }
    }

    @Test("low-latency HLS: a playlist that is waited for, whose fragments are there")
    func playlist() async throws {
        let site = try RecordedSite()
        let clip = try await EncodedClip()
        let first = try GrowingSegment(site, clip, counter: 0, second: 0)
        for second in 0..<2 { try first.append(second: second) }
        try await ServedSite.run(try site.archive(now: Self.now)) { served in
            let path = "/live/front/index.m3u8"
            func lines(_ query: String = "") async throws -> [Substring] {
                let answer = try await served.get(path + query)
                #expect(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
                return String(decoding: answer.body, as: UTF8.self).split(separator: "\n")
            }
            let before = try await lines()
            let number = try #require(
                before.first { $0.hasPrefix("#EXT-X-MEDIA-SEQUENCE:") }.flatMap { Int64($0.dropFirst(22)) })
            let parts = before.filter { $0.hasPrefix("#EXT-X-PART:") }.count
            #expect(parts >= 1 && before.contains { $0.hasPrefix("#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES") })
            async let waited = lines("?_HLS_msn=\(number)&_HLS_part=\(parts)")
            try first.append(second: 2)
            let after = try await waited.filter { $0.hasPrefix("#EXT-X-PART:") }
            #expect(after.count == parts + 1)
            // The newest fragment is served where the playlist says.
            let part = try #require(after.last)
            let fields = part.split(separator: "\"")
            let range = fields[3].split(separator: "@").compactMap { Int($0) }
            let bytes = try await served.get(
                try ServedSite.path(of: fields[1], in: path),
                [("Range", "bytes=\(range[1])-\(range[1] + range[0] - 1)")])
            #expect(bytes.status == 206 && bytes.body.count == range[0])
            #expect(Array(bytes.body[4..<8]) == Array("free".utf8))
            #expect(try await served.get(path + "?_HLS_msn=\(number + 100)").status == 400)
            #expect(try await served.get(path + "?_HLS_part=1").status == 400)
        }
    }

    @Test("low-latency HLS: the fragment that a playlist hints at is waited for, and what does not come is said")
    func hint() async throws {
        let site = try RecordedSite()
        let clip = try await EncodedClip()
        let first = try GrowingSegment(site, clip, counter: 0, second: 0)
        for second in 0..<2 { try first.append(second: second) }
        try await ServedSite.run(try site.archive(now: Self.now)) { served in
            func hint() async throws -> (url: String, start: Int) {
                let text = String(decoding: try await served.get("/live/front/index.m3u8").body, as: UTF8.self)
                let pattern = /#EXT-X-PRELOAD-HINT:TYPE=PART,URI="([^"]+)",BYTERANGE-START=(\d+)/
                let found = try #require(text.firstMatch(of: pattern), "\(text)")
                return (String(found.1), try #require(Int(found.2)))
            }
            let (url, start) = try await hint()
            let path = "/live/front/index.m3u8"
            async let waited = served.get(ServedSite.path(of: url, in: path), [("Range", "bytes=\(start)-")])
            try first.append(second: 2)
            let part = try await waited
            let end = start + part.body.count
            #expect(part.status == 206 && part["content-range"] == "bytes \(start)-\(end - 1)/\(end)")
            let text = String(decoding: try await served.get("/live/front/index.m3u8").body, as: UTF8.self)
            #expect(text.contains("URI=\"\(url)\",BYTERANGE=\"\(part.body.count)@\(start)\""))
            // The segment ends there: nobody waits for nothing.
            let last = try ServedSite.path(of: try await hint().url, in: path)
            async let refused = served.get(last, [("Range", "bytes=\(end)-")])
            try first.close()
            try GrowingSegment(site, clip, counter: 1, second: 3).append(second: 3)
            #expect([404, 416].contains(try await refused.status))
        }
    }

    @Test("ffmpeg plays what a live playlist lists")
    func played() async throws {
        let site = try RecordedSite()
        let clip = try await EncodedClip()
        let growing = try GrowingSegment(site, clip, counter: 0, second: 0)
        for second in 0..<20 { try growing.append(second: second) }
        try await ServedSite.run(try site.archive(now: Self.now)) { served in
            let played = try await run(
                "/usr/bin/ffmpeg",
                ["-nostdin", "-v", "error", "-xerror", "-live_start_index", "0"]
                    + ["-i", served.base + "/live/front/index.m3u8", "-map", "0:v", "-frames:v", "25"]
                    + ["-f", "framecrc", "-"])
            #expect(played.ending == .exited(0), "\(played.errors)")
            #expect(played.text.split(separator: "\n").filter { !$0.hasPrefix("#") }.count == 25)
        }
    }

    /// Takes a minute, and much of the machine.
    @Test(
        "two hundred viewers see every fragment, and cost little memory",
        .enabled(if: ProcessInfo.processInfo.environment["CVR_TEST_VIEWERS"] != nil))
    func manyViewers() async throws {
        let site = try RecordedSite()
        let clip = try await EncodedClip(size: "1280x720", seconds: 2)
        let growing = try GrowingSegment(site, clip, counter: 0, second: 0)
        try growing.append(second: 0)
        try await ServedSite.run(try site.archive(now: Self.now)) { served in
            let memory = try residentBytes()
            var viewers: [RawConnection] = []
            for index in 0..<220 {
                // The last twenty never read.
                let connection = try RawConnection(port: served.port, window: index < 200 ? 1 << 20 : 4096)
                connection.send("GET /live/front/stream.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n")
                viewers.append(connection)
            }
            for viewer in viewers { #expect(await viewer.read(20)?.isEmpty == false) }
            try await eventually("all are served") { served.server.viewers == 220 ? true : nil }
            var written = 0
            for second in 1..<30 {
                try growing.append(second: second)
                written += clip.second(second).reduce(0) { $0 + $1.data.count }
                for viewer in viewers.prefix(200) {
                    var got = 0
                    let due = clip.second(second).reduce(0) { $0 + $1.data.count }
                    while got < due, let bytes = await viewer.read(1 << 20), !bytes.isEmpty { got += bytes.count }
                    #expect(got >= due)
                }
            }
            let grown = try residentBytes() - memory
            print("200 viewers, \(written >> 20) MiB each: memory grew by \(grown >> 20) MiB")
            #expect(grown < 200 << 20)
        }
    }
}

/// What a client was sent, as it comes.
final class Received: Sendable {
    private let all = Mutex<[UInt8]>([])

    var bytes: [UInt8] { all.withLock { $0 } }

    func append(_ more: UnsafeRawBufferPointer) { all.withLock { $0.append(contentsOf: more) } }

    /// Waits until there are more than `count` bytes.
    @discardableResult
    func growth(beyond count: Int) async throws -> Int {
        try await eventually("more of the stream", every: .milliseconds(5)) {
            let now = all.withLock { $0.count }
            return now > count ? now : nil
        }
    }

    /// From the end of `cause` to the first byte that it makes come.
    func delay(_ cause: () throws -> Void) async throws -> Duration {
        // All of what was caused before is there: fragments are small, and one write each.
        var before = bytes.count
        while case let now = try await settled(), now != before { before = now }
        try cause()
        let start = ContinuousClock.now
        try await growth(beyond: before)
        return .now - start
    }

    private func settled() async throws -> Int {
        var last = -1
        return try await eventually("a pause of the stream", every: .milliseconds(30)) {
            let now = all.withLock { $0.count }
            defer { last = now }
            return now == last ? now : nil
        }
    }
}
