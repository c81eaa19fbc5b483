internal import FragmentedMP4
package import Messages
internal import Recording
internal import SegmentStore

/// What the recorder does when a disk, a clock or a camera fails it.
extension Recorder {
    /// What takes long here keeps us from the camera, which may give up on us meanwhile.
    func attempt(_ body: () throws(SegmentStoreError) -> Void) {
        let start = clocks.monotonic()
        do throws(SegmentStoreError) {
            try body()
        } catch {
            diskFailed(error)
        }
        let end = clocks.monotonic()
        if end - start >= CacheWriter.leastDiskWait { cacheWriter.diskWait = (end - start, end) }
    }

    /// The session is over, its connection is not: the disk is tried again every 2 s and at each keyframe.
    func diskFailed(_ error: SegmentStoreError) {
        let trouble = Trouble(error)
        note(trouble)
        if error.isDescriptorLimit { isOutOfDescriptors = true }
        diskRetryAt = clocks.monotonic() + Self.diskRetry
        if let ending = session {
            session = nil
            let written = ending.abandon(after: error)
            rewindWindow(to: written ?? ending.clock.anchor)
            if let end = written, let number = ending.number {
                cacheWriter.recordedUntil = end
                cacheWriter.endSession(
                    number, at: end, reason: trouble.reason, detail: trouble.fault.message, leavesGap: true)
                return
            }
        }
        lose(reason: trouble.reason, detail: trouble.fault.message)
    }

    /// Tries the disk with the newest group of pictures, so that a recording goes on where its keyframe was.
    func resume() {
        diskRetryAt = nil
        guard gated == nil else { return resumeWindow() }
        let frames = group.frames
        attempt { () throws(SegmentStoreError) in
            try cacheWriter.checkRoom(for: frames.reduce(0) { $0 + Int64($1.data.count) })
            guard let first = frames.first else { return }
            begin(at: first)
            for frame in frames { try append(frame) }
            try session?.writeIfOlder(than: clocks.monotonic() + .seconds(1))
        }
    }

    /// Closes the session, journals its end and opens the gap from there on.
    func endSession(reason: GapReason, detail: String, leavesGap: Bool = true) {
        guard let ending = session else { return }
        attempt { () throws(SegmentStoreError) in try ending.close() }
        // A disk that failed has ended the session already.
        guard session != nil else { return }
        session = nil
        guard let number = ending.number else { return }
        cacheWriter.recordedUntil = ending.wallEnd
        cacheWriter.endSession(number, at: ending.wallEnd, reason: reason, detail: detail, leavesGap: leavesGap)
    }

    /// Media is missing from now on, or since this process answers for the camera if it never had any.
    func lose(reason: GapReason, detail: String) {
        let now = step.counted(clocks.monotonic())
        let from = cacheWriter.ledger.current == nil ? cacheWriter.recordedUntil ?? activeSince : now
        cacheWriter.openGap(from: from, reason: reason, detail: detail)
    }

    func note(_ trouble: Trouble) {
        faultAt = clocks.monotonic()
        counted.lastFaultAt = clocks.wall()
        guard counted.lastFault != trouble.fault else { return }
        counted.lastFault = trouble.fault
        mention(trouble.fault.code, trouble.fault.message)
    }

    func mention(_ type: String, _ detail: String) {
        cacheWriter.facts.mention(.event(type: type, at: clocks.wall(), detail: detail))
    }

    // MARK: Watches, run by the tick

    /// A wall clock that was set ends the session at the next keyframe, on the same connection.
    func watchClock(_ now: MonotonicTime) {
        guard step.isStepped(wall: clocks.wall(), now: now) else {
            steppedFrom = nil
            return
        }
        if steppedFrom == nil { steppedFrom = step.counted(now) }
        if session == nil { acceptClock() }
    }

    /// Ends a session whose wall clock was set or is synchronised at last, or whose media runs ahead of time.
    ///
    /// Returns how far before `frame` its successor begins, so that no other track's sample falls between them.
    func restartIfNeeded(at frame: TimedFrame) -> TimeSpan {
        guard let running = session else { return .zero }
        // Only dates that somebody vouches for let retention count.
        let isVouchedFor = running.clock.quality == .unsynchronised && clocks.isSynchronised()
        guard steppedFrom != nil || running.clock.runsAhead || isVouchedFor else { return .zero }
        if steppedFrom != nil {
            let isForward = clocks.wall() > step.counted(clocks.monotonic())
            endSession(reason: .clockStep, detail: "the wall clock was set", leavesGap: isForward)
            acceptClock()
        } else if isVouchedFor {
            endSession(reason: .clockStep, detail: "the wall clock is synchronised now", leavesGap: false)
        } else {
            anomalies += 1
            note(.timestampsAhead)
            endSession(reason: .networkLoss, detail: "timestamps ran ahead of time", leavesGap: false)
        }
        return source?.lead(before: frame) ?? .zero
    }

