package import Recording

/// How often frames come, and so how long their absence is a loss.
package struct FrameRhythm: Sendable {
    private var intervals: [TimeSpan] = []
    private var next = 0
    package private(set) var lastFrame: MonotonicTime?

    package init() {}

    package mutating func frame(at now: MonotonicTime) {
        if let lastFrame {
            let interval = now - lastFrame
            if intervals.count < 31 {
                intervals.append(interval)
            } else {
                intervals[next % 31] = interval
                next = (next + 1) % 31
            }
        }
        lastFrame = now
    }

    /// No frame for longer than this is a gap: three median intervals, at least 2 s.
    package var patience: TimeSpan {
        guard !intervals.isEmpty else { return .seconds(2) }
        let median = intervals.sorted()[intervals.count / 2]
        return max(.seconds(2), median * 3)
    }

    package func isStalled(at now: MonotonicTime) -> Bool {
        guard let lastFrame else { return false }
        return now - lastFrame > patience
    }
}

/// Frames and bytes of the last seconds, for an operator's eye.
struct Meter: Sendable {
    private static let span: Int64 = 5
    private var buckets: [(second: Int64, frames: Int64, bytes: Int64)] = []

    mutating func add(frames: Int64, bytes: Int, at now: MonotonicTime) {
        let second = now.microseconds / 1_000_000
        if let last = buckets.indices.last, buckets[last].second == second {
            buckets[last].frames += frames
            buckets[last].bytes += Int64(bytes)
        } else {
            buckets.append((second, frames, Int64(bytes)))
            buckets.removeAll { $0.second < second - Self.span }
        }
    }

    /// Per second over the last whole seconds; zero without any.
    func rates(at now: MonotonicTime) -> (frames: Double, bits: Double) {
        let second = now.microseconds / 1_000_000
        let whole = buckets.filter { $0.second < second && $0.second >= second - Self.span }
        guard let first = whole.first else { return (0, 0) }
        let seconds = Double(second - first.second)
        return (
            Double(whole.reduce(0) { $0 + $1.frames }) / seconds,
            Double(whole.reduce(0) { $0 + $1.bytes }) * 8 / seconds
        )
    }
}
