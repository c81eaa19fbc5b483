package import Recording

/// What a segment says of itself in its init part: whose it is, when it was, and what is missing before it.
package struct SegmentInfo: Hashable, Sendable {
    /// The format's version; this build reads and writes 1.
    package var version: Int
    package var camera: CameraName
    package var id: SegmentID
    /// Wall time of the session's media time 0, as slewed when the segment was opened.
    package var anchor: WallTime
    package var quality: ClockQuality
    /// The camera's own clock (RTCP sender report) minus ours, when known.
    package var cameraClockOffset: TimeSpan?
    /// The loss just before this segment; its `to` is set, its detail lives in the journal.
    package var gapBefore: Gap?

    package init(
        version: Int = 1, camera: CameraName, id: SegmentID, anchor: WallTime, quality: ClockQuality,
        cameraClockOffset: TimeSpan? = nil, gapBefore: Gap? = nil
    ) {
        self.version = version
        self.camera = camera
        self.id = id
        self.anchor = anchor
        self.quality = quality
        self.cameraClockOffset = cameraClockOffset
        self.gapBefore = gapBefore
    }
}
