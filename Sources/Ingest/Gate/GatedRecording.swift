internal import Messages
internal import Recording
internal import SegmentStore

/// What a recorder needs of a camera that is recorded by windows: which they are, the footage that waits for them, and
/// how far it went into the open one.
struct GatedRecording {
    /// What the pre-roll still has of a connection that is over.
    struct Reel {
        /// Its frames' times count by it.
        let intake: Intake
        /// Number of the frame behind its last one.
        let end: Int64
        /// Where its pictures end.
        let endedAt: MonotonicTime
        let reason: GapReason
        let detail: String
    }

    /// Why there is no footage from before the pre-roll's first, unless it was let go of.
    struct Absence {
        /// Nil: for as long as this process lives.
        var since: MonotonicTime?
        var reason: GapReason
        var detail: String
    }

    var gate = Gate()
    let preRoll: PreRoll
    /// Of earlier connections, the oldest first.
    private(set) var reels: [Reel] = []
    /// Number of the frame that the open window takes next.
    private(set) var cursor: Int64 = 0
    /// Number of the first frame of the connection that the window has come to.
    var entered: Int64 = 0
    /// How far the first track's frames have come, and where the last of them ends.
    var reached: MonotonicTime?
    var reachedEnd: MonotonicTime?
    var absence: Absence
    /// Where a predecessor's recording ends: in a window of its nothing before is recorded again.
    ///
    /// Nil where that is not known: a clock that was set is no witness (I11).
    var inherited: MonotonicTime?
    /// The last session's number when the window opened.
    var sessionBefore: Int64 = 0

    init(preRoll: PreRoll, absence: Absence, inherited: MonotonicTime?) {
        self.preRoll = preRoll
        self.absence = absence
        self.inherited = inherited
    }

    var isClosed: Bool { gate.open == nil }

    /// Of the open window.
    var names: SessionNames {
        gate.open.map { SessionNames(asset: $0.asked.asset, file: $0.asked.file) } ?? SessionNames()
    }

    /// Nil for a frame of the connection that is there.
    func reel(of number: Int64) -> Reel? { reels.first { number < $0.end } }

    /// The connection that ended between the last frame that the window took and the next.
    var ended: Reel? { reels.last { entered < $0.end && $0.end <= cursor } }

    /// The window goes on with this frame, whatever it took before.
    mutating func seek(to number: Int64) { (cursor, entered) = (number, number) }

    mutating func advance() { cursor += 1 }

    /// What is in between is lost to it.
    mutating func skip(to number: Int64) { cursor = max(cursor, number) }

    /// The connection is over: its frames stay, and the next one's times are others.
    mutating func endConnection(_ intake: Intake?, at now: MonotonicTime, reason: GapReason, detail: String) {
        let end = preRoll.end
        guard let intake, end > max(preRoll.start, reels.last?.end ?? 0) else {
            // Of what is missing behind a connection that brought something, its end is the reason.
            if reels.isEmpty { (absence.reason, absence.detail) = (reason, detail) }
            return
        }
        let endedAt = reachedEnd ?? now
        preRoll.endConnection(at: endedAt)
        reels.append(Reel(intake: intake, end: end, endedAt: endedAt, reason: reason, detail: detail))
    }

    /// Of the connection that the oldest frame is of there were more.
    var hasLetGo: Bool {
        guard let letGoTo = preRoll.letGoTo else { return false }
        return absence.since.map { letGoTo > $0 } ?? true
    }

    /// Lets go of what is too old, or too much.
    mutating func trim(at now: MonotonicTime) {
        preRoll.trim(at: now)
        while let first = reels.first, first.end <= preRoll.start {
            absence = Absence(since: first.endedAt, reason: first.reason, detail: first.detail)
            reels.removeFirst()
        }
    }

    /// Nothing that came until now is recorded any more.
    mutating func dropPreRoll(reason: GapReason, detail: String) {
        preRoll.forget()
        reels = []
        absence = Absence(since: nil, reason: reason, detail: detail)
        seek(to: preRoll.end)
    }
}
