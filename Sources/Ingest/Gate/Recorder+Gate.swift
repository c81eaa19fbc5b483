package import Messages
internal import Recording
internal import SegmentStore

/// Recording by windows: what comes goes into the pre-roll, and an open window takes from there what lies in it.
///
/// So a window may begin in the past, and one that is prolonged late goes on as if it had been so from the start. What
/// is recorded goes the same way from there on as everything of a camera without a gate.
extension Recorder {
    /// A window that is reached ends after this: so late it may still be prolonged.
    static let linger = TimeSpan.seconds(1)
    /// A frame may come so late.
    private static let lateness = TimeSpan.seconds(2)
    /// Longer than this at a time the loop is not kept from the camera.
    private static let turn = TimeSpan.milliseconds(20)
    /// So long the rest of a connection may take: cvrd takes a worker that says nothing for 5 s for hung.
    private static let farewell = TimeSpan.seconds(3)

    /// Somebody wants this recorded: it begins with the next turn.
    ///
    /// Ignored by a camera without a gate.
    package func take(_ window: RecordingWindow) {
        guard case .over(let sessions)? = gated?.gate.take(window, now: clocks.monotonic(), wall: clocks.wall()) else {
            return
        }
        tellClosed(window, sessions)
    }

    private func tellClosed(_ window: RecordingWindow, _ sessions: ClosedRange<Int64>?) {
        let (first, last) = (sessions?.lowerBound ?? 0, sessions?.upperBound ?? 0)
        mention("windowClosed", "\(window.id) \(last)" + (first < last ? " \(first)" : ""))
    }

    /// Nothing is wanted from here on.
    func shut() {
        guard cacheWriter.ledger.current?.reason != .gateClosed else { return }
        lose(reason: .gateClosed, detail: "no event asked for a recording")
    }

    /// Opens, records and closes what it is time for; some milliseconds at a time.
    func turnGate() {
        let end = clocks.monotonic() + Self.turn
        repeat {
            openDue()
            recordWindow(until: end)
        } while closeReached()
    }

    /// More of the open window has come than is recorded.
    var isBehind: Bool {
        guard let gated, let window = gated.gate.open, diskRetryAt == nil else { return false }
        return gated.cursor < gated.preRoll.end && !isReached(window)
    }

    /// The same while the disk takes nothing: it may, before the pre-roll has to let go.
    private var isKept: Bool {
        guard let gated, let window = gated.gate.open, diskRetryAt != nil else { return false }
        return gated.cursor >= gated.preRoll.start && gated.cursor < gated.preRoll.end && !isReached(window)
    }

    /// The camera is there and nobody wants it recorded, or it just begins to be.
    var isWaitingForWindow: Bool {
        guard gated != nil, intake != nil, !isStalled, diskRetryAt == nil, rhythm.lastFrame != nil else { return false }
        return [nil, .gateClosed].contains(cacheWriter.ledger.current?.reason)
    }

    func gatedAnchor(at frame: TimedFrame, lead: TimeSpan) -> WallTime? {
        guard gated != nil, let source else { return nil }
        let anchor = step.counted(source.instant(of: frame)) - lead
        // Two windows may hold the same moment, and a recording that goes on after a disk failed begins with its group
        // again: both are dated as they were.
        if let until = cacheWriter.recordedUntil, anchor < until { cacheWriter.recordedUntil = nil }
        return anchor
    }

    // MARK: A window's way

    private func openDue() {
        guard let gated, gated.isClosed, let next = gated.gate.waiting.first else { return }
        let hasCome = gated.reached.map { $0 >= next.from } ?? false
        guard hasCome || clocks.monotonic() - next.from >= Self.lateness, let window = self.gated?.gate.openNext()
        else { return }
        self.gated?.sessionBefore = cacheWriter.lastSession
        cacheWriter.beginWindow()
        begin(window)
    }

    /// Where the window begins, and what of it is missing before.
    private func begin(_ window: Gate.Window) {
        gated?.trim(at: clocks.monotonic())
        guard let gated else { return }
        let from = max(window.from, gated.inherited ?? window.from)
        // A predecessor recorded it to its end.
        guard from + .milliseconds(100) < window.until || from == window.from else { return tellClosed(window) }
        let preRoll = gated.preRoll
        let before = preRoll.keyframe(upTo: preRoll.end) { [self] number, frame in
            instant(of: frame, number).map { $0 <= from } ?? false
        }
        let reel = before.flatMap { gated.reel(of: $0) }
        if let before, reel.map({ from < $0.endedAt }) ?? true {
            self.gated?.seek(to: before)
            early = soundBefore(before)
            return
        }
        let first = preRoll.keyframe(from: reel?.end ?? preRoll.start)
        self.gated?.seek(to: first ?? preRoll.end)
        early = first.map { soundBefore($0) } ?? []
        if let reel {
            cacheWriter.openGap(from: step.counted(from), reason: reel.reason, detail: reel.detail)
        } else {
            explainAbsence(from: from, in: window)
        }
    }

