internal import Messages
internal import Recording
internal import SegmentStore

/// What a recorder needs of a camera that is recorded by windows: which they are, the footage that waits for them, and
/// how far it went into the open one.
struct GatedRecording {
    var gate = Gate()
    let preRoll: PreRoll
    /// Number of the frame that the open window takes next.
    var cursor: Int64 = 0
    /// How far the first track's frames have come.
    var reached: MonotonicTime?
    /// Why there is no footage from before the pre-roll's first.
    var absence: (reason: GapReason, detail: String)
    /// Where a predecessor's recording ends: in a window of its nothing before is recorded again.
    let inherited: MonotonicTime?
    /// The last session's number when the window opened.
    var sessionBefore: Int64 = 0

    var isClosed: Bool { gate.open == nil }

    /// Of the open window.
    var names: SessionNames {
        gate.open.map { SessionNames(asset: $0.asked.asset, file: $0.asked.file) } ?? SessionNames()
    }

    /// The connection is over: the next one's times are others.
    mutating func forget(reason: GapReason, detail: String) {
        dropPreRoll()
        reached = nil
        absence = (reason, detail)
    }

    mutating func dropPreRoll() {
        preRoll.forget()
        cursor = preRoll.end
    }
}
