import Foundation
import HTTP
import Playback
import Recording
import TestSupport
import Testing

/// A day of a large camera as one file that is never made.
@Suite("Playback: long ranges", .serialized) struct LongRangeTests {
    private static let path = "/ranges/front.mp4?from=2026-03-01T10:00:00Z&to=2026-03-02T10:00:00Z"
    private static let now = RecordedSite.start + .seconds(100_000)

    @Test("any bytes of 24 GiB are those of the whole file, wherever a range begins and ends")
    func day() async throws {
        let site = try RecordedSite()
        let day = try await SparseDay(in: site)
        try await ServedSite.run(try site.archive(now: Self.now)) { served in
            let head = try await served.get(Self.path, method: "HEAD")
            #expect(head["content-length"] == "\(day.length)" && day.length > 20 << 30)
            try await firstBytes(served)
            var random = SeededRandom(seed: 11)
            for number in 0..<80 {
                let length = Int64.random(in: 1...(number < 76 ? 40_000 : 4_000_000), using: &random)
                let start = anyOffset(day, number, using: &random)
                let range = start..<min(start + length, day.length)
                try await expect(served, "bytes=\(range.lowerBound)-\(range.upperBound - 1)", are: range, of: day)
            }
            try await edges(served, day, try #require(head["etag"]))
        }
    }

    @Test(
        "a whole download of 24 GiB is right to the last byte", .timeLimit(.minutes(10)),
        .enabled(if: ProcessInfo.processInfo.environment["CVR_WHOLE_DAY"] != nil))
    func download() async throws {
        let site = try RecordedSite()
        let day = try await SparseDay(in: site)
        try await ServedSite.run(try site.archive(now: Self.now)) { served in
            let check = DayCheck(day)
            let answer = try await served.stream(Self.path) { check.take($0) }
            #expect(answer.status == 200 && check.state.position == day.length && check.state.wrong == nil)
        }
    }

    /// How soon is a figure of `contrib/bench/year`: here it is only told.
    private func firstBytes(_ served: ServedSite) async throws {
        var first: [Duration] = []
        for _ in 0..<5 {
            let connection = try RawConnection(port: served.port)
            let start = ContinuousClock.now
            connection.send("GET \(Self.path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(await connection.read(1)?.count == 1)
            first.append(.now - start)
        }
        print("first byte of a day after \(first)")
    }

    /// Anywhere, or right around the start of a fragment; most are beyond 4 GiB.
    private func anyOffset(_ day: SparseDay, _ number: Int, using random: inout SeededRandom) -> Int64 {
        if number % 2 == 0 { return Int64.random(in: 0..<day.length, using: &random) }
        let start = day.offset(ofFragment: Int.random(in: 0..<day.fragments, using: &random))
        return max(0, start + Int64.random(in: -600...1200, using: &random))
    }

    /// First and last bytes, suffixes, and what a file that changed meanwhile answers.
    private func edges(_ served: ServedSite, _ day: SparseDay, _ tag: String) async throws {
        let length = day.length
        try await expect(served, "bytes=0-0", are: 0..<1, of: day)
        try await expect(served, "bytes=\(length - 1)-", are: length - 1..<length, of: day)
        try await expect(served, "bytes=-1", are: length - 1..<length, of: day)
        try await expect(served, "bytes=-3000000", are: length - 3_000_000..<length, of: day)
        try await expect(served, "bytes=\(length - 10)-\(length + 10)", are: length - 10..<length, of: day)
        let beyond = Int64(1) << 32
        try await expect(served, "bytes=\(beyond - 5)-\(beyond + 5)", are: beyond - 5..<beyond + 6, of: day)
        let resumed = [(name: "If-Range", value: tag)]
        try await expect(served, "bytes=\(beyond)-\(beyond + 99)", resumed, are: beyond..<beyond + 100, of: day)
        #expect(try await served.get(Self.path, [("Range", "bytes=\(length)-")]).status == 416)
        let other = try await served.get(
            Self.path, [("Range", "bytes=5-9"), ("If-Range", "\"other\"")], method: "HEAD")
        #expect(other.status == 200 && other["content-length"] == "\(length)")
    }

    private func expect(
        _ served: ServedSite, _ field: String, _ more: [(name: String, value: String)] = [], are range: Range<Int64>,
        of day: SparseDay, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let part = try await served.get(Self.path, [("Range", field)] + more)
        let place = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(day.length)"
        #expect(
            part.status == 206 && part["content-range"] == place && part.body == day.bytes(range), "\(field)",
            sourceLocation: sourceLocation)
    }
}
