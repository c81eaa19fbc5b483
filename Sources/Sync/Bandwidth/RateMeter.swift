import Glibc
package import Recording

/// Bytes a second as of late: an average whose weight fades with a time constant, right from the first moment on.
package struct RateMeter: Hashable, Sendable {
    private let timeConstant: Double
    private let begunAt: MonotonicTime
    private var sum = 0.0
    private var at: MonotonicTime

    package init(over span: TimeSpan, from now: MonotonicTime) {
        timeConstant = max(1, span.seconds)
        begunAt = now
        at = now
    }

    package mutating func add(_ bytes: Int64, at now: MonotonicTime) {
        sum = sum * fading(since: at, now) + Double(max(0, bytes))
        at = now
    }

    /// Zero until there was time to measure.
    package func bytesPerSecond(at now: MonotonicTime) -> Double {
        let weight = timeConstant * (1 - fading(since: begunAt, now))
        return weight > 0 ? sum * fading(since: at, now) / weight : 0
    }

    private func fading(since then: MonotonicTime, _ now: MonotonicTime) -> Double {
        exp(-max(0, (now - then).seconds) / timeConstant)
    }
}
