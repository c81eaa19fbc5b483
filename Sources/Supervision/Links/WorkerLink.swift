import Glibc
import Isolation
import Messages
import Recording
import YAMLConfiguration

/// What cvrd knows about one camera's worker and how it talks to it.
actor WorkerLink: ProcessLink {
    /// What the worker is to be told, but for its secrets.
    struct Plan: Hashable, Sendable {
        var camera: CameraConfiguration
        var cacheBudgetBytes: Int64
        var trustsClock: Bool

        init(camera: CameraConfiguration, cacheBudgetBytes: Int64, trustsClock: Bool) {
            self.camera = camera
            self.cacheBudgetBytes = cacheBudgetBytes
            self.trustsClock = trustsClock
        }
    }

    enum News: Sendable {
        case said(IngestToSupervisor)
        /// Nil once it answers again.
        case diskStalled(Fault?)
        /// Why its worker's settings cannot be told; nil once they can.
        case credential(Fault?)
    }

    nonisolated let program = "cvr-ingest"
    nonisolated let patience = StopPatience(beforeTermination: .seconds(3), beforeKill: .seconds(10))
    nonisolated let camera: CameraName
    nonisolated let places: Places
    private nonisolated let credentials: CredentialFile
    nonisolated let hear: @Sendable (News) async -> Void
    /// Two slots exist for make-before-break; one worker that is started alone starts in the first.
    private nonisolated let slot = Slot.a

    /// What the next worker is started from.
    private nonisolated let executable: @Sendable () async -> String
    private var plan: Plan
    var settings: CameraSettings?
    /// Those that are not known to be over: each worker that says hello is told, and answers for what is.
    var windows: [RecordingWindow] = []
    /// By pid: a swap has two workers.
    var talks: [Int32: Talk] = [:]
    /// Whose words are the camera's.
    var leader: Int32?
    /// Those that an earlier cvrd started.
    var adopted: Set<Int32> = []
    var taps: [Int: AsyncStream<(pid: Int32, message: IngestToSupervisor)>.Continuation] = [:]
    var numbers = 0
    var isDiskStalled = false
    /// The highest session that is known: by the camera's mark, or by its worker since.
    var lastSession: Int64 = 0
    private nonisolated let marks: SessionMarkWriter

    init(
        _ plan: Plan, places: Places, executable: @escaping @Sendable () async -> String, credentials: CredentialFile,
        hear: @escaping @Sendable (News) async -> Void
    ) {
        self.plan = plan
        camera = plan.camera.name
        self.places = places
        self.executable = executable
        self.credentials = credentials
        marks = SessionMarkWriter(SessionMark(camera, places))
        self.hear = hear
    }

    /// Takes a new plan and tells the worker, which records on under new limits and connects again under a new address;
    /// true when it does the latter.
    ///
    /// A credential that cannot be read leaves the worker as it is, and throws.
    func take(_ new: Plan) async throws -> Bool {
        plan = new
        // Nobody to tell: what starts next reads the plan.
        guard settings != nil || !talks.isEmpty else { return false }
        var next = try await resolve()
        next.predecessorEnd = settings?.predecessorEnd
        next.lastSession = settings?.lastSession ?? 0
        guard next != settings else { return false }
        let before = settings
        settings = next
        tellAll(.configure(next))
        return before?.differsOnlyInLimits(from: next) != true
    }

    func prepare(predecessorEnd: GapReason?) async throws -> Launch {
        let (camera, places, slot) = (camera, places, slot)
        try await prepareDirectory(of: slot)
        let outcome = try await offPool {
            try DiskIdentity.check(camera, places)
        }
        if outcome == .adopted {
            await hear(
                .said(
                    .event(
                        type: "cacheAdopted", at: .now,
                        detail: "the state did not know this camera's cache; its footage was taken over")))
        }
        var next = try await resolve()
        next.predecessorEnd = predecessorEnd
        let mark = SessionMark(camera, places)
        // A disk that is slow may not have it yet.
        next.lastSession = max(lastSession, try await offPool { try mark.read() })
        lastSession = next.lastSession
        settings = next
        return await launch(in: slot)
    }

    /// How every worker of this camera was started, whatever its slot.
    nonisolated var commonArguments: [String] { ["--camera", camera.text, "--slot"] }

    func launch(in slot: Slot, _ more: [String] = []) async -> Launch {
        Launch(
            executable: await executable(),
            arguments: commonArguments + [slot.rawValue] + more + [
                "--cache", places.cacheDirectory(camera), "--run", places.runDirectory(camera, slot),
            ])
    }

    func prepareDirectory(of slot: Slot) async throws {
        let (camera, places) = (camera, places)
        try await offPool { try SmallFile.makeDirectory(places.runDirectory(camera, slot)) }
    }

    /// Takes a share of the disk that moved by itself: no reason to read a password that somebody may be changing.
    func take(cacheBudgetBytes: Int64) {
        plan.cacheBudgetBytes = cacheBudgetBytes
        guard settings != nil, settings?.cacheBudgetBytes != cacheBudgetBytes else { return }
        settings?.cacheBudgetBytes = cacheBudgetBytes
        if let settings { tellAll(.configure(settings)) }
    }

    /// Takes windows that a signal gate opened or lengthened, or that should be over by now, and tells the worker.
    func take(_ new: [RecordingWindow]) {
        for window in new {
            windows.removeAll { $0.id == window.id }
            windows.append(window)
            tellAll(.window(window))
        }
    }

    /// Asks what became of windows that should be over: true when the camera's worker is there to say so.
    func ask(_ past: [RecordingWindow]) -> Bool {
        take(past)
        guard let talk = leader.flatMap({ talks[$0] }) else { return false }
        return talk.sink != nil && talk.version != nil
    }

    /// The other windows are over, and no worker is to hear of them.
    func keepWindows(_ open: Set<String>) { windows.removeAll { !open.contains($0.id) } }

    /// Notes a session that its worker tells of; never waits for the state's disk.
    func note(session: Int64) {
        guard session > lastSession else { return }
        lastSession = session
        marks.note(session)
    }

    /// Another box used the numbers up to this one.
    func raise(session: Int64) {
        guard session > lastSession else { return }
        note(session: session)
        settings?.lastSession = session
        if let settings { tellAll(.configure(settings)) }
    }

    /// Takes cvrd's word on the clock, as a share that moved.
    func take(trustsClock: Bool) {
        plan.trustsClock = trustsClock
        guard settings != nil, settings?.trustsClock != trustsClock else { return }
        settings?.trustsClock = trustsClock
        if let settings { tellAll(.configure(settings)) }
    }

    // MARK: Settings

    /// The settings of the plan, as it is once they are read.
    func resolve() async throws -> CameraSettings {
        while true {
            let (plan, credentials) = (plan, credentials)
            do {
                let password = try await offPool {
                    try plan.camera.graph?.password ?? plan.camera.credential.map { try credentials.read($0) }
                        ?? Secret("")
                }
                await hear(.credential(nil))
                // It may have changed meanwhile.
                if plan == self.plan { return settings(plan, password) }
            } catch {
                if let refusal = error as? Refusal { await hear(.credential(refusal.fault)) }
                throw error
            }
        }
    }

    private nonisolated func settings(_ plan: Plan, _ password: Secret) -> CameraSettings {
        let camera = plan.camera
        var settings = CameraSettings(
            url: camera.url, username: camera.username, password: password, transport: .init(camera.transport),
            acceptsUnverifiedTLS: camera.acceptsUnverifiedTLS, segmentLength: camera.segmentLength,
            cacheBudgetBytes: plan.cacheBudgetBytes, dropsOldest: camera.cacheFull == .dropOldest,
            syncHeartbeatPath: places.syncHeartbeat, trustsClock: plan.trustsClock)
        guard let graph = camera.graph else { return settings }
        settings.takesAudio = graph.takesAudio
        settings.takesVideo = graph.takesVideo
        settings.gate = graph.preRoll.map { GateRole(preRoll: $0) }
        settings.sessionAsset = graph.sessionAsset
        return settings
    }
}

extension CameraSettings.Transport {
    init(_ transport: CameraConfiguration.Transport) {
        switch transport {
        case .tcp: self = .tcp
        case .udp: self = .udp
        case .http: self = .http
        }
    }
}