    /// What was before the pre-roll's first frame, and is missing of a window.
    private func explainAbsence(from: MonotonicTime, in window: Gate.Window) {
        guard let gated else { return }
        let isLate = gated.hasLetGo || gated.absence.since.map { from < $0 } ?? false
        if isLate {
            let (late, reach) = (clocks.monotonic() - from, gated.preRoll.reach)
            let detail =
                late > reach + PreRoll.slack
                ? "an event came \(late.microseconds / 1_000_000) s after what it asks for, and \(reach.microseconds / 1_000_000) s are kept"
                : "there was no room for what came before an event"
            let begin = step.counted(from)
            cacheWriter.explainGaps(
                from: begin, to: step.counted(window.until), reason: .preRollTooShort, detail: detail)
            cacheWriter.openGap(from: begin, reason: .preRollTooShort, detail: detail)
        }
        guard !gated.hasLetGo else { return }
        let since = max(from, gated.absence.since ?? from)
        guard since < window.until else { return }
        cacheWriter.openGap(
            from: step.counted(since), reason: gated.absence.reason, detail: gated.absence.detail)
    }

    /// The other tracks' frames that begin with a keyframe or later, and came before it was whole.
    private func soundBefore(_ keyframe: Int64) -> [TimedFrame] {
        guard let gated, let first = gated.preRoll.times(of: keyframe), let start = instant(of: first, keyframe)
        else { return [] }
        let begin = gated.reels.last { $0.end <= keyframe }?.end ?? gated.preRoll.start
        return (max(begin, keyframe - 64)..<keyframe).compactMap { number in
            guard let times = gated.preRoll.times(of: number), times.track != 0,
                instant(of: times, number).map({ $0 >= start }) ?? false
            else { return nil }
            // Sound that cannot be read is missing, and nothing else.
            return try? gated.preRoll.frame(number)
        }
    }

    /// Records on, up to a frame that does not begin before the window's end.
    private func recordWindow(until end: MonotonicTime) {
        while let gated, let window = gated.gate.open, diskRetryAt == nil, !hasHandedOver, !isReached(window) {
            if let reel = gated.ended {
                leaveReel(reel)
                continue
            }
            guard gated.cursor < gated.preRoll.end else { return }
            guard gated.cursor >= gated.preRoll.start else {
                skipLost(to: gated.preRoll.start)
                continue
            }
            do throws(SegmentStoreError) {
                let frame = try gated.preRoll.frame(gated.cursor)
                // Nothing is missing of a recording that waits for its keyframe.
                if frame == nil, session != nil { skipLost(to: gated.cursor) }
                self.gated?.advance()
                if let frame { record(frame) }
            } catch {
                // What cannot be read once is not tried again.
                let trouble = Trouble(error)
                note(trouble)
                endSession(reason: trouble.reason, detail: trouble.fault.message)
                self.gated?.dropPreRoll(reason: trouble.reason, detail: trouble.fault.message)
            }
            if clocks.monotonic() >= end { return }
        }
    }

    /// All that an earlier connection brought is recorded.
    private func leaveReel(_ reel: GatedRecording.Reel) {
        gated?.entered = reel.end
        early = []
        endSession(reason: reel.reason, detail: reel.detail)
        if cacheWriter.ledger.current?.reason != reel.reason {
            cacheWriter.openGap(from: step.counted(reel.endedAt), reason: reel.reason, detail: reel.detail)
        }
    }

    /// The next frame of the window begins at its end or later.
    private func isReached(_ window: Gate.Window) -> Bool {
        guard let gated, let next = gated.preRoll.times(of: gated.cursor), next.track == 0,
            let instant = instant(of: next, gated.cursor)
        else { return false }
        return instant >= window.until
    }

    /// When a frame of the pre-roll begins.
    private func instant(of frame: TimedFrame, _ number: Int64) -> MonotonicTime? {
        (gated?.reel(of: number)?.intake ?? intake)?.instant(of: frame)
    }

    /// The disk was too slow, or failed: the pre-roll let go of what the window had not taken yet.
    private func skipLost(to start: Int64) {
        let trouble = Trouble.preRollLost
        note(trouble)
        endSession(reason: trouble.reason, detail: trouble.fault.message)
        lose(reason: trouble.reason, detail: trouble.fault.message)
        early = []
        gated?.skip(to: start)
    }

