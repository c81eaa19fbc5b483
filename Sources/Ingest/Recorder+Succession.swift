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
        guard session != nil, isStillAwaited(), let ending = session else { return false }
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
        let handOver = HandOver(at: seam, keyframe: FrameMark(of: frame.data))
        cacheWriter.facts.state(.handOver(session: number, handOver), at: clocks.wall())
        Failpoint.reach("handOver.journalled")
        hasHandedOver = true
        return true
    }

    /// Nothing is being recorded: there is no keyframe to wait for.
    func handOverWithoutRecording() {
        guard session == nil, !hasHandedOver, isStillAwaited() else { return }
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
        let frames = rehearsal.frames
        guard let start = start(in: frames, at: handOver) else { return }
        var anchor = step.counted(frames[start.index].arrival)
        if start.isSeam, let handOver {
            anchor = handOver.at
        } else if let until = cacheWriter.recordedUntil, anchor < until {
            // Recorded twice, and dated as it was: an end that is not known to the frame must not lose one.
            cacheWriter.recordedUntil = anchor
        }
        begin(at: frames[start.index], anchor: anchor)
        for (index, frame) in frames.enumerated() where index >= start.index || frame.track != 0 { consume(frame) }
        mention(
            "tookOver",
            start.isSeam
                ? "from the keyframe that its predecessor left to it" : "from the pictures that it had in memory")
    }

    /// The keyframe that the predecessor named, else the last one that it has surely recorded, else the first there is.
    private func start(in frames: [TimedFrame], at handOver: HandOver?) -> (index: Int, isSeam: Bool)? {
        let keys = frames.indices.filter { frames[$0].track == 0 && frames[$0].isSync }
        if let seam = handOver.flatMap({ Self.seam(in: frames, at: $0, step) }) { return (seam, true) }
        let until = (cacheWriter.recordedUntil ?? activeSince) + .seconds(-1)
        guard let index = keys.last(where: { step.counted(frames[$0].arrival) <= until }) ?? keys.first else {
            return nil
        }
        return (index, false)
    }

    /// The frame with the mark of the hand-over; of several, the one that came closest to its time.
    static func seam(in frames: [TimedFrame], at handOver: HandOver, _ step: WallStep) -> Int? {
        let distance = { (index: Int) in (step.counted(frames[index].arrival) - handOver.at).magnitude }
        return frames.indices.filter { index in
            let frame = frames[index]
            return frame.track == 0 && frame.isSync && Int64(frame.data.count) == handOver.keyframe.bytes
                && FrameMark(of: frame.data) == handOver.keyframe
        }.min { distance($0) < distance($1) }
    }
}
