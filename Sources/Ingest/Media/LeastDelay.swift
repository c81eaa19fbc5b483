internal import Recording

/// Where media time 0 lies on a clock of ours, as the least delayed frames have it.
///
/// Delay only ever makes a frame late, so the least delayed frame of a while is right. The estimate moves towards it by
/// at most 500 ppm: faster than crystals differ, too slow for jitter to be seen.
struct LeastDelay: Sendable {
    static let slewPerMillion: Int64 = 500
    private static let window = TimeSpan.seconds(10)

    /// Arrival minus media time.
    private(set) var value: TimeSpan
    /// The least of the last whole window: what `value` moves towards.
    private(set) var target: TimeSpan
    private var least: TimeSpan?
    private var windowStart: MonotonicTime
    private var slewedAt: MonotonicTime

    init(_ value: TimeSpan, now: MonotonicTime) {
        self.value = value
        target = value
        windowStart = now
        slewedAt = now
    }

    /// Takes in one frame's arrival minus its media time.
    mutating func observe(_ candidate: TimeSpan, now: MonotonicTime) {
        least = min(least ?? candidate, candidate)
        if now - windowStart >= Self.window, let least {
            target = least
            self.least = nil
            windowStart = now
        }
        let most = (now - slewedAt).microseconds.scaled(by: Self.slewPerMillion, over: 1_000_000)
        // Shorter steps would round to nothing.
        guard most >= 1 else { return }
        slewedAt = now
        value = value + TimeSpan(microseconds: min(max((target - value).microseconds, -most), most))
    }
}