    /// What is not on the disk yet is recorded when it takes something again, from the keyframe before it on.
    func rewindWindow(to end: WallTime) {
        guard let gated, !gated.isClosed else { return }
        let key = gated.preRoll.keyframe(upTo: gated.cursor) { [self] number, frame in
            instant(of: frame, number).map { step.counted($0) <= end + .milliseconds(20) } ?? false
        }
        if let key { self.gated?.seek(to: key) }
    }

    /// The disk is tried again.
    func resumeWindow() {
        guard let gated, !gated.isClosed else { return }
        attempt { () throws(SegmentStoreError) in
            do throws(SegmentStoreError) {
                try cacheWriter.checkRoom(for: 0)
            } catch {
                // The pre-roll is the first to go: what waits in it has nowhere to go either.
                if error.isNoSpace {
                    let trouble = Trouble(error)
                    self.gated?.dropPreRoll(reason: trouble.reason, detail: trouble.fault.message)
                }
                throw error
            }
            let preRoll = gated.preRoll
            self.gated?.seek(
                to: preRoll.group(of: gated.cursor) ?? preRoll.keyframe(from: gated.cursor) ?? preRoll.end)
        }
    }

    /// Whether a window that is over was closed.
    private func closeReached() -> Bool {
        guard let gated, let window = gated.gate.open else { return false }
        let late = clocks.monotonic() - window.until
        // Without a frame that says so, the time does.
        let isOver = !isBehind && !isKept && late >= Self.lateness + rhythm.patience
        guard late >= Self.linger, isReached(window) || isOver else { return false }
        close(window)
        return true
    }

    private func close(_ window: Gate.Window) {
        let until = step.counted(window.until)
        if let ending = session {
            attempt { () throws(SegmentStoreError) in try ending.closeBehindPicture() }
            // A disk that failed has ended the session already, and may yet take the rest.
            if session == nil, isKept { return }
            if session != nil, let number = ending.number {
                session = nil
                cacheWriter.recordedUntil = ending.wallEnd
                cacheWriter.endSession(
                    number, at: ending.wallEnd, reason: .gateClosed, detail: "", leavesGap: false)
                if until - ending.wallEnd > Session.leastHole {
                    let stall = cacheWriter.explained(.stalled(for: until - ending.wallEnd))
                    cacheWriter.openGap(from: ending.wallEnd, reason: stall.reason, detail: stall.fault.message)
                }
            }
            session = nil
        }
        early = []
        let end = cacheWriter.recordedUntil ?? until
        cacheWriter.openGap(
            from: cacheWriter.ledger.current == nil ? end : until, reason: .gateClosed,
            detail: "no event asked for a recording")
        diskRetryAt = nil
        tellClosed(window)
    }

    private func tellClosed(_ window: Gate.Window) {
        guard let gated else { return }
        let isPredecessors = gated.sessionBefore > 0 && (gated.inherited.map { $0 > window.from } ?? false)
        // Of those that a predecessor began in it the last is known.
        let first = isPredecessors ? gated.sessionBefore : cacheWriter.written?.lowerBound
        let last = cacheWriter.written?.upperBound ?? first
        let sessions = first.flatMap { first in last.map { min(first, $0)...$0 } }
        self.gated?.gate.close(sessions)
        cacheWriter.endWindow()
        tellClosed(window.asked, sessions)
    }

    // MARK: The ends of a connection and of a worker

    /// No more frames come of this connection: what is there of each window is recorded yet.
    func finishRecording(reason: GapReason, detail: String) {
        gated?.endConnection(intake, at: clocks.monotonic(), reason: reason, detail: detail)
        let end = clocks.monotonic() + Self.farewell
        while true {
            openDue()
            recordWindow(until: end)
            guard let window = gated?.gate.open, isReached(window) else { return }
            close(window)
        }
    }

    /// Goes on behind a predecessor: in the window that it had open, or with an empty gate and what came meanwhile.
    func succeedBehindGate(_ frames: [TimedFrame], at handOver: HandOver?) {
        let first = gated?.preRoll.end ?? 0
        for frame in frames {
            // One that does not stay leaves a gap, if a window wants it.
            try? gated?.preRoll.append(frame)
            noteReach(of: frame)
        }
        if let handOver, let intake, let seam = Seam(handOver, in: frames, step),
            gated?.gate.open(at: intake.instant(of: frames[seam.keyframe])) != nil
        {
            gated?.sessionBefore = cacheWriter.lastSession
            cacheWriter.beginWindow()
            let lead = seam.lead(in: frames, intake.timescales)
            begin(at: frames[seam.keyframe], lead: lead, anchor: handOver.at - lead)
            early = seam.rest(of: Array(frames.prefix(seam.keyframe)))
            gated?.seek(to: first + Int64(seam.keyframe))
        }
        mention("tookOver", "behind the gate")
        turnGate()
        if gated?.isClosed == true { shut() }
    }
}
