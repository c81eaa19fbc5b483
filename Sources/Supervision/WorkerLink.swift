import Configuration
import Glibc
import Isolation
import Messages
import Recording

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
    private nonisolated let camera: CameraName
    private nonisolated let places: Places
    private nonisolated let executable: String
    private nonisolated let credentials: CredentialFile
    private nonisolated let hear: @Sendable (News) async -> Void
    /// Two slots exist for make-before-break; one worker starts in the first.
    private nonisolated let slot = Slot.a

    private var plan: Plan
    private var settings: CameraSettings?
    /// To the worker; the number tells one conversation's from the next's.
    private var outgoing: (conversation: Int, sink: AsyncStream<[UInt8]>.Continuation)?
    private var conversations = 0
    private var detector = HangDetector(at: .now)
    private var isDiskStalled = false
    /// What its mark says.
    private var lastSession: Int64 = 0

    init(
        _ plan: Plan, places: Places, executable: String, credentials: CredentialFile,
        hear: @escaping @Sendable (News) async -> Void
    ) {
        self.plan = plan
        camera = plan.camera.name
        self.places = places
        self.executable = executable
        self.credentials = credentials
        self.hear = hear
    }

    /// Takes a new plan and tells the worker, which records on under new limits and connects again under a new address;
    /// true when it does the latter.
    ///
    /// A credential that cannot be read leaves the worker as it is, and throws.
    func take(_ new: Plan) async throws -> Bool {
        plan = new
        // Nobody to tell: what starts next reads the plan.
        guard settings != nil || outgoing != nil else { return false }
        var next = try await resolve()
        next.predecessorEnd = settings?.predecessorEnd
        next.lastSession = settings?.lastSession ?? 0
        guard next != settings else { return false }
        let before = settings
        settings = next
        outgoing?.sink.yield(SupervisorToIngest.configure(next).frame)
        return before?.differsOnlyInLimits(from: next) != true
    }

    func prepare(predecessorEnd: GapReason?) async throws -> Launch {
        let (camera, places, slot) = (camera, places, slot)
        let outcome = try await offPool {
            try SmallFile.makeDirectory(places.runDirectory(camera, slot))
            return try DiskIdentity.check(camera, places)
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
        next.lastSession = try await offPool { try mark.read() }
        lastSession = next.lastSession
        settings = next
        return Launch(
            executable: executable,
            arguments: commonArguments + [
                slot.rawValue, "--cache", places.cacheDirectory(camera), "--run", places.runDirectory(camera, slot),
            ])
    }

    func askToStop(_ reason: GapReason) -> Bool {
        guard let outgoing else { return false }
        outgoing.sink.yield(SupervisorToIngest.stop(reason).frame)
        return true
    }

    /// Takes a share of the disk that moved by itself: no reason to read a password that somebody may be changing.
    func take(cacheBudgetBytes: Int64) {
        plan.cacheBudgetBytes = cacheBudgetBytes
        guard settings != nil, settings?.cacheBudgetBytes != cacheBudgetBytes else { return }
        settings?.cacheBudgetBytes = cacheBudgetBytes
        if let settings { outgoing?.sink.yield(SupervisorToIngest.configure(settings).frame) }
    }

    // MARK: Workers of an earlier cvrd

    func findRunning() async -> RunningProcess? {
        // Without settings it is told nothing and records on as it was told before, until they can be read.
        if settings == nil { settings = try? await resolve() }  // why not is in the camera's row
        for slot in Slot.allCases {
            // Nobody listens: no worker.
            guard let connection = try? WorkerConnection(path: places.workerSocket(camera, slot)) else { continue }
            let (peer, arguments) = (connection.peer, commonArguments)
            connection.abandon()
            // Gone since: as good as not there.
            let found = await offPool(atMost: Self.looking) {
                ProcessRecord.isOurs(peer, startedWith: arguments) ? try RunningProcess.adopt(pid: peer) : nil
            }
            if let found = found ?? nil { return found }
        }
        await removeLeftovers()
        return nil
    }

    /// Ends every worker of this camera that its lock files name.
    func removeLeftovers() async {
        let (directory, arguments) = (places.cacheDirectory(camera), commonArguments)
        // A cache that does not answer names nobody: the worker that starts there finds the lock held.
        let found = await offPool(atMost: Self.looking) {
            Slot.allCases.compactMap { slot in
                ProcessRecord.process(at: "\(directory)/lock.\(slot.rawValue)", startedWith: arguments)
            }
        }
        for process in found ?? [] { await Leftover.end(process) }
    }

    /// How long files may keep us that say who runs.
    private static let looking = Duration.seconds(5)

    /// How every worker of this camera was started, whatever its slot.
    private nonisolated var commonArguments: [String] { ["--camera", camera.text, "--slot"] }

    // MARK: Conversation

    func converse(with process: RunningProcess) async throws {
        detector = HangDetector(at: .now)
        await tell(isStalled: false)
        try await withThrowingTaskGroup { group in
            group.addTask { try await self.stayConnected(to: process) }
            group.addTask { try await self.watch(process) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Connects again whenever the connection ends; the process itself is watched elsewhere.
    private func stayConnected(to process: RunningProcess) async throws {
        var attempts = 0
        while !Task.isCancelled {
            if let connection = connection(to: process) {
                attempts = 0
                try await talk(connection)
            }
            attempts += 1
            try await Task.sleep(for: .milliseconds(attempts < 100 ? 10 : 250))
        }
    }

    private func connection(to process: RunningProcess) -> WorkerConnection? {
        for slot in Slot.allCases {
            // It does not listen yet, or not in this slot.
            guard let connection = try? WorkerConnection(path: places.workerSocket(camera, slot)) else { continue }
            if connection.peer == process.pid { return connection }
            connection.abandon()
        }
        return nil
    }

    private func talk(_ connection: WorkerConnection) async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self)
        if let settings { continuation.yield(SupervisorToIngest.configure(settings).frame) }
        conversations += 1
        let own = conversations
        outgoing = (own, continuation)
        // One that ends late leaves its successor's alone.
        defer { if outgoing?.conversation == own { outgoing = nil } }
        let greeting = Greeting(camera: camera)
        do {
            try await connection.talk(outgoing: stream) { message in
                try await greeting.check(message)
                await self.heard(message)
            }
        } catch let error as MessageError where error.isOtherVersion {
            throw Departure.Condemnation.otherVersion(error.description)
        } catch let error as MessageError {
            throw Departure.Condemnation.garbage(error.description)
        } catch let error as Departure.Condemnation {
            throw error
        } catch {
            // The connection broke: the caller connects again while the process lives.
        }
    }

    private func heard(_ message: IngestToSupervisor) async {
        if case .progress(let progress) = message {
            detector.heard(progress, at: .now)
            await note(session: progress.session)
        }
        await hear(.said(message))
    }

    private func note(session: Int64) async {
        guard session > lastSession else { return }
        lastSession = session
        let mark = SessionMark(camera, places)
        // A state disk that does not take it costs nothing while the cache lives; the next session is noted again.
        try? await offPool { try mark.write(session) }
    }

    private func watch(_ process: RunningProcess) async throws {
        while true {
            try await Task.sleep(for: .milliseconds(500))
            switch detector.verdict(at: .now, ProcessFacts.activity(of: process.pid)) {
            case .alive: await tell(isStalled: false)
            case .hung(let kind, let why): throw Departure.Condemnation.hung(kind, why)
            case .diskStalled: await tell(isStalled: true)
            }
        }
    }

    private func tell(isStalled: Bool) async {
        guard isStalled != isDiskStalled else { return }
        isDiskStalled = isStalled
        let fault = Fault(
            code: "diskStalled", message: "the worker waits for its disk", nextStep: "Check the disk (dmesg, smartctl)")
        await hear(.diskStalled(isStalled ? fault : nil))
    }

    // MARK: Settings

    /// The settings of the plan, as it is once they are read.
    private func resolve() async throws -> CameraSettings {
        while true {
            let (plan, credentials) = (plan, credentials)
            do {
                let password = try await offPool {
                    try plan.camera.credential.map { try credentials.read($0) } ?? Secret("")
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
        return CameraSettings(
            url: camera.url, username: camera.username, password: password,
            transport: camera.transport == .udp ? .udp : .tcp, acceptsUnverifiedTLS: camera.acceptsUnverifiedTLS,
            segmentLength: camera.segmentLength, cacheBudgetBytes: plan.cacheBudgetBytes,
            dropsOldest: camera.cacheFull == .dropOldest, syncHeartbeatPath: places.syncHeartbeat,
            trustsClock: plan.trustsClock)
    }
}

/// The first message of a connection must be the right worker's hello.
private actor Greeting {
    private let camera: CameraName
    private var isDone = false

    init(camera: CameraName) { self.camera = camera }

    func check(_ message: IngestToSupervisor) throws(MessageError) {
        if isDone { return }
        guard case .hello(let identity) = message else { throw MessageError("no hello at first") }
        guard identity.camera == camera else { throw MessageError("a worker of \(identity.camera)") }
        isDone = true
    }
}
