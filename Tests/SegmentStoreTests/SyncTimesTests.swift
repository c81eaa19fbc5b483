import FragmentedMP4
import Recording
import SegmentStore
import Testing

@Suite("SegmentStore: what syncs take")
struct SyncTimesTests {
    private static let start = MonotonicTime(microseconds: 1_000_000)

    @Test("the 99th percentile of many calls is right to a quarter, and no longer than the longest")
    func percentile() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            var times = SyncTimes(at: Self.start)
            let calls = (0..<Int.random(in: 1...2000, using: &random)).map { _ in
                Int64.random(in: 0...1 << Int64.random(in: 1...30, using: &random), using: &random)
            }
            for call in calls { times.add(TimeSpan(microseconds: call), at: Self.start) }
            let sorted = calls.sorted()
            let exact = sorted[(sorted.count * 99 + 99) / 100 - 1]
            let told = try #require(times.p99(at: Self.start)).microseconds
            #expect(
                told >= exact && told <= exact + exact / 4 + 1 && told <= sorted[sorted.count - 1], "\(told) \(exact)")
            #expect(times.count == Int64(calls.count) && times.total.microseconds == calls.reduce(0, +))
        }
    }

    @Test("what is told is of the last five to ten minutes, what is counted of all")
    func window() {
        var times = SyncTimes(at: Self.start)
        #expect(times.p99(at: Self.start) == nil)
        times.add(.seconds(7), at: Self.start)
        let later = Self.start + SyncTimes.span
        times.add(.milliseconds(1), at: later)
        #expect(times.p99(at: later) == .seconds(7))
        let latest = later + SyncTimes.span
        #expect(times.p99(at: latest) == .milliseconds(1))
        #expect(times.p99(at: latest + SyncTimes.span) == nil && times.count == 2)
        times.add(.milliseconds(2), at: latest + .seconds(86_400))
        #expect(times.p99(at: latest + .seconds(86_400)) == .milliseconds(2))
        #expect(times.total == .milliseconds(7003))
    }

    @Test("no length and no clock is a trap", arguments: [Int64.min, -1, 0, 3, 4, .max])
    func ends(_ length: Int64) throws {
        var times = SyncTimes(at: MonotonicTime(microseconds: length))
        times.add(TimeSpan(microseconds: length), at: MonotonicTime(microseconds: 0))
        times.add(TimeSpan(microseconds: length), at: MonotonicTime(microseconds: length))
        #expect(times.count == 2 && times.p99(at: MonotonicTime(microseconds: length)) != nil)
    }

    @Test("a segment's and a journal's syncs are counted, one by one")
    func counted() throws {
        let directory = try TemporaryDirectory()
        let cache = try directory.cache()
        let journal = try Journal(in: cache, now: Footage.anchor)
        let before = cache.syncTimes.count
        var footage = try Footage()
        // Its intent, its init part, and its hour, day and camera; then the media; then trailer and name.
        let appender = try SegmentAppender(footage, in: cache, journal)
        #expect(cache.syncTimes.count == before + 5)
        try appender.append(footage.fragment())
        try appender.sync()
        #expect(cache.syncTimes.count == before + 6)
        _ = try appender.close(trailer: footage.encoder.trailer())
        #expect(cache.syncTimes.count == before + 8)
        let (recent, total) = (try #require(cache.recentSync), cache.syncTimes.total)
        #expect(recent > .zero && recent <= total, "\(recent) \(total)")
    }
}
