internal import Messages
internal import Recording
internal import SegmentStore

/// The gate of a camera, and the pre-roll that it needs.
extension Recorder {
    private static let mostPreRoll: Int64 = 512 << 20
    /// Of the disk's space: no recording is to find it full because of what nobody asked for yet (I1).
    private static let mostFree: Int64 = 256 << 20

    /// Gets or loses its gate, as the settings say.
    func takeGate(_ settings: CameraSettings, inherited gap: Gap?) {
        guard let role = settings.gate else {
            gated?.preRoll.forget()
            gated = nil
            return
        }
        if let preRoll = gated?.preRoll {
            preRoll.reach = role.preRoll
            limitPreRoll()
            return
        }
        let known = gap.flatMap { $0.reason == .gateClosed ? nil : ($0.reason, $0.detail) }
        let (reason, detail) = known ?? (settings.predecessorEnd ?? .stopped, "the worker had just started")
        let (wall, now) = (clocks.wall(), clocks.monotonic())
        gated = GatedRecording(
            preRoll: PreRoll(in: cacheWriter.cache, reach: role.preRoll, mostBytes: 0),
            absence: GatedRecording.Absence(since: nil, reason: reason, detail: detail),
            inherited: cacheWriter.recordedUntil.flatMap {
                // Media may run ahead of time by so much; by more than that it is the clock that is behind.
                $0 - wall <= SessionClock.tolerance ? now + ($0 - wall) : nil
            })
        limitPreRoll()
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
            let trouble = Trouble(error)
            note(trouble)
            if gated?.preRoll.bytes == 0 {
                gated?.absence = GatedRecording.Absence(
                    since: nil, reason: trouble.reason, detail: trouble.fault.message)
            }
        }
        noteReach(of: frame)
        recordingSince = recordingSince ?? clocks.monotonic()
        turnGate()
        if gated?.isClosed == true { shut() }
    }

    func noteReach(of frame: TimedFrame) {
        guard frame.track == 0, let intake, let timescale = intake.timescales.first else { return }
        let instant = intake.instant(of: frame)
        gated?.reached = instant
        gated?.reachedEnd =
            instant + TimeSpan(microseconds: frame.duration.scaled(by: 1_000_000, over: timescale))
    }

    /// Once a second: what is too old, or has no room, goes, whether a frame comes or not.
    func watchPreRoll(_ now: MonotonicTime) {
        guard gated != nil else { return }
        limitPreRoll()
        gated?.trim(at: now)
        guard let preRoll = gated?.preRoll, preRoll.isShort(at: now) else { return }
        let trouble = Trouble.preRollTooShort(reach: preRoll.reach)
        if counted.lastFault == nil || counted.lastFault == trouble.fault { note(trouble) }
    }

    /// It is a part of the camera's budget, of which footage that must not go comes first, and leaves some of the disk.
    private func limitPreRoll() {
        guard let preRoll = gated?.preRoll else { return }
        var most = Self.mostPreRoll
        let budget = settings.cacheBudgetBytes
        if budget > 0 {
            let held = cacheWriter.room.unyielding(clocks.monotonic())
            most = max(min(most, budget / 2, budget.subtractingSaturated(held)), 0)
        }
        // A disk that does not say what it has says so when it is written to.
        if let space = try? cacheWriter.cache.freeSpace() {
            let spare = space.available.subtractingSaturated(min(Self.mostFree, space.total / 64))
            most = max(min(most, preRoll.bytes.addingSaturated(spare)), 0)
        }
        preRoll.mostBytes = most
    }
}
