package import Recording

/// How long to wait before the camera is tried again: 1 s to 30 s, full jitter, so that a hundred cameras behind one
/// switch do not come back in step.
package struct Backoff: Sendable {
    package static let least = TimeSpan.seconds(1)
    package static let most = TimeSpan.seconds(30)
    /// Media for this long makes the camera well again.
    package static let healthy = TimeSpan.seconds(60)

    private var ceiling = least

    package init() {}

    /// `recorded` is how long the connection that just ended delivered media.
    package mutating func delay(
        afterRecording recorded: TimeSpan, using generator: inout some RandomNumberGenerator
    ) -> TimeSpan {
        if recorded >= Self.healthy { ceiling = Self.least }
        let delay = Int64.random(in: 0...ceiling.microseconds, using: &generator)
        ceiling = min(ceiling * 2, Self.most)
        // Not at once: a camera that refuses in no time would be asked in a loop.
        return max(TimeSpan(microseconds: delay), .milliseconds(100))
    }
}
