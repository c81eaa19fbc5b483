internal import FragmentedMP4
internal import Messages
internal import Recording
internal import SegmentStore

/// A worker's hand on its cache: files, journal, gaps and the room they need.
///
/// The worker that holds the slot lock owns it. What is journalled here survives a crash; nothing else does.
final class CacheWriter {
    let camera: CameraName
    let cache: CacheDirectory
    let facts: FactLog
    let clocks: Clocks
    var room: RoomMaker
    private(set) var ledger: GapLedger
    private(set) var fragmentsWritten: Int64 = 0
    private(set) var syncs: Int64 = 0
    /// The last session's number; 0 before the first.
    private(set) var lastSession: Int64
    /// Those of the open window of which something is on disk; nil before the first.
    private(set) var written: ClosedRange<Int64>?
    /// How long the disk last kept us from the camera, and until when.
    var diskWait: (span: TimeSpan, until: MonotonicTime)?
    /// Where the footage of the next session goes.
    var names = SessionNames()
    /// The window that the next session is begun for, and that of the last one as long as it is open; empty without.
    var nextWindow = ""
    private(set) var window = ""
    /// Where the recording so far ends; nil in a fresh cache.
    var recordedUntil: WallTime?
    private let schedule: SyncSchedule
    /// Segments whose trailer found no space; closed before the next session begins.
    private var unfinished: [SegmentOutput] = []
    /// Why segments that an earlier worker left are not closed yet.
    private var deferred: [SegmentStoreError]

    init(
        camera: CameraName, cache: CacheDirectory, facts: FactLog, clocks: Clocks, room: RoomMaker,
        recovered: RecoveryReport
    ) {
        self.camera = camera
        self.cache = cache
        self.facts = facts
        self.clocks = clocks
        self.room = room
        ledger = GapLedger(current: recovered.openGap)
        lastSession = recovered.lastSession
        recordedUntil = recovered.openGap?.from
        deferred = recovered.deferred
        schedule = SyncSchedule(disk: cache.diskKind, camera: camera)
    }

    func openGap(from: WallTime, reason: GapReason, detail: String) {
        record(ledger.open(from: from, reason: reason, detail: detail))
    }

    /// Of the past, before the open gap.
    func explainGaps(from: WallTime, to: WallTime, reason: GapReason, detail: String) {
        record(ledger.explain(from: from, to: to, reason: reason, detail: detail))
    }

    func closeGap(to: WallTime) { record(ledger.close(to: to)) }

    /// A gap that is open while the wall clock is set ends where the old time did and goes on in the new.
    ///
    /// What the clock left out when it was set forward is nobody's loss, but a gap in UTC all the same.
    func carryGap(overStepFrom from: WallTime, to: WallTime) {
        guard let gap = ledger.current, gap.reason != .clockStep else { return }
        closeGap(to: from)
        if to > from {
            openGap(from: from, reason: .clockStep, detail: "the wall clock was set")
            closeGap(to: to)
        }
        openGap(from: to, reason: gap.reason, detail: gap.detail)
    }

    /// Reports the end of media and journals it, then opens what is missing from there on.
    func endSession(_ number: Int64, at end: WallTime, reason: GapReason, detail: String, leavesGap: Bool) {
        facts.state(.sessionEnd(session: number, end: end, reason: reason), at: clocks.wall())
        if leavesGap { openGap(from: end, reason: reason, detail: detail) }
    }

    /// Throws while it makes no sense to try: no room for `bytes`, or facts that wait for the disk.
    func checkRoom(for bytes: Int64) throws(SegmentStoreError) {
        let (wall, now) = (clocks.wall(), clocks.monotonic())
        try facts.flush()
        try room.makeSpace(bytes.addingSaturated(1 << 20), journal: facts.journal, wall: wall, now: now)
        try room.keepBudget(journal: facts.journal, wall: wall, now: now)
        try closeWaiting()
        // What an earlier worker left is no reason not to record.
        if !deferred.isEmpty { deferred = Recovery.settle(in: cache, journal: facts.journal, now: wall) }
    }

    private func closeWaiting() throws(SegmentStoreError) {
        while let left = unfinished.last {
            try close(waiting: left)
            unfinished.removeLast()
        }
    }

    private func close(waiting output: SegmentOutput) throws(SegmentStoreError) {
        do {
            try finish(output)
        } catch {
            guard !error.isNoSpace || output.appender.isFailed else { throw error }
            setAside(output)
        }
    }

    /// What keeps segments of an earlier worker from being closed.
    var leftover: SegmentStoreError? { deferred.first }

    /// The next session's number is above this one.
    func number(above session: Int64) { lastSession = max(lastSession, session) }

    func startSession(_ clock: SessionClock, codecs: String) throws(SegmentStoreError) -> Int64 {
        try checkRoom(for: 0)
        let number = lastSession.addingSaturated(1)
        try facts.journal.append(
            .sessionStart(
                session: number, anchor: clock.anchor, quality: clock.quality, codecs: codecs, names: names),
            at: clocks.wall())
        (lastSession, window) = (number, nextWindow)
        return number
    }

    func beginWindow() { written = nil }

    /// Something of that session is on disk.
    func noteWritten(_ session: Int64) {
        written = min(written?.lowerBound ?? session, session)...max(written?.upperBound ?? session, session)
    }

    /// If it is lengthened later, what is recorded of it then are other sessions.
    func endWindow() { window = "" }

