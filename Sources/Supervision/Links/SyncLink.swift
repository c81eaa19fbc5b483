import FoundationEssentials
import Isolation
import Messages
import Recording
import Varlink
import YAMLConfiguration

/// What cvrd knows about cvr-sync and how it talks to it.
actor SyncLink: HomeLink {
    /// What cvr-sync says.
    enum News: Sendable {
        case status(SyncInterface.Status)
        case event(Listing.Event)
        /// It answers, but cannot work; until the next status.
        case refused(Admin.Fault)
    }

    nonisolated let program = "cvr-sync"
    /// The last pass may take its limit; the rest is for closing the catalog.
    nonisolated let patience: StopPatience
    nonisolated let home: ProcessHome
    private nonisolated let executable: String
    private nonisolated let hear: @Sendable (News) async -> Void

    /// The last pass of a stopping box (stop contract, design §5).
    static let lastPass = 10.0
    /// Without an answer from its socket's loop, which does nothing else.
    static let pingLimit = TimeSpan.seconds(30)
    /// Without news from its work: a catalog that is being rebuilt may keep it busy for minutes.
    static let statusLimit = TimeSpan.seconds(600)

    private var configuration: SyncInterface.Configuration
    private var secrets: StoreSecrets
    /// Counts what was to be told anew.
    private var revision = 0
    /// Nil as long as it could not be told.
    private var told: SyncInterface.Configuration?
    private var client: VarlinkClient?
    private var lastPing = MonotonicTime.now
    private var lastStatus = MonotonicTime.now
    private var lastRefusal: String?

    init(
        _ configuration: SyncInterface.Configuration, places: Places, executable: String,
        secrets: StoreSecrets, hear: @escaping @Sendable (News) async -> Void
    ) {
        self.configuration = configuration
        self.secrets = secrets
        home = .sync(places)
        self.executable = executable
        self.hear = hear
        patience = StopPatience(
            beforeTermination: .seconds(Self.lastPass + 3), beforeKill: .seconds(Self.lastPass + 8))
    }

    /// Takes a new configuration, or the same with other secrets; the connection ends, and the next begins with it.
    ///
    /// Waits for no answer: a cvr-sync that stands still delays no change.
    func take(_ new: SyncInterface.Configuration, _ newSecrets: StoreSecrets) async {
        (configuration, secrets) = (new, newSecrets)
        revision += 1
        // What cannot be read is told by the next connection.
        let whole = try? await complete()
        guard whole == nil || whole != told else { return }
        let old = client
        client = nil
        await old?.close()
    }

    /// Tells cvr-sync that a camera closed a segment; a hint that is lost costs a period.
    func hint(_ camera: CameraName) {
        // A connection that just broke: the pass finds the segment by itself.
        try? client?.notify("io.cvr.Sync.SegmentClosed", SyncInterface.Hint(camera: camera.text))
    }

    func prepare(predecessorEnd: GapReason?) async throws -> Launch {
        let (directory, state) = (home.directory, configuration.statePath)
        try await offPool {
            try SmallFile.makeDirectory(directory)
            try SmallFile.makeDirectory(state)
        }
        // It shuts itself in before it can be told more.
        let told = configuration
        return Launch(
            executable: executable,
            arguments: home.arguments + [
                "--cache", told.cachePath, "--state", told.statePath, "--store", told.storeURL,
            ] + (told.filePaths ?? []).flatMap { ["--files", $0] })
    }

    func askToStop(_ process: RunningProcess, _ reason: GapReason) async -> Bool { await Self.askToStop(at: home) }

    /// Asks whichever cvr-sync lives there, and waits for its last pass; false when none listens.
    @discardableResult
    static func askToStop(at home: ProcessHome, within limit: Duration? = nil) async -> Bool {
        await home.ask(
            "io.cvr.Sync.Stop", SyncInterface.Stop(limit: lastPass), as: SyncInterface.Stopped.self, within: limit)
    }

    func converse(with process: RunningProcess) async throws {
        lastPing = .now
        lastStatus = .now
        try await withThrowingTaskGroup { group in
            group.addTask {
                while true {
                    await self.follow(process)
                    try await Task.sleep(for: .milliseconds(100))
                }
            }
            group.addTask {
                while true {
                    try await Task.sleep(for: .seconds(5))
                    await self.ping(process)
                    try await self.checkSilence(process)
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func ping(_ process: RunningProcess) async {
        do {
            let client = try await home.connect(to: process)
            _ = try await client.callRaw("org.varlink.service.GetInfo", Data("{}".utf8), timeout: .seconds(5))
            await client.close()
            lastPing = .now
        } catch {
            // The silence is judged, not one missing answer.
        }
    }

    private func checkSilence(_ process: RunningProcess) throws {
        let (ping, status) = (MonotonicTime.now - lastPing, MonotonicTime.now - lastStatus)
        guard ping > Self.pingLimit || status > Self.statusLimit else { return }
        try judge(process, silentFor: max(ping, status))
    }

    /// Follows its events as long as it lives, and configures it only then: what it finds on taking over a
    /// configuration is told too.
    private func follow(_ process: RunningProcess) async {
        // Not there yet, or gone: the caller tries again as long as it lives.
        guard let client = try? await home.connect(to: process) else { return }
        do {
            try await withThrowingTaskGroup { group in
                defer { group.cancelAll() }
                var isFollowing = false
                for try await reply in client.stream("io.cvr.Sync.Events", VarlinkEmpty()) {
                    if !isFollowing { group.addTask { try await self.keepTalking(to: process) } }
                    isFollowing = true
                    for event in try JSONDecoder().decode(Listing.Events.self, from: reply).events {
                        await hear(.event(event))
                    }
                }
            }
        } catch {
            await reportRefusal(error)
        }
        await client.close()
    }

    private func keepTalking(to process: RunningProcess) async throws {
        while true {
            await talk(to: process)
            try await Task.sleep(for: .milliseconds(lastRefusal == nil ? 100 : 1000))
        }
    }

    /// One connection, from Configure until it breaks.
    private func talk(to process: RunningProcess) async {
        // Not there yet, or gone: the caller tries again as long as it lives.
        guard let client = try? await home.connect(to: process) else { return }
        do {
            var sent: Int
            repeat {
                // It may change while it is read, or while cvr-sync takes it over: until the connection is known to
                // `take`, nobody else says so.
                sent = revision
                let whole = try await complete()
                told = whole
                _ = try await client.call("io.cvr.Sync.Configure", whole, as: VarlinkEmpty.self)
            } while sent != revision
            self.client = client
            try await pollStatus(client)
        } catch {
            await reportRefusal(error)
        }
        // The next process may be talked to already.
        if self.client === client { self.client = nil }
        await client.close()
    }

    /// The configuration with what lets cvr-sync into its store.
    private func complete() async throws -> SyncInterface.Configuration {
        var whole = configuration
        let (secrets, access) = (secrets, whole.storeAccess ?? SyncInterface.StoreAccess())
        whole.storeAccess = try await offPool { try secrets.read(into: access) }
        return whole
    }

    /// Says so, by an event once.
    private func reportRefusal(_ error: any Error) async {
        guard let fault = Admin.Fault("syncRefused", refusal: error) else { return }
        lastStatus = .now
        await hear(.refused(fault))
        let words = "\(fault.message); \(fault.nextStep)"
        guard words != lastRefusal else { return }
        lastRefusal = words
        await hear(.event(Listing.Event(time: fault.time ?? "", type: fault.code, camera: nil, detail: words)))
    }

    private func pollStatus(_ client: VarlinkClient) async throws {
        while true {
            let status = try await client.call(
                "io.cvr.Sync.Status", VarlinkEmpty(), as: SyncInterface.Status.self)
            lastStatus = .now
            lastRefusal = nil
            await hear(.status(status))
            try await Task.sleep(for: .seconds(1))
        }
    }
}
