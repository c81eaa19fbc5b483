internal import Glibc
internal import Messages
internal import Recording
internal import SegmentStore

/// A successor's way from the start beside its predecessor to the recording of its own.
struct Succession {
    /// How long the keyframe that was left to it may still be on its way.
    static let seamPatience = TimeSpan.seconds(3)

    let rehearsal: Rehearsal
    /// What cvrd is told, again and again: it may be another one by now.
    var readiness: IngestToSupervisor?
    var nextTrial: MonotonicTime?
    var nextLook: MonotonicTime?
    /// Since when no cvrd is connected.
    var aloneSince: MonotonicTime?
    /// What the predecessor left, once it has let go of it.
    var inheritance: Inheritance?
    var isRecovering = false
    /// cvrd was told that pictures come.
    var isSeenReceiving = false

    struct Inheritance {
        let journal: Journal
        let recovered: RecoveryReport
        let since: MonotonicTime
    }
}

/// One worker after another (ARCHITECTURE, "Swap"): the journal's lock passes from the old to the new, and with it
/// everything that may be written. Needs no cvrd, so that a crash of any party leaves one worker that records (I5).
extension Worker {
    private static let lookInterval = TimeSpan.milliseconds(20)
    private static let trialInterval = TimeSpan.seconds(2)
    /// The next cvrd has come by then, or knows nothing of this successor: it must not keep the slot for ever.
    private static let lonelyPatience = TimeSpan.seconds(60)

    /// The other slot's worker waits to go on with this one's recording.
    func handOver() {
        let (cache, other) = (cache, identity.slot.other)
        recorder?.handOver {
            // A lock that cannot be looked at is nobody's: the recording is not left to chance.
            (try? SlotLock.isHeld(in: cache, slot: other)) ?? false
        }
    }

    /// One turn of a successor: says when it is ready, and takes what its predecessor lets go of.
    func succeed() {
        guard let succession, !succession.isRecovering else { return }
        let now = clocks.monotonic()
        let aloneSince = socket.isConnected ? nil : succession.aloneSince ?? now
        self.succession?.aloneSince = aloneSince
        if let aloneSince, succession.inheritance == nil, now - aloneSince > Self.lonelyPatience {
            return stopWaiting()
        }
        if succession.readiness == nil { prepare(at: now) }
        do throws(SegmentStoreError) {
            try inherit(at: now)
        } catch {
            failure = error
        }
        if let inheritance = self.succession?.inheritance { begin(inheritance, at: now) }
    }

    private func prepare(at now: MonotonicTime) {
        guard let succession, let readiness = succession.rehearsal.readiness(at: now),
            succession.nextTrial.map({ now >= $0 }) ?? true
        else { return }
        do throws(SegmentStoreError) {
            Failpoint.reach("swap.rehearsed")
            try TrialFile.prove(succession.rehearsal.trial(), in: cache, slot: identity.slot)
            Failpoint.reach("swap.proven")
            let message = IngestToSupervisor.readyToSucceed(hasCamera: readiness.hasCamera, detail: readiness.detail)
            self.succession?.readiness = message
            socket.send(message, wall: clocks.wall())
        } catch {
            self.succession?.nextTrial = now + Self.trialInterval
            let trouble = Trouble(error)
            let event = IngestToSupervisor.event(
                type: trouble.fault.code, at: clocks.wall(), detail: trouble.fault.message)
            socket.send(event, wall: clocks.wall())
        }
    }

    /// Takes the journal when nobody holds it, and makes the cache whole.
    private func inherit(at now: MonotonicTime) throws(SegmentStoreError) {
        guard let succession, succession.inheritance == nil, let settings,
            succession.nextLook.map({ now >= $0 }) ?? true
        else { return }
        self.succession?.nextLook = now + Self.lookInterval
        let journal: Journal
        do {
            journal = try Journal(in: cache, now: clocks.wall())
        } catch {
            guard error.errno == EWOULDBLOCK else { throw error }
            return
        }
        Failpoint.reach("takeOver.locked")
        self.journal = journal
        self.succession?.isRecovering = true
        let recovered = try recover(journal, settings)
        self.succession?.isRecovering = false
        Failpoint.reach("takeOver.recovered")
        self.succession?.inheritance = Succession.Inheritance(journal: journal, recovered: recovered, since: now)
    }

    /// Records on, as soon as it is known from where.
    private func begin(_ inheritance: Succession.Inheritance, at now: MonotonicTime) {
        guard let rehearsal = succession?.rehearsal, let settings else { return }
        let step = WallStep(wall: clocks.wall(), now: now)
        let handOver = inheritance.recovered.handOver
        if let handOver, rehearsal.intake != nil, now - inheritance.since < Succession.seamPatience,
            Seam(handOver, in: rehearsal.frames, step)?.isWhole != true
        {
            return
        }
        let recorder = recorder(inheritance.journal, recovered: inheritance.recovered, settings)
        self.recorder = recorder
        succession = nil
        recorder.succeed(rehearsal, at: handOver)
        Failpoint.reach("takeOver.begun")
    }
}
