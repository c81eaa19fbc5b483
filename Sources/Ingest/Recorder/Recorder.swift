internal import FragmentedMP4
package import Messages
package import Recording
package import SegmentStore

/// The heart of a worker: turns what one camera sends into sessions, segments and gaps.
///
/// Pure but for its cache: packets, clocks and events come from the caller, on one thread. It never gives up and
/// never throws: a camera that fails is a gap, a disk that fails is a gap and a retry.
package final class Recorder {
    /// How often a disk that failed is tried again.
    static let diskRetry = TimeSpan.seconds(2)
    /// Video without a keyframe for this long will not get one.
    static let keyframePatience = TimeSpan.seconds(30)
    /// A first track that is silent for this long takes the connection with it, even if others go on.
    static let primaryPatience = TimeSpan.seconds(10)
    /// A camera that recorded for so long without a fault is well again.
    static let convalescence = TimeSpan.seconds(60)

    let cacheWriter: CacheWriter
    let clocks: Clocks
    var settings: CameraSettings
    var intake: Intake?
    var session: Session?
    var group = RecentGroup()
    /// Other tracks' frames that came while the first keyframe waited for its successor.
    var early: [TimedFrame] = []
    var step: WallStep
    /// What the wall clock read before it was set; the session that counts with it ends at the next keyframe.
    var steppedFrom: WallTime?
    /// The disk failed; when to try it again.
    var diskRetryAt: MonotonicTime?
    /// When this process became responsible for the camera; after a backward step, when that was.
    var activeSince: WallTime
    var meter = Meter()
    var rhythm = FrameRhythm()
    var keyframes = KeyframeRhythm()
    var isStalled = false
    var connectedAt: MonotonicTime?
    /// What was told of the connection that is there, and when.
    private(set) var established: IngestToSupervisor?
    /// When the current connection's recording began.
    var recordingSince: MonotonicTime?
    var counted = WorkerProgress(state: .starting)
    /// When the last fault was noted: it is shown until a minute without one.
    var faultAt: MonotonicTime?
    /// Nothing can be opened any more, for as long as this process lives.
    package internal(set) var isOutOfDescriptors = false
    /// What the connection is recorded without, for as long as it lasts.
    var shortcoming: Trouble?
    var formats = FormatWatch()
    /// How far the camera was seen to reorder pictures.
    private var seenDepth = 0
    /// Anomalies of connections that are over, and those that no connection counts.
    var anomalies: Int64 = 0
    private var secondTick: MonotonicTime
    /// What a camera with a gate has besides; nil: all that comes is recorded.
    var gated: GatedRecording?
    /// What the frame that is recorded came by: a window may take what an earlier connection brought.
    var source: Intake? { gated?.reel(of: (gated?.cursor ?? 0) - 1)?.intake ?? intake }
    /// Set while the recording is to be left to a successor: whether that still waits.
    var isAwaited: (() -> Bool)?
    /// Everything from some keyframe on is a successor's.
    package internal(set) var hasHandedOver = false

    package init(
        camera: CameraName, cache: CacheDirectory, facts: FactLog, recovered: RecoveryReport,
        settings: CameraSettings, clocks: Clocks
    ) {
        self.clocks = clocks
        self.settings = settings
        let now = clocks.monotonic()
        activeSince = clocks.wall()
        step = WallStep(wall: activeSince, now: now)
        secondTick = now
        cacheWriter = CacheWriter(
            camera: camera, cache: cache, facts: facts, clocks: clocks,
            room: RoomMaker(
                cache: cache, budget: settings.cacheBudgetBytes, dropsOldest: settings.dropsOldest,
                heartbeatPath: settings.syncHeartbeatPath), recovered: recovered)
        if let leftover = cacheWriter.leftover { note(Trouble(leftover)) }
        removePreRoll()
        takeGate(settings, inherited: recovered.openGap)
    }

    /// Takes over settings that need no new connection.
    package func adopt(_ settings: CameraSettings) {
        self.settings = settings
        cacheWriter.room.budget = settings.cacheBudgetBytes
        cacheWriter.room.dropsOldest = settings.dropsOldest
        cacheWriter.room.heartbeatPath = settings.syncHeartbeatPath
        session?.length = settings.segmentLength
        cacheWriter.number(above: settings.lastSession)
        takeGate(settings, inherited: nil)
    }

    /// The camera plays.
    package func connected(_ announcement: Announcement) throws(SourceFailure) {
        do throws(MP4Error) {
            let intake = try Intake(announcement, seenDepth: seenDepth)
            self.intake = intake
            let ignored = announcement.ignored + intake.refusals.map { $0.thing }
            shortcoming = ignored.isEmpty ? nil : .ignored(ignored)
            if let shortcoming { note(shortcoming) }
        } catch {
            throw .unsupportedCodec(error.thing)
        }
        rhythm = FrameRhythm()
        keyframes = KeyframeRhythm()
        isStalled = false
        recordingSince = nil
        connectedAt = clocks.monotonic()
        mention("connected", announcement.streams.map(\.codec.rawValue).joined(separator: ", "))
        describe(announcement)
    }

    /// What the camera says of itself, once for each connection.
    func describe(_ announcement: Announcement) {
        guard !announcement.sessionDescription.isEmpty else { return }
        let event = IngestToSupervisor.event(
            type: "mediaSessionEstablished", at: clocks.wall(), detail: announcement.sessionDescription)
        established = event
        cacheWriter.facts.mention(event)
    }

    package func take(_ packet: Packet) {
        let now = clocks.monotonic()
        guard let result = intake?.take(packet, at: now) else { return }
        counted.bytesReceived += Int64(packet.data.count)
        if result.isPrimary {
            counted.framesReceived += 1
            rhythm.frame(at: now)
            isStalled = false
        }
        meter.add(frames: result.isPrimary ? 1 : 0, bytes: packet.data.count, at: now)
        if let anomaly = result.anomaly {
            anomalies += 1
            note(.timestampJump(anomaly.rawValue))
        }
        for frame in result.frames { consume(frame) }
    }

    /// A packet was dropped because it was larger than memory may be.
    package func dropped(bytes: Int) {
        anomalies += 1
        note(
            Trouble(.cameraRefused, "oversized", "a frame of \(bytes) bytes was dropped", "lower the camera's bit rate")
        )
    }

    /// The connection is over; how long it delivered media.
    package func disconnected(_ failure: SourceFailure) -> TimeSpan {
        var trouble = Trouble(failure)
        // While it was delivering, whatever ended it is the connection's fault; the next attempt says more.
        if session != nil || (gated != nil && recordingSince != nil) { trouble.reason = .networkLoss }
        trouble = cacheWriter.explained(trouble)
        note(trouble)
        if failure == .descriptorLimit { isOutOfDescriptors = true }
        return leave(reason: trouble.reason, detail: trouble.fault.message)
    }

    /// Ends the connection for other settings of the same camera.
    package func reconfigure(_ settings: CameraSettings) {
        _ = leave(reason: .stopped, detail: "settings changed")
        adopt(settings)
    }

    /// Closes everything; the gap that it leaves is the next worker's to close.
    package func stop(_ reason: GapReason) {
        // Then nothing is missing from here on.
        if !hasHandedOver { _ = leave(reason: reason, detail: "", isLast: true) }
        cacheWriter.finishWaiting()
        gated = nil
        removePreRoll()
    }

    /// Goes round at least every 100 ms, also while the camera is away.
    package func tick() {
        let now = clocks.monotonic()
        counted.loops += 1
        watchClock(now)
        watchStall(now)
        attempt { () throws(SegmentStoreError) in
            try session?.writeIfOlder(than: now + .milliseconds(-1500))
        }
        if let diskRetryAt, now >= diskRetryAt { resume() }
        if gated != nil { turnGate() }
        handOverWithoutRecording()
        guard now - secondTick >= .seconds(1) else { return }
        secondTick = now
        cacheWriter.room.watch(now)
        // What the disk still refuses stays in line.
        try? cacheWriter.facts.flush()
        for frame in intake?.flushSecondary(silentSince: now + .seconds(-2)) ?? [] { consume(frame) }
        watchKeyframe(now)
        watchPreRoll(now)
        watchHealth(now)
    }

    /// The first track fell silent though the connection lives.
    package var wantsReconnect: Bool {
        guard let last = rhythm.lastFrame ?? connectedAt, intake != nil else { return false }
        return clocks.monotonic() - last > max(Self.primaryPatience, rhythm.patience)
    }

    /// One frame with its final times.
    func consume(_ frame: TimedFrame) {
        guard !hasHandedOver else { return }
        group.add(frame)
        let canStart = frame.track == 0 && frame.isSync
        // Sound alone can start anywhere.
        if canStart, frame.parameterSets != nil, let timescale = intake?.timescales.first {
            keyframes.keyframe(at: frame.decode, timescale: timescale)
        }
        guard gated == nil else { return pass(frame) }
        guard diskRetryAt == nil else {
            if canStart { resume() }
            return
        }
        record(frame)
    }

    /// One frame that is to be recorded.
    func record(_ frame: TimedFrame) {
        let canStart = frame.track == 0 && frame.isSync
        attempt { () throws(SegmentStoreError) in
            if canStart {
                guard isSettled(frame) else { return }
                let lead = restartIfNeeded(at: frame)
                // The disk did not let the old session end: it is tried again like any other time.
                guard diskRetryAt == nil, !handOver(before: frame) else { return }
                try session?.cutIfDue(at: frame)
                begin(at: frame, lead: lead)
            }
            guard session != nil else {
                if frame.track != 0 { early = early.suffix(63) + [frame] }
                return
            }
            try append(frame)
            let waiting = early
            early = []
            for earlier in waiting where earlier.track != 0 { try append(earlier) }
        }
    }

    func append(_ frame: TimedFrame) throws(SegmentStoreError) {
        try session?.append(frame, arrival: step.counted(frame.arrival), now: clocks.monotonic())
    }

    /// A session begins, if none is running and this frame can be decoded.
    ///
    /// Where it lies on the wall clock, unless `anchor` says so, its arrival tells.
    func begin(at frame: TimedFrame, lead: TimeSpan = .zero, anchor: WallTime? = nil) {
        guard session == nil, let source else { return }
        cacheWriter.names = gated?.names ?? SessionNames(asset: settings.sessionAsset)
        cacheWriter.nextWindow = gated?.gate.open?.asked.id ?? ""
        let anchor = anchor ?? gatedAnchor(at: frame, lead: lead)
        let quality: ClockQuality =
            settings.trustsClock || clocks.isSynchronised() ? .synchronised : .unsynchronised
        let clock = SessionClock(
            anchor: anchor ?? step.counted(frame.arrival), quality: quality, now: clocks.monotonic())
        do throws(MP4Error) {
            session = try Session(
                at: frame, lead: lead, streams: source.streams, timescales: source.timescales,
                length: settings.segmentLength,
                clock: clock, cacheWriter: cacheWriter)
            recordingSince = recordingSince ?? clocks.monotonic()
        } catch {
            note(Trouble(unusable: error))
        }
    }

    private func leave(reason: GapReason, detail: String, isLast: Bool = false) -> TimeSpan {
        for frame in intake?.flush() ?? [] { consume(frame) }
        if gated != nil { finishRecording(reason: reason, detail: detail) }
        anomalies += intake?.repairs ?? 0
        let delivered = recordingSince.map { (rhythm.lastFrame ?? $0) - $0 } ?? .zero
        seenDepth = intake?.seenDepth ?? seenDepth
        intake = nil
        connectedAt = nil
        established = nil
        recordingSince = nil
        shortcoming = nil
        group = RecentGroup()
        // What the window has still to take of this connection is in the pre-roll, if a disk was slow.
        if isLast || !isBehind {
            early = []
            endSession(reason: reason, detail: detail)
            if !isLast, gated?.isClosed == true { shut() } else { lose(reason: reason, detail: detail) }
        }
        acceptClock()
        return delivered
    }
}
