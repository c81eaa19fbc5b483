package import Recording

/// Holds bytes to a rate: what was not sent in the last two seconds may go at once, so that a survey between two passes
/// costs no part of the link, and no minute is off by more than 4 %.
///
/// Who takes more than there is leaves a debt, which the next one waits for: no chunk is too large to be ever sent.
package struct TokenBucket: Hashable, Sendable {
    private static let burst = 2.0

    /// Nil is unlimited.
    package private(set) var bytesPerSecond: Double?
    private var level = 0.0
    private var filledAt: MonotonicTime?

    package init(bytesPerSecond: Double? = nil) { self.bytesPerSecond = bytesPerSecond }

    /// Another rate from now on; a debt stays one.
    package mutating func setRate(_ bytesPerSecond: Double?, at now: MonotonicTime) {
        fill(at: now)
        self.bytesPerSecond = bytesPerSecond
        if bytesPerSecond == nil { level = 0 }
    }

    /// Zero when the bytes may go, which are then counted; otherwise how long to wait before asking again.
    package mutating func take(_ bytes: Int, at now: MonotonicTime) -> TimeSpan {
        guard let rate = bytesPerSecond, rate > 0 else { return .zero }
        fill(at: now)
        guard level < 0 else {
            level -= Double(max(0, bytes))
            return .zero
        }
        // At least a millisecond: rounded down it would be asked again at once.
        return max(.milliseconds(1), TimeSpan(microseconds: Int64(min(-level / rate, 3600) * 1_000_000)))
    }

    private mutating func fill(at now: MonotonicTime) {
        let rate = bytesPerSecond ?? 0
        let elapsed = max(0, (now - (filledAt ?? now)).seconds)
        level = min(level + elapsed * rate, rate * Self.burst)
        filledAt = now
    }
}