    /// False for a keyframe of a camera that does not settle on a format: a gap says so until it has.
    func isSettled(_ frame: TimedFrame) -> Bool {
        guard formats.allows(frame.parameterSets, after: session?.parameterSets, at: clocks.monotonic()) else {
            let trouble = Trouble.unsettledFormat
            note(trouble)
            endSession(reason: trouble.reason, detail: trouble.fault.message)
            lose(reason: trouble.reason, detail: trouble.fault.message)
            early = []
            return false
        }
        return true
    }

    /// Counts with the wall clock as it is set now, and journals the step.
    func acceptClock() {
        guard steppedFrom != nil else { return }
        steppedFrom = nil
        let now = clocks.monotonic()
        let (from, to) = (step.counted(now), clocks.wall())
        step.accept(wall: to, now: now)
        gated?.inherited = nil
        // After a backward step the end of the recording lies in the future: no reason to wait for it.
        if to < from { (cacheWriter.recordedUntil, activeSince) = (nil, to) }
        cacheWriter.facts.state(.clockStep(from: from, to: to), at: to)
        cacheWriter.carryGap(overStepFrom: from, to: to)
        mention("clockStep", "from \(from.rfc3339) to \(to.rfc3339)")
    }

    /// No frame for too long: what waits is written with an estimated end, and a gap opens there.
    func watchStall(_ now: MonotonicTime) {
        guard !isStalled, rhythm.isStalled(at: now) else { return }
        isStalled = true
        for frame in intake?.flush() ?? [] { consume(frame) }
        attempt { () throws(SegmentStoreError) in try session?.writeIfOlder(than: now + .seconds(1)) }
        guard let session, session.number != nil else { return }
        let trouble = cacheWriter.explained(.stalled(for: rhythm.patience))
        note(trouble)
        cacheWriter.openGap(from: session.wallEnd, reason: trouble.reason, detail: trouble.fault.message)
    }

    /// A fault that is over is told no more: the next one of its kind is news again.
    func watchHealth(_ now: MonotonicTime) {
        guard isRecording, let faultAt, now - faultAt >= Self.convalescence else { return }
        self.faultAt = nil
        counted.lastFault = shortcoming?.fault
    }

    func watchKeyframe(_ now: MonotonicTime) {
        guard let connectedAt, session == nil, diskRetryAt == nil, group.frames.isEmpty,
            now - connectedAt > Self.keyframePatience, rhythm.lastFrame != nil
        else { return }
        note(.noKeyframe)
        guard gated?.isClosed != true else { return }
        lose(reason: Trouble.noKeyframe.reason, detail: Trouble.noKeyframe.fault.message)
    }
}

extension Recorder {
    /// Media is on disk up to now, or would be if anybody wanted it.
    private var isRecording: Bool {
        session?.number != nil && cacheWriter.ledger.current == nil || isWaitingForWindow
    }

    /// Counters and facts as of now.
    package var progress: WorkerProgress {
        let now = clocks.monotonic()
        var progress = counted
        let hasRecorded = cacheWriter.fragmentsWritten > 0
        progress.state =
            isRecording ? .recording : counted.lastFault == nil && !hasRecorded ? .starting : .reconnecting
        progress.session = cacheWriter.lastSession
        if let session {
            progress.codec = session.codecs
            progress.width = Int64(session.tracks.first?.width ?? 0)
            progress.height = Int64(session.tracks.first?.height ?? 0)
            counted.codec = progress.codec
            counted.width = progress.width
            counted.height = progress.height
        }
        (progress.framesPerSecond, progress.bitsPerSecond) = meter.rates(at: now)
        progress.fragmentsWritten = cacheWriter.fragmentsWritten
        progress.syncs = cacheWriter.syncs
        progress.fsyncs = cacheWriter.cache.syncTimes.count
        progress.fsyncTime = cacheWriter.cache.syncTimes.total
        progress.fsyncP99 = cacheWriter.cache.recentSync
        progress.lastFrameAge = rhythm.lastFrame.map { now - $0 }
        progress.keyframeInterval = keyframes.interval
        progress.anomalies = anomalies + (intake?.repairs ?? 0)
        progress.isGateClosed = gated?.isClosed ?? false
        progress.window = cacheWriter.window
        return progress
    }
}
