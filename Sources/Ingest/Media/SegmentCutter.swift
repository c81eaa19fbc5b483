package import Recording

/// Says at which keyframe a segment ends.
///
/// Targets lie on a grid of the segment length from the session's start, so that lengths do not drift: a late
/// keyframe makes one segment longer and the next shorter.
package struct SegmentCutter: Sendable {
    /// Timestamps are rounded on their way: a keyframe this little before its target is the one that was meant.
    package static let tolerance = TimeSpan.milliseconds(50)
    /// S3 takes 5 GiB by one PUT, Azure 5,000 MiB; playback wants less.
    package static let largestSegment: Int64 = 1 << 30

    /// May change while a session runs.
    package var length: TimeSpan {
        didSet { retarget(after: start) }
    }
    private var start = TimeSpan.zero
    package private(set) var target: TimeSpan

    private let tolerance: TimeSpan

    package init(length: TimeSpan, tolerance: TimeSpan = tolerance) {
        self.tolerance = tolerance
        self.length = max(length, .seconds(1))
        target = self.length
    }

    /// `media` is the keyframe's time in the session, `bytes` what the segment holds so far.
    package func isDue(at media: TimeSpan, bytes: Int64) -> Bool {
        media + tolerance >= target || bytes >= Self.largestSegment
    }

    /// A segment begins at `media`.
    package mutating func cut(at media: TimeSpan) {
        start = media
        retarget(after: media)
    }

    private mutating func retarget(after media: TimeSpan) {
        let step = max(length, .seconds(1))
        target = step * (max(media + tolerance, .zero).microseconds / step.microseconds + 1)
    }
}
