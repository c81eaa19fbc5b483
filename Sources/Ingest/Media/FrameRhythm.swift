package import Recording

/// The last intervals between frames, and so how long a frame's absence is a loss.
struct Intervals: Sendable {
    static let leastPatience = Gap.least
    private static let most = 31

    private var spans: [TimeSpan] = []
    private var next = 0

    mutating func add(_ span: TimeSpan) {
        if spans.count < Self.most {
            spans.append(span)
        } else {
            spans[next % Self.most] = span
            next = (next + 1) % Self.most
        }
    }

    /// No frame for longer than this is a gap: three median intervals, at least 2 s.
    var patience: TimeSpan {
        guard !spans.isEmpty else { return Self.leastPatience }
        return max(Self.leastPatience, spans.sorted()[spans.count / 2] * 3)
    }
}

/// When frames arrive, and whether the next is overdue.
package struct FrameRhythm: Sendable {
    private var intervals = Intervals()
    package private(set) var lastFrame: MonotonicTime?

    package init() {}

    package mutating func frame(at now: MonotonicTime) {
        if let lastFrame { intervals.add(now - lastFrame) }
        lastFrame = now
    }

    package var patience: TimeSpan { intervals.patience }

    package func isStalled(at now: MonotonicTime) -> Bool {
        guard let lastFrame else { return false }
        return now - lastFrame > patience
    }
}

/// How far apart a connection's keyframes are.
struct KeyframeRhythm: Sendable {
    private var last: Int64?
    /// Nil before the second one.
    private(set) var interval: TimeSpan?

    /// `decode` counts in ticks of `timescale`; a time that runs backwards says nothing.
    mutating func keyframe(at decode: Int64, timescale: Int64) {
        if let last, timescale > 0, decode > last {
            interval = TimeSpan(microseconds: decode.subtractingSaturated(last).scaled(by: 1_000_000, over: timescale))
        }
        last = decode
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
