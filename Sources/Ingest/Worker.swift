internal import CLinux
internal import LibAV
package import Messages
internal import Recording
package import SegmentStore

/// The loop of one camera's process: camera, cache, supervisor and clock on a single thread.
///
/// Everything that takes time calls `tick`, so that a stop is never slept through. Ends only when told to.
package final class Worker {
    /// How a worker's process ends, as cvrd reads it.
    package enum ExitCode: Int32, Sendable {
        case stopped = 0
        case usage = 64
        /// Said by a handler of SIGABRT: the process itself gets nothing done any more.
        case memoryLimit = 71
        /// A leak of ours: the next worker starts without it.
        case descriptorLimit = 72
        case lockHeld = 73
        case inputOutput = 74
        /// A fresh process can do what this one cannot any more.
        case outdated = 75
    }

    let identity: WorkerIdentity
    let cache: CacheDirectory
    let clocks: Clocks
    let socket: ControlSocket
    /// Nil while the predecessor of a successor has it.
    var journal: Journal?
    private let bootChanged: Bool
    private let makeSource: (CameraSettings) -> any PacketSource
    private let isTerminating: () -> Bool
    private let isOutdated: () -> Bool

    var settings: CameraSettings?
    /// Other settings came: the connection ends and a new one begins.
    private var reconfigured: CameraSettings?
    private var stopReason: GapReason?
    /// The camera may be found again by a worker that reads the name service's files anew.
    private var isLost = false
    var recorder: Recorder?
    /// What a successor has instead of a recorder.
    var succession: Succession?
    /// Why a successor cannot take over what is left to it.
    var failure: SegmentStoreError?
    /// Windows that came while there was no recorder yet.
    private var windows: [RecordingWindow] = []
    /// What is reported while there is no recorder yet.
    private var recovering = WorkerProgress(state: .starting)
    private var progressAt: MonotonicTime

    /// `isTerminating` is true once SIGTERM came; `isOutdated`, once this process has lost sight of the name service.
    ///
    /// Without a journal it is a successor, and takes the journal when its predecessor lets go of it.
    package init(
        identity: WorkerIdentity, cache: CacheDirectory, journal: Journal?, bootChanged: Bool, clocks: Clocks,
        socket: ControlSocket, isTerminating: @escaping () -> Bool,
        isOutdated: @escaping () -> Bool = { false }, makeSource: @escaping (CameraSettings) -> any PacketSource
    ) {
        self.identity = identity
        self.cache = cache
        self.journal = journal
        self.bootChanged = bootChanged
        self.clocks = clocks
        self.socket = socket
        self.isTerminating = isTerminating
        self.isOutdated = isOutdated
        self.makeSource = makeSource
        progressAt = clocks.monotonic()
        if journal == nil {
            succession = Succession(rehearsal: Rehearsal(camera: identity.camera, now: clocks.monotonic()))
        }
    }

    /// The engine of this build.
    package static func engine(_ settings: CameraSettings, clocks: Clocks) -> any PacketSource {
        let password = settings.password
        let transport: LibAVSource.Transport =
            switch settings.transport {
            case .tcp: .tcp
            case .udp: .udp
            case .http: .http
            }
        var request = LibAVSource.Request(
            url: settings.url, username: settings.username, password: { password.revealed() }, transport: transport,
            acceptsUnverifiedTLS: settings.acceptsUnverifiedTLS)
        (request.takesVideo, request.takesAudio) = (settings.takesVideo, settings.takesAudio)
        return LibAVSource(request: request, now: clocks.monotonic)
    }

    /// Returns when it was told to stop or has handed over, or when it can do no more: then the next worker goes on.
    package func run() throws(SegmentStoreError) -> ExitCode {
        while settings == nil, !tick() { socket.wait(milliseconds: 100) }
        guard let settings else { return .stopped }
        if let journal {
            try TrialFile.discard(in: cache)
            let recovered = try recover(journal, settings)
            recorder = recorder(journal, recovered: recovered, settings)
        }
        record()
        if let failure { throw failure }
        guard let recorder else { return .stopped }
        recorder.stop(stopReason ?? ending(of: recorder))
        send(progressOf: recorder)
        if journal?.isBroken == true { return .inputOutput }
        guard stopReason == nil else { return .stopped }
        if recorder.isOutOfDescriptors { return .descriptorLimit }
        return isLost ? .outdated : .stopped
    }

    /// Why there will be no media, when nobody told us to stop.
    private func ending(of recorder: Recorder) -> GapReason {
        if recorder.isOutOfDescriptors { return .workerCrash }
        return isLost ? .cameraOffline : .diskError
    }

    /// How it ended, for whoever was not its parent.
    package var lastWords: String {
        if recorder?.hasHandedOver == true { return "handed over to its successor" }
        if let stopReason { return "stopped: \(stopReason.rawValue)" }
        if isLost { return "the name service's files were replaced" }
        return journal?.isBroken == true ? "the journal takes no more records" : "ended"
    }

    /// Nobody wants this successor.
    func stopWaiting() { stopReason = stopReason ?? .stopped }

    func recover(_ journal: Journal, _ settings: CameraSettings) throws(SegmentStoreError) -> RecoveryReport {
        var recovered = try Recovery.run(
            in: cache, journal: journal, now: clocks.wall(), predecessorEnd: settings.predecessorEnd,
            bootChanged: bootChanged, tick: tickRecovery)
        recovered.lastSession = max(recovered.lastSession, settings.lastSession)
        return recovered
    }

    func facts(_ journal: Journal) -> FactLog {
        FactLog(journal: journal) { [socket, clocks] in socket.send($0, wall: clocks.wall()) }
    }

    /// With the windows that it has to record already.
    func recorder(_ journal: Journal, recovered: RecoveryReport, _ settings: CameraSettings) -> Recorder {
        let recorder = Recorder(
            camera: identity.camera, cache: cache, facts: facts(journal), recovered: recovered, settings: settings,
            clocks: clocks)
        for window in windows { recorder.take(window) }
        windows = []
        return recorder
    }

    private var isOver: Bool {
        stopReason != nil || failure != nil || journal?.isBroken == true || recorder?.hasHandedOver == true
            || recorder?.isOutOfDescriptors == true
    }

    private func record() {
        var backoff = Backoff()
        var generator = SystemRandomNumberGenerator()
        while !isOver {
            if let settings = reconfigured {
                reconfigured = nil
                self.settings = settings
                recorder?.reconfigure(settings)
                succession?.rehearsal.forget()
                backoff = Backoff()
            }
            guard let settings else { return }
            if succession?.rehearsal.solitude != nil {
                awaitInheritance()
                continue
            }
            let source = makeSource(settings)
            let failure = deliver(from: source)
            source.close()
            guard let failure else { continue }
            if let succession {
                succession.rehearsal.disconnected(failure)
                pause(.milliseconds(500))
            } else if let recorder {
                let delivered = recorder.disconnected(failure)
                send(progressOf: recorder)
                // Only where somebody starts the next one (I5).
                isLost = socket.isConnected && isOutdated()
                guard !isLost else { return }
                pause(backoff.delay(afterRecording: delivered, using: &generator))
            }
        }
    }

    /// One connection, from its first packet to its end; nil when it was we who ended it.
    private func deliver(from source: any PacketSource) -> SourceFailure? {
        do throws(SourceFailure) {
            guard let announcement = try source.open(tick: tick) else { return nil }
            try recorder?.connected(announcement)
            try succession?.rehearsal.connected(announcement, at: clocks.monotonic())
            while true {
                switch try source.next() {
                case .packet(let packet):
                    recorder?.take(packet)
                    succession?.rehearsal.take(packet, at: clocks.monotonic())
                case .oversized(let bytes): recorder?.dropped(bytes: bytes)
                case .interrupted: return recorder?.wantsReconnect == true ? .silent : nil
                }
            }
        } catch {
            return error
        }
    }

    /// Waits without a camera; a successor that takes over has nothing to wait for.
    private func pause(_ span: TimeSpan) {
        let end = clocks.monotonic() + span
        let wasSuccessor = succession != nil
        while !tick() {
            let left = (end - clocks.monotonic()).microseconds / 1000
            guard left > 0, wasSuccessor == (succession != nil) else { return }
            socket.wait(milliseconds: Int32(clamping: min(left, wasSuccessor ? 20 : 100)))
        }
    }

    /// Waits for the predecessor's end, without a second connection to a camera that allows one.
    private func awaitInheritance() {
        while succession != nil, !tick() { socket.wait(milliseconds: 20) }
    }

    /// One turn of the loop; true when the connection has to end.
    func tick() -> Bool {
        if isTerminating(), stopReason == nil { stopReason = .stopped }
        let messages = socket.service(at: clocks.monotonic(), wall: clocks.wall()) {
            // A cvrd that was killed may have heard it and nothing more.
            [.hello(identity)] + (recorder?.established.map { [$0] } ?? [])
        }
        for message in messages {
            switch message {
            case .greet: break
            case .configure(let settings): configure(settings)
            case .stop(let reason): stopReason = stopReason ?? reason
            case .handOver: handOver()
            case .window(let window): take(window)
            }
        }
        if settings != nil, succession != nil, stopReason == nil { succeed() }
        guard let recorder else {
            if let succession { send(progressOf: succession) }
            return isOver || (succession != nil && reconfigured != nil)
        }
        recorder.tick()
        if clocks.monotonic() >= progressAt { send(progressOf: recorder) }
        return isOver || reconfigured != nil || recorder.wantsReconnect
    }

    /// Nothing ends a recovery, but cvrd must see that it goes on.
    private func tickRecovery() {
        recovering.loops += 1
        guard clocks.monotonic() >= progressAt else { return }
        _ = tick()
        progressAt = clocks.monotonic() + .seconds(1)
        socket.send(.progress(recovering), wall: clocks.wall())
    }

    private func take(_ window: RecordingWindow) {
        if let recorder { return recorder.take(window) }
        windows = windows.suffix(Gate.mostWaiting - 1) + [window]
    }

    private func configure(_ new: CameraSettings) {
        guard let old = settings else {
            settings = new
            return
        }
        guard old.differsOnlyInLimits(from: new) else {
            reconfigured = new
            return
        }
        settings = new
        reconfigured = nil
        recorder?.adopt(new)
    }

    private func send(progressOf recorder: Recorder) {
        progressAt = clocks.monotonic() + .seconds(1)
        socket.send(.progress(recorder.progress), wall: clocks.wall())
    }

    private func send(progressOf succession: Succession) {
        succession.rehearsal.tick()
        // That the camera serves it too is told at once: the old worker may just have lost it by that.
        let isNew = !succession.isSeenReceiving && succession.rehearsal.progress.bytesReceived > 0
        guard isNew || clocks.monotonic() >= progressAt else { return }
        if isNew { self.succession?.isSeenReceiving = true }
        progressAt = clocks.monotonic() + .seconds(1)
        socket.send(.progress(succession.rehearsal.progress), wall: clocks.wall())
        if let readiness = succession.readiness { socket.send(readiness, wall: clocks.wall()) }
    }
}
