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
        case lockHeld = 73
        case inputOutput = 74
        /// A leak of ours: the next worker starts without it.
        case descriptorLimit = 72
        /// A fresh process can do what this one cannot any more.
        case outdated = 75
    }

    private let identity: WorkerIdentity
    private let cache: CacheDirectory
    private let journal: Journal
    private let bootChanged: Bool
    private let clocks: Clocks
    private let socket: ControlSocket
    private let makeSource: (CameraSettings) -> any PacketSource
    private let isTerminating: () -> Bool
    private let isOutdated: () -> Bool

    private var settings: CameraSettings?
    /// Other settings came: the connection ends and a new one begins.
    private var reconfigured: CameraSettings?
    private var stopReason: GapReason?
    /// The camera may be found again by a worker that reads the name service's files anew.
    private var wantsSuccessor = false
    private var recorder: Recorder?
    /// What is reported while there is no recorder yet.
    private var recovering = WorkerProgress(state: .starting)
    private var progressAt: MonotonicTime

    /// `isTerminating` is true once SIGTERM came; `isOutdated`, once this process has lost sight of the name service.
    package init(
        identity: WorkerIdentity, cache: CacheDirectory, journal: Journal, bootChanged: Bool, clocks: Clocks,
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
    }

    /// The engine of this build.
    package static func engine(_ settings: CameraSettings, clocks: Clocks) -> any PacketSource {
        let password = settings.password
        return LibAVSource(
            request: LibAVSource.Request(
                url: settings.url, username: settings.username, password: { password.revealed() },
                usesUDP: settings.transport == .udp, acceptsUnverifiedTLS: settings.acceptsUnverifiedTLS),
            now: clocks.monotonic)
    }

    /// Returns when it was told to stop, or when it can do no more: then the next worker goes on.
    package func run() throws(SegmentStoreError) -> ExitCode {
        while settings == nil, stopReason == nil { pause(.seconds(1)) }
        guard let settings else { return .stopped }
        var recovered = try Recovery.run(
            in: cache, journal: journal, now: clocks.wall(), predecessorEnd: settings.predecessorEnd,
            bootChanged: bootChanged, tick: tickRecovery)
        recovered.lastSession = max(recovered.lastSession, settings.lastSession)
        let facts = FactLog(journal: journal) { [socket] in socket.send($0) }
        let recorder = Recorder(
            camera: identity.camera, cache: cache, facts: facts, recovered: recovered, settings: settings,
            clocks: clocks)
        self.recorder = recorder
        record(with: recorder)
        recorder.stop(stopReason ?? ending(of: recorder))
        send(progressOf: recorder)
        if journal.isBroken { return .inputOutput }
        guard stopReason == nil else { return .stopped }
        return recorder.isOutOfDescriptors ? .descriptorLimit : .outdated
    }

    /// Why there will be no media, when nobody told us to stop.
    private func ending(of recorder: Recorder) -> GapReason {
        if recorder.isOutOfDescriptors { return .workerCrash }
        return wantsSuccessor ? .cameraOffline : .diskError
    }

    private func record(with recorder: Recorder) {
        var backoff = Backoff()
        var generator = SystemRandomNumberGenerator()
        while stopReason == nil, !journal.isBroken, !recorder.isOutOfDescriptors {
            if let settings = reconfigured {
                reconfigured = nil
                self.settings = settings
                recorder.reconfigure(settings)
                backoff = Backoff()
            }
            guard let settings else { return }
            let source = makeSource(settings)
            let failure = deliver(from: source, to: recorder)
            source.close()
            guard let failure else { continue }
            let delivered = recorder.disconnected(failure)
            send(progressOf: recorder)
            // Only where somebody starts the successor (I5).
            wantsSuccessor = socket.isConnected && isOutdated()
            guard !wantsSuccessor else { return }
            pause(backoff.delay(afterRecording: delivered, using: &generator))
        }
    }

    /// One connection, from its first packet to its end; nil when it was we who ended it.
    private func deliver(from source: any PacketSource, to recorder: Recorder) -> SourceFailure? {
        do throws(SourceFailure) {
            guard let announcement = try source.open(tick: tick) else { return nil }
            try recorder.connected(announcement)
            while true {
                switch try source.next() {
                case .packet(let packet): recorder.take(packet)
                case .oversized(let bytes): recorder.dropped(bytes: bytes)
                case .interrupted: return recorder.wantsReconnect ? .silent : nil
                }
            }
        } catch {
            return error
        }
    }

    /// Waits without a camera.
    private func pause(_ span: TimeSpan) {
        let end = clocks.monotonic() + span
        while !tick() {
            let left = (end - clocks.monotonic()).microseconds / 1000
            guard left > 0 else { return }
            socket.wait(milliseconds: Int32(clamping: min(left, 100)))
            guard settings != nil || stopReason != nil else { continue }
            if recorder == nil { return }
        }
    }

    /// One turn of the loop; true when the connection has to end.
    private func tick() -> Bool {
        if isTerminating(), stopReason == nil { stopReason = .stopped }
        for message in socket.service(greeting: { [.hello(identity)] }) {
            switch message {
            case .configure(let settings): configure(settings)
            case .stop(let reason): stopReason = stopReason ?? reason
            }
        }
        guard let recorder else { return stopReason != nil }
        recorder.tick()
        if clocks.monotonic() >= progressAt { send(progressOf: recorder) }
        return stopReason != nil || reconfigured != nil || recorder.wantsReconnect || journal.isBroken
            || recorder.isOutOfDescriptors
    }

    /// Nothing ends a recovery, but cvrd must see that it goes on.
    private func tickRecovery() {
        recovering.loops += 1
        guard clocks.monotonic() >= progressAt else { return }
        _ = tick()
        progressAt = clocks.monotonic() + .seconds(1)
        socket.send(.progress(recovering))
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
        socket.send(.progress(recorder.progress))
    }
}
