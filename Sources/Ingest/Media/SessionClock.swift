package import Recording

/// The wall anchor of one session: where its media time 0 lies in UTC.
///
/// Until `settle` the anchor follows the least delayed frame freely; afterwards it is slewed, so that neither jitter nor
/// a camera's clock that runs a little fast or slow can make media time jump.
package struct SessionClock: Sendable {
    /// Media that runs this far ahead of time can only be put right by a new session.
    package static let tolerance = TimeSpan.seconds(2)

    package let quality: ClockQuality
    /// The camera's own clock minus ours, from its last sender report.
    package private(set) var cameraOffset: TimeSpan?
    private var isSettled = false
    private let first: WallTime
    /// From `first` on.
    private var delay: LeastDelay

    /// The first frame, of media time 0, arrived at `wall`.
    package init(anchor: WallTime, quality: ClockQuality, now: MonotonicTime) {
        self.quality = quality
        first = anchor
        delay = LeastDelay(.zero, now: now)
    }

    package var anchor: WallTime { first + delay.value }

    /// The anchor is about to be written: from now on it is slewed.
    ///
    /// `earliest` is the end of what was recorded before: the delay of that is no reason to overlap with it.
    package mutating func settle(notBefore earliest: WallTime?, now: MonotonicTime) {
        guard !isSettled else { return }
        isSettled = true
        var settled = anchor
        if let earliest, settled < earliest, earliest - settled <= Self.tolerance { settled = earliest }
        delay = LeastDelay(settled - first, now: now)
    }

    /// Takes in one frame: its media time in the session, and when it came.
    package mutating func observe(media: TimeSpan, arrival wall: WallTime, cameraTime: WallTime?, now: MonotonicTime) {
        let candidate = wall - media - first
        guard isSettled else {
            delay = LeastDelay(min(delay.value, candidate), now: now)
            return
        }
        if let cameraTime { cameraOffset = cameraTime - (anchor + media) }
        delay.observe(candidate, now: now)
    }

    /// The camera's clock runs so fast, or sent so much of its past at first, that media time lies in the future.
    package var runsAhead: Bool { delay.value - delay.target > Self.tolerance }

    package func wall(_ media: TimeSpan) -> WallTime { anchor + media }
}

/// Notices when the wall clock is set: realtime minus monotonic moves faster than discipline moves it.
package struct WallStep: Sendable {
    package static let threshold = TimeSpan.milliseconds(500)

    /// Wall minus monotonic time that the running session counts with, in microseconds.
    private var reference: TimeSpan
    private var checkedAt: MonotonicTime

    package init(wall: WallTime, now: MonotonicTime) {
        reference = Self.offset(wall, now)
        checkedAt = now
    }

    /// True while the wall clock is more than the threshold away from the one counted with.
    package mutating func isStepped(wall: WallTime, now: MonotonicTime) -> Bool {
        let difference = Self.offset(wall, now) - reference
        guard difference.magnitude <= Self.threshold else { return true }
        let most = max((now - checkedAt).microseconds.scaled(by: LeastDelay.slewPerMillion, over: 1_000_000), 0)
        if most > 0 {
            reference = reference + TimeSpan(microseconds: min(max(difference.microseconds, -most), most))
            checkedAt = now
        }
        return false
    }

    /// The wall clock as the running session counts it.
    package func counted(_ now: MonotonicTime) -> WallTime { WallTime(microseconds: 0) + reference + now.sinceBoot }

    /// Counts with the clock as it is now.
    package mutating func accept(wall: WallTime, now: MonotonicTime) { self = WallStep(wall: wall, now: now) }

    private static func offset(_ wall: WallTime, _ now: MonotonicTime) -> TimeSpan {
        wall - (WallTime(microseconds: 0) + now.sinceBoot)
    }
}

extension MonotonicTime {
    var sinceBoot: TimeSpan { self - MonotonicTime(microseconds: 0) }
}
