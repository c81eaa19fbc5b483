internal import Recording

/// The newest group of pictures in memory: from its keyframe a recording can go on at once when a disk comes back,
/// instead of waiting for the next one.
struct RecentGroup: Sendable {
    static let largest = 32 << 20

    /// From a keyframe of the first track on; empty after the bound was passed, until the next keyframe.
    private(set) var frames: [TimedFrame] = []
    private var bytes = 0

    mutating func add(_ frame: TimedFrame) {
        if frame.track == 0, frame.isSync {
            frames = []
            bytes = 0
        } else if frames.isEmpty {
            return
        }
        bytes += frame.data.count
        guard bytes <= Self.largest else {
            self = RecentGroup()
            return
        }
        frames.append(frame)
    }
}
