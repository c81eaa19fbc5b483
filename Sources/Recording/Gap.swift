/// Why a stretch of an active camera's time holds no media.
package enum GapReason: String, Sendable, CaseIterable {
    /// Refused, unreachable, away or silent.
    case cameraOffline
    /// RTSP 401 or 403.
    case authentication
    /// The camera answered with another RTSP error (404, 453, 5xx) or sends what cannot be recorded.
    case cameraRefused
    case unsupportedCodec
    /// The connection broke or stalled while it was delivering.
    case networkLoss
    case workerCrash
    case workerHang
    /// The whole box went down: other boot id, no session end.
    case hostRestart
    case diskFull
    case diskError
    /// A forward step of the wall clock: no frame is missing, UTC is.
    case clockStep
    case formatChange
    /// Stopped by the operator, or the service was.
    case stopped
    /// No event asked for a recording: nothing is missing that somebody wanted.
    case gateClosed
    /// An event asked for what was before it, and that was not kept any more, or there had been no room for it.
    case preRollTooShort
    /// Its worker was replaced by one of another build, and the camera allows no second connection meanwhile.
    case upgrade
    /// The box that recorded before was lost, and another one took its place.
    case boxReplaced
    case evicted
    /// A reason that this build does not know, written by a newer one.
    case unknown
}

/// A known loss: a stretch of a camera's time with no media, and why.
package struct Gap: Hashable, Sendable {
    package var from: WallTime
    /// Nil while the gap is open.
    package var to: WallTime?
    package var reason: GapReason
    /// One line for the operator; never a secret.
    package var detail: String

    package init(from: WallTime, to: WallTime?, reason: GapReason, detail: String) {
        self.from = from
        self.to = to
        self.reason = reason
        self.detail = detail
    }
}

/// What a gap is, wherever footage is listed, cut, played or covered: the one place that says so.
extension Gap {
    /// No frame for this long is a gap.
    package static let least = TimeSpan.seconds(2)
    /// Where a segment is missing in between less is one too, but for what clocks and rounding are off by.
    private static let rounding = TimeSpan.milliseconds(500)

    /// Whether the camera has a gap between the end of what is played of one segment and the start of the next.
    package static func isBetween(
        _ end: WallTime, of last: SegmentID, _ start: WallTime, of next: SegmentID
    ) -> Bool {
        let length = start - end
        guard length < least else { return true }
        return last.session == next.session && next.counter.subtractingSaturated(last.counter) > 1
            && length > rounding
    }
}