    func open(_ info: SegmentInfo, tracks: [Track], start: WallTime) throws(SegmentStoreError) -> SegmentOutput {
        let encoder = SegmentEncoder(tracks: tracks, info: info)
        let appender = try makingRoom(for: encoder.initPart.count) { () throws(SegmentStoreError) in
            try SegmentAppender(
                in: cache, start: start, id: info.id, initPart: encoder.initPart, journal: facts.journal,
                now: clocks.wall())
        }
        return SegmentOutput(
            appender: appender, encoder: encoder, id: info.id, start: start, syncedAt: clocks.monotonic())
    }

    /// One write, one sync when it is time; on an error the file ends with its last whole fragment.
    func append(_ samples: [Sample], to output: inout SegmentOutput) throws(SegmentStoreError) {
        var encoder = output.encoder
        let bytes = encoder.fragment(samples)
        let appender = output.appender
        try makingRoom(for: bytes.count) { () throws(SegmentStoreError) in try appender.append(bytes) }
        output.encoder = encoder
        fragmentsWritten += 1
        guard schedule.isDue(at: clocks.monotonic(), last: output.syncedAt) else { return }
        try sync(&output)
    }

    /// Closes a segment and reports it.
    ///
    /// One whose trailer finds no space is kept and closed later; any other error sets it aside.
    func close(_ output: SegmentOutput) throws(SegmentStoreError) {
        do {
            try finish(output)
        } catch {
            // A sync that fails has lost bytes, also when it says that it was for want of space.
            guard !error.isNoSpace || output.appender.isFailed else {
                unfinished.append(output)
                return
            }
            setAside(output)
            throw error
        }
        // There was room for this one's trailer; what finds none yet is tried again with the next.
        try? closeWaiting()
        try room.keepBudget(journal: facts.journal, wall: clocks.wall(), now: clocks.monotonic())
    }

    func setAside(_ output: SegmentOutput) {
        // Recovery finds the file under either name; there is nothing else to do with a disk that fails.
        try? output.appender.setAside()
    }

    /// Last attempt before the process ends; recovery closes what stays.
    func finishWaiting() {
        // The next start recovers the files as they are.
        for left in unfinished { try? finish(left) }
        unfinished = []
    }

    private func sync(_ output: inout SegmentOutput) throws(SegmentStoreError) {
        try output.appender.sync()
        output.syncedAt = clocks.monotonic()
        syncs += 1
    }

    private func finish(_ output: SegmentOutput) throws(SegmentStoreError) {
        let trailer = output.encoder.trailer()
        let name = try output.appender.close(trailer: trailer)
        syncs += 1
        let bytes = output.appender.length + Int64(trailer.count)
        facts.state(
            .segmentClosed(name.id, start: name.start, duration: output.duration, bytes: bytes), at: clocks.wall(),
            report: .segmentClosed(name.id, start: output.start, duration: output.duration, bytes: bytes))
    }

    /// Tries again once after making room, when it is room that is missing (I7).
    private func makingRoom<Value>(
        for bytes: Int, _ body: () throws(SegmentStoreError) -> Value
    ) throws(SegmentStoreError) -> Value {
        do {
            return try body()
        } catch {
            guard error.isNoSpace else { throw error }
            try room.makeSpace(
                Int64(bytes) + 1 << 20, isRefused: true, journal: facts.journal, wall: clocks.wall(),
                now: clocks.monotonic())
            return try body()
        }
    }

    private func record(_ changes: [GapLedger.Change]) {
        let now = clocks.wall()
        for change in changes {
            switch change {
            case .opened(let gap):
                facts.state(
                    .gapOpen(from: gap.from, reason: gap.reason, detail: gap.detail), at: now,
                    report: .gapOpened(from: gap.from, reason: gap.reason, detail: gap.detail))
            case .closed(let gap):
                let end = gap.to ?? gap.from
                facts.state(
                    .gapClose(to: end), at: now,
                    // One without a length is nobody's loss.
                    report: end > gap.from ? .gapClosed(from: gap.from, to: end, reason: gap.reason) : nil)
            }
        }
    }
}

extension CacheWriter {
    /// Shorter waits cost no frame: the camera's packets wait in its socket.
    static let leastDiskWait = TimeSpan.seconds(2)
    /// For so long after a wait a camera may still fall silent or hang up because of it.
    private static let aftermath = TimeSpan.seconds(15)

    /// The trouble as it is, or the disk's where that kept us from the camera just before.
    func explained(_ trouble: Trouble) -> Trouble {
        guard trouble.reason == .networkLoss, let diskWait, clocks.monotonic() - diskWait.until < Self.aftermath else {
            return trouble
        }
        return .diskStalled(for: diskWait.span)
    }
}

/// The segment that is being written.
struct SegmentOutput {
    let appender: SegmentAppender
    /// Follows the bytes on disk: an append that failed leaves it as it was.
    var encoder: SegmentEncoder
    let id: SegmentID
    let start: WallTime
    /// Media in the first track, up to the end of the last whole fragment.
    var duration = TimeSpan.zero
    var syncedAt: MonotonicTime

    init(appender: SegmentAppender, encoder: SegmentEncoder, id: SegmentID, start: WallTime, syncedAt: MonotonicTime) {
        self.appender = appender
        self.encoder = encoder
        self.id = id
        self.start = start
        self.syncedAt = syncedAt
    }
}
