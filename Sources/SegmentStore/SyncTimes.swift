import CLinux
package import Recording

/// How long a camera's disk takes to make things durable: calls of fsync(2) and fdatasync(2), in buckets.
///
/// Costs no more than 1 KiB whatever happens. A bucket is a quarter of a power of two wide, so that what is told of many
/// calls is at most a quarter too long.
package struct SyncTimes: Hashable, Sendable {
    /// Of what is recent: the newest span, and the one before it.
    package static let span = TimeSpan.seconds(300)

    /// Calls so far.
    package private(set) var count: Int64 = 0
    /// What they took together.
    package private(set) var total = TimeSpan.zero
    private var newest: Span
    private var before: Span

    private struct Span: Hashable {
        let start: MonotonicTime
        var counts = [UInt32](repeating: 0, count: SyncTimes.buckets)
        var longest = TimeSpan.zero
    }

    package init(at now: MonotonicTime) {
        newest = Span(start: now)
        before = Span(start: now)
    }

    package mutating func add(_ length: TimeSpan, at now: MonotonicTime) {
        turn(now)
        count += 1
        total = total + length
        let bucket = Self.bucket(length)
        newest.counts[bucket] = newest.counts[bucket].addingReportingOverflow(1).partialValue
        newest.longest = max(newest.longest, length)
    }

    /// What all but a hundredth of the calls of the last five to ten minutes took at most; nil without any.
    package func p99(at now: MonotonicTime) -> TimeSpan? {
        var recent = self
        recent.turn(now)
        let counts = zip(recent.newest.counts, recent.before.counts).map { Int64($0) + Int64($1) }
        let all = counts.reduce(0, +)
        guard all > 0 else { return nil }
        var left = (all * 99 + 99) / 100
        for (bucket, count) in counts.enumerated() {
            left -= count
            if left <= 0 { return min(Self.end(bucket), max(recent.newest.longest, recent.before.longest)) }
        }
        return nil
    }

    /// Forgets what is old.
    private mutating func turn(_ now: MonotonicTime) {
        guard now - newest.start >= Self.span else { return }
        before = now - newest.start < Self.span * 2 ? newest : Span(start: now)
        newest = Span(start: now)
    }
}

extension SyncTimes {
    /// Lengths below 4 µs have one each, the last one holds all from an hour on.
    private static let buckets = 124

    private static func bucket(_ length: TimeSpan) -> Int {
        let length = UInt32(clamping: length.microseconds)
        guard length >= 4 else { return Int(length) }
        let power = 31 - length.leadingZeroBitCount
        return (power - 1) * 4 + Int(length >> UInt32(power - 2) & 3)
    }

    /// Where the next bucket begins.
    private static func end(_ bucket: Int) -> TimeSpan {
        guard bucket >= 4 else { return TimeSpan(microseconds: Int64(bucket) + 1) }
        return TimeSpan(microseconds: Int64(bucket % 4 + 5) << Int64(bucket / 4 - 1))
    }
}

extension Descriptor {
    /// As `syncData()`; the cache remembers what it took.
    func syncData(timedBy cache: CacheDirectory) throws(SegmentStoreError) {
        let start = MonotonicTime.now
        defer { cache.synced(since: start) }
        try syncData()
    }

    /// As `sync()`; the cache remembers what it took.
    func sync(timedBy cache: CacheDirectory) throws(SegmentStoreError) {
        let start = MonotonicTime.now
        defer { cache.synced(since: start) }
        try sync()
    }
}

extension MonotonicTime {
    static var now: MonotonicTime { MonotonicTime(microseconds: cvr_clock_microseconds(CLOCK_BOOTTIME)) }
}

extension CacheDirectory {
    /// What this process's calls took lately; nil without any in the last five to ten minutes.
    package var recentSync: TimeSpan? { syncTimes.p99(at: .now) }

    fileprivate func synced(since start: MonotonicTime) {
        let now = MonotonicTime.now
        syncTimes.add(now - start, at: now)
    }
}
