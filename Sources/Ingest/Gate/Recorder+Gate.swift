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
    private static let mostPreRoll: Int64 = 512 << 20

    /// Somebody wants this recorded: it begins with the next turn.
    ///
    /// Ignored by a camera without a gate.
    package func take(_ window: RecordingWindow) {
        guard case .over(let session)? = gated?.gate.take(window, now: clocks.monotonic(), wall: clocks.wall()) else {
            return
        }
        mention("windowClosed", "\(window.id) \(session)")
    }

    /// Gets or loses its gate, as the settings say.
    func takeGate(_ settings: CameraSettings, inherited gap: Gap?) {
        guard let role = settings.gate else {
            gated = nil
            return
        }
        let budget = settings.cacheBudgetBytes
        let most = budget > 0 ? min(Self.mostPreRoll, budget / 2) : Self.mostPreRoll
        if let preRoll = gated?.preRoll {
            (preRoll.reach, preRoll.mostBytes) = (role.preRoll, most)
            return
        }
        let known = gap.flatMap { $0.reason == .gateClosed ? nil : ($0.reason, $0.detail) }
        gated = GatedRecording(
            preRoll: PreRoll(in: cacheWriter.cache, reach: role.preRoll, mostBytes: most),
            absence: known ?? (settings.predecessorEnd ?? .stopped, "the worker had just started"),
            inherited: cacheWriter.recordedUntil.map { clocks.monotonic() + ($0 - clocks.wall()) })
    }

    /// What a worker before left.
    func removePreRoll() {
        // It is in nobody's way, and the next start tries again.
        try? PreRollFolder.discard(in: cacheWriter.cache)
    }

    /// A frame of a camera with a gate.
    func pass(_ frame: TimedFrame) {
        do throws(SegmentStoreError) {
            try gated?.preRoll.append(frame)
        } catch {
            note(Trouble(error))
        }
        if frame.track == 0, let intake { gated?.reached = intake.instant(of: frame) }
        recordingSince = recordingSince ?? clocks.monotonic()
        turnGate()
        if gated?.isClosed == true { shut() }
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

    /// The camera is there and nobody wants it recorded, or it just begins to be.
    var isWaitingForWindow: Bool {
        guard gated != nil, intake != nil, !isStalled, diskRetryAt == nil, rhythm.lastFrame != nil else { return false }
        return [nil, .gateClosed].contains(cacheWriter.ledger.current?.reason)
    }

    func gatedAnchor(at frame: TimedFrame, lead: TimeSpan) -> WallTime? {
        guard gated != nil, let intake else { return nil }
        let anchor = step.counted(intake.instant(of: frame)) - lead
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
        begin(window)
    }

    /// Where the window begins, and what of it is missing before.
    private func begin(_ window: Gate.Window) {
        guard let gated else { return }
        let from = max(window.from, gated.inherited ?? window.from)
        // A predecessor recorded it to its end.
        guard from + .milliseconds(100) < window.until || from == window.from else { return tellClosed(window) }
        let preRoll = gated.preRoll
        let before = intake.flatMap { intake in
            preRoll.keyframe(upTo: preRoll.end) { intake.instant(of: $0) <= from }
        }
        let cursor = before ?? preRoll.firstKeyframe ?? preRoll.end
        self.gated?.cursor = cursor
        early = soundBefore(cursor)
        if before == nil, !preRoll.isFilled {
            cacheWriter.openGap(
                from: step.counted(from), reason: gated.absence.reason, detail: gated.absence.detail)
        }
    }

    /// The other tracks' frames that begin with a keyframe or later, and came before it was whole.
    private func soundBefore(_ keyframe: Int64) -> [TimedFrame] {
        guard let preRoll = gated?.preRoll, let intake, let first = preRoll.times(of: keyframe) else { return [] }
        let start = intake.instant(of: first)
        return (max(preRoll.start, keyframe - 64)..<keyframe).compactMap { number in
            guard let times = preRoll.times(of: number), times.track != 0, intake.instant(of: times) >= start else {
                return nil
            }
            // Sound that cannot be read is missing, and nothing else.
            return try? preRoll.frame(number)
        }
    }

    /// Records on, up to a frame that does not begin before the window's end.
    private func recordWindow(until end: MonotonicTime) {
        while let gated, let window = gated.gate.open, diskRetryAt == nil, !hasHandedOver,
            gated.cursor < gated.preRoll.end, !isReached(window)
        {
            guard gated.cursor >= gated.preRoll.start else {
                skipLost(to: gated.preRoll.start)
                continue
            }
            do throws(SegmentStoreError) {
                let frame = try gated.preRoll.frame(gated.cursor)
                self.gated?.cursor = gated.cursor + 1
                if let frame { record(frame) }
            } catch {
                // What cannot be read once is not tried again.
                note(Trouble(error))
                gated.preRoll.forget()
            }
            if clocks.monotonic() >= end { return }
        }
    }

    /// The next frame of the window begins at its end or later.
    private func isReached(_ window: Gate.Window) -> Bool {
        guard let gated, let intake, let next = gated.preRoll.times(of: gated.cursor), next.track == 0 else {
            return false
        }
        return intake.instant(of: next) >= window.until
    }

    /// The disk was too slow, or failed: the pre-roll let go of what the window had not taken yet.
    private func skipLost(to start: Int64) {
        let trouble = Trouble.preRollLost
        note(trouble)
        endSession(reason: trouble.reason, detail: trouble.fault.message)
        lose(reason: trouble.reason, detail: trouble.fault.message)
        gated?.cursor = start
    }

    /// The disk is tried again from the keyframe on that it failed after.
    func resumeWindow() {
        guard let gated, !gated.isClosed else { return }
        attempt { () throws(SegmentStoreError) in
            do throws(SegmentStoreError) {
                try cacheWriter.checkRoom(for: 0)
            } catch {
                // The pre-roll is the first to go: what waits in it has nowhere to go either.
                if error.isNoSpace { self.gated?.dropPreRoll() }
                throw error
            }
            self.gated?.cursor = gated.preRoll.keyframe(upTo: gated.cursor) ?? max(gated.cursor, gated.preRoll.start)
        }
    }

    /// Whether a window that is over was closed.
    private func closeReached() -> Bool {
        guard let gated, let window = gated.gate.open else { return false }
        let late = clocks.monotonic() - window.until
        // Without a frame that says so, the time does.
        guard late >= Self.linger, isReached(window) || (!isBehind && late >= Self.lateness + rhythm.patience) else {
            return false
        }
        close(window)
        return true
    }

    private func close(_ window: Gate.Window) {
        let until = step.counted(window.until)
        if let ending = session {
            attempt { () throws(SegmentStoreError) in try ending.closeBehindPicture() }
            // A disk that failed has ended the session already.
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
        let isPredecessors = gated.inherited.map { $0 > window.from } ?? false
        let last = cacheWriter.lastSession
        let session = last > gated.sessionBefore || isPredecessors ? last : 0
        self.gated?.gate.close(session: session)
        mention("windowClosed", "\(window.asked.id) \(session)")
    }

    // MARK: The ends of a connection and of a worker

    /// No more frames come: what is there of each window is recorded yet.
    func finishRecording() {
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
            if frame.track == 0, let intake { gated?.reached = intake.instant(of: frame) }
        }
        if let handOver, let intake, let seam = Seam(handOver, in: frames, step),
            let next = gated?.gate.waiting.first, next.from <= intake.instant(of: frames[seam.keyframe])
        {
            _ = gated?.gate.openNext()
            gated?.sessionBefore = cacheWriter.lastSession
            let lead = seam.lead(in: frames, intake.timescales)
            begin(at: frames[seam.keyframe], lead: lead, anchor: handOver.at - lead)
            early = seam.rest(of: Array(frames.prefix(seam.keyframe)))
            gated?.cursor = first + Int64(seam.keyframe)
        }
        mention("tookOver", "behind the gate")
        turnGate()
        if gated?.isClosed == true { shut() }
    }

    /// What the camera says of itself, once for each connection.
    func describe(_ announcement: Announcement) {
        guard !announcement.sessionDescription.isEmpty else { return }
        mention("mediaSessionEstablished", announcement.sessionDescription)
    }
}
