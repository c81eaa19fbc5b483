internal import Messages
internal import Recording
internal import SegmentStore

/// How one worker goes on where another left off (ARCHITECTURE, "Swap").
extension Recorder {
    // MARK: The old worker

    /// Leaves the recording to a successor right before the next keyframe; without a recording, at once.
    ///
    /// `isAwaited` says whether the successor still waits, and is asked last of all.
    package func handOver(isAwaited: @escaping () -> Bool) { self.isAwaited = isAwaited }

    /// True when `frame`, a keyframe, and everything after it are the successor's.
    func handOver(before frame: TimedFrame) -> Bool {
        guard session != nil, !isBehind, isStillAwaited(), let ending = session else { return false }
        Failpoint.reach("handOver.begin")
        attempt { () throws(SegmentStoreError) in
            // What is heard before the keyframe is still ours.
            for other in intake?.flushSecondary(silentSince: clocks.monotonic() + .seconds(1)) ?? [] {
                try append(other)
            }
        }
        var seam: WallTime?
        attempt { () throws(SegmentStoreError) in seam = try ending.end(before: frame) }
        // A disk that failed has ended the session, with a gap: then there is nothing to hand over.
        guard let seam, session != nil, let number = ending.number else { return false }
        session = nil
        Failpoint.reach("handOver.closed")
        cacheWriter.recordedUntil = seam
        let handOver = HandOver(
            at: seam, keyframe: FrameMark(of: frame.data), heard: ending.lastHeard.mapValues { FrameMark(of: $0) })
        cacheWriter.facts.state(.handOver(session: number, handOver), at: clocks.wall())
        Failpoint.reach("handOver.journalled")
        hasHandedOver = true
        return true
    }

    /// Nothing is being recorded: there is no keyframe to wait for.
    func handOverWithoutRecording() {
        guard session == nil, !hasHandedOver, !isBehind, isStillAwaited() else { return }
        if cacheWriter.ledger.current == nil { lose(reason: .upgrade, detail: "the worker was replaced") }
        hasHandedOver = true
    }

    private func isStillAwaited() -> Bool {
        guard let isAwaited else { return false }
        if isAwaited() { return true }
        self.isAwaited = nil
        mention("handOverCancelled", "nobody waits for the recording any more")
        return false
    }

    // MARK: The successor

    /// Goes on with what a rehearsal received; `handOver` is where the predecessor left off on purpose.
    func succeed(_ rehearsal: Rehearsal, at handOver: HandOver?) {
        guard let received = rehearsal.intake else { return }
        intake = received
        connectedAt = rehearsal.connectedAt
        rhythm = rehearsal.rhythm
        if let announcement = rehearsal.announcement { describe(announcement) }
        guard gated == nil else { return succeedBehindGate(rehearsal.frames, at: handOver) }
        if let handOver, let seam = Seam(handOver, in: rehearsal.frames, step) {
            let first = rehearsal.frames[seam.keyframe]
            let lead = seam.lead(in: rehearsal.frames, received.timescales)
            begin(at: first, lead: lead, anchor: handOver.at - lead)
            for frame in seam.rest(of: rehearsal.frames) { consume(frame) }
            mention("tookOver", "from the keyframe that its predecessor left to it")
        } else if let index = start(in: rehearsal.frames) {
            let first = rehearsal.frames[index]
            let anchor = step.counted(first.arrival)
            if let until = cacheWriter.recordedUntil, anchor < until {
                // Recorded twice, and dated as it was: an end that is not known to the frame must not lose one.
                cacheWriter.recordedUntil = anchor
            }
            begin(at: first, anchor: anchor)
            for (place, frame) in rehearsal.frames.enumerated() where place >= index || frame.track != 0 {
                consume(frame)
            }
            mention("tookOver", "from the pictures that it had in memory")
        }
    }

    /// The last keyframe that the predecessor has surely recorded, else the first there is.
    private func start(in frames: [TimedFrame]) -> Int? {
        let keys = frames.indices.filter { frames[$0].track == 0 && frames[$0].isSync }
        let until = (cacheWriter.recordedUntil ?? activeSince) + .seconds(-1)
        return keys.last { step.counted(frames[$0].arrival) <= until } ?? keys.first
    }
}
