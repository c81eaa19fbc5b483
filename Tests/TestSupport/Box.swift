import Foundation

/// A recorder box: the real cvrd with its children below a directory of its own, driven by the real cvrctl.
package actor Box: RecorderBox {
    /// Everything of the box lies here; short, since sockets are below it.
    package nonisolated let root: String
    package var settings: BoxSettings
    private var daemon: ChildProcess?
    private var follower: ChildProcess?
    private var mounts: [String] = []

    init(_ settings: BoxSettings) throws {
        self.settings = settings
        root = try Self.makeRoot()
    }

    /// A directory of its own; its name is short.
    static func makeRoot() throws -> String {
        var template = Array("/tmp/cvr-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Missed("mkdtemp: errno \(errno)") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    // Life

    /// Makes the directories and mounts that the settings name.
    func prepare() async throws {
        if let size = settings.rootMountMiB { try await mount(root, size) }
        for folder in ["run", "state/credentials", "cache", "store", "log"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
        }
        if let size = settings.cacheMountMiB { try await mount("\(root)/cache", size) }
        if let size = settings.storeMountMiB { try await mount("\(root)/store", size) }
    }

    /// Writes the settings as cvr.yaml and its credentials.
    package func configure(_ settings: BoxSettings) throws {
        self.settings = settings
        try Data(settings.yaml(root: root).utf8).write(to: URL(filePath: "\(root)/cvr.yaml"))
        try settings.writeCredentials(to: "\(root)/state/credentials")
    }

    /// Starts cvrd, that of another folder if one is named, and returns when it answers.
    package func start(
        environment: [String: String] = [:], programs: String = Repository.binaries
    ) async throws {
        try configure(settings)
        let variables = settings.environment.merging(environment) { $1 }
        let daemon = try ChildProcess(
            "\(programs)/cvrd", ["--config", "\(root)/cvr.yaml"], environment: variables,
            log: "\(root)/log/cvrd")
        self.daemon = daemon
        let follower = try await eventually("cvrd answers", within: .seconds(20), every: .milliseconds(50)) {
            guard daemon.isRunning else { throw Missed("cvrd ended:\n\(self.log.suffix(4000))") }
            return try await self.run(["--json", "status"]).ending == .exited(0) ? try self.follow() : nil
        }
        self.follower = follower
    }

    /// A signal to cvrd that stops the box; cvrd's way to end, and an error when a process of the box outlives it.
    package func stop(_ signal: Int32 = SIGTERM) async throws -> Ending {
        let ending = try await endSupervisor(signal)
        let left = processes()
        guard left.isEmpty else { throw Missed("left behind by cvrd: \(left)") }
        return ending
    }

    /// SIGKILL to every process of the box at once, as a power cut would; returns when all are gone.
    package func crash() async throws {
        // Stopped first, no process sees another one die.
        for victim in processes() { kill(victim.pid, SIGSTOP) }
        try await eventually("every process is gone", every: .milliseconds(20)) {
            // A child that cvrd was just starting is seen the next time.
            let left = processes()
            for victim in left { kill(victim.pid, SIGKILL) }
            return left.isEmpty ? true : nil
        }
        await follower?.stop()
        daemon = nil
    }

    /// A signal that ends cvrd, whatever it means to the others; returns when cvrd is gone.
    @discardableResult
    package func endSupervisor(_ signal: Int32) async throws -> Ending {
        guard let daemon else { throw Missed("the box is not running") }
        daemon.signal(signal)
        let ending = try await daemon.end()
        self.daemon = nil
        await follower?.stop()
        return ending
    }

    /// A signal to cvrd that does not end it.
    package func signal(_ number: Int32) { daemon?.signal(number) }

    func tearDown() async {
        do {
            if daemon?.isRunning == true { _ = try await stop() }
            if !processes().isEmpty { try await crash() }
        } catch {
            for process in processes() { kill(process.pid, SIGKILL) }
        }
        await follower?.stop()
    }

    /// Removes what `prepare` made; with `keepingFiles` just its mounts.
    func remove(keepingFiles: Bool) async throws {
        for mount in mounts.reversed() { _ = try await TestSupport.run("/bin/umount", ["-l", mount]) }
        if !keepingFiles { try FileManager.default.removeItem(atPath: root) }
    }

    /// The store is gone, as when its disk is unplugged: a file is where it should be.
    package nonisolated func takeStoreAway() throws {
        try FileManager.default.moveItem(atPath: "\(root)/store", toPath: "\(root)/unplugged")
        try Data().write(to: URL(filePath: "\(root)/store"))
    }

    package nonisolated func giveStoreBack() throws {
        try FileManager.default.removeItem(atPath: "\(root)/store")
        try FileManager.default.moveItem(atPath: "\(root)/unplugged", toPath: "\(root)/store")
    }

    private func mount(_ path: String, _ mebibytes: Int) async throws {
        let done = try await TestSupport.run("/bin/mount", ["-t", "tmpfs", "-o", "size=\(mebibytes)m", "cvr", path])
        guard done.ending == .exited(0) else { throw Missed("mount \(path): \(done.errors)") }
        mounts.append(path)
    }

    // What runs

    package nonisolated func processes() -> [BoxProcess] { BoxProcess.all(of: root) }

    package nonisolated func worker(of camera: String) throws -> BoxProcess {
        let found = processes().first { $0.program == "cvr-ingest" && $0.camera == camera }
        guard let found else { throw Missed("no worker records \(camera)") }
        return found
    }

    package nonisolated func sync() throws -> BoxProcess {
        guard let found = processes().first(where: { $0.program == "cvr-sync" }) else {
            throw Missed("no cvr-sync runs")
        }
        return found
    }

    package nonisolated func playback() throws -> BoxProcess {
        guard let found = processes().first(where: { $0.program == "cvr-playback" }) else {
            throw Missed("no cvr-playback runs")
        }
        return found
    }

    package nonisolated var adminSocket: String { "\(root)/run/admin.sock" }

    // What it says

    /// Everything that the box's processes logged.
    package nonisolated var log: String { Self.log(of: root) }

    static func log(of root: String) -> String {
        // Nothing was logged before cvrd started.
        (try? String(contentsOfFile: "\(root)/log/cvrd", encoding: .utf8)) ?? ""
    }

    /// Runs cvrctl against the box.
    package nonisolated func run(
        _ arguments: [String], input: String = "", within limit: Duration = .seconds(60)
    ) async throws -> Finished {
        try await TestSupport.run(
            "\(Repository.binaries)/cvrctl", ["--socket", "\(root)/run/admin.sock"] + arguments, input: input,
            within: limit)
    }

    /// The events since cvrd answered, one JSON object a line.
    package var events: Output {
        get throws {
            guard let follower else { throw Missed("the box was not started") }
            return follower.output
        }
    }

    private func follow() throws -> ChildProcess {
        try ChildProcess(
            "\(Repository.binaries)/cvrctl", ["--socket", "\(root)/run/admin.sock", "--json", "events", "--follow"])
    }
}

/// Runs `body` with a box that is not started yet; whatever happens, nothing of it runs afterwards.
///
/// When the test failed, its logs are printed and its directory stays, as it does with `CVR_TEST_KEEP` set. Shared
/// by several tests it stays until the process ends.
package func withBox<Result: Sendable>(
    _ settings: BoxSettings, sharedBy shared: Evidence? = nil, isolation: isolated (any Actor)? = #isolation,
    _ body: (Box) async throws -> Result
) async throws -> Result {
    let box = try Box(settings)
    let evidence = shared ?? Evidence()
    do {
        try await box.prepare()
        let result = try await Evidence.$current.withValue(evidence) { try await body(box) }
        if evidence.hasFailed { await show(box) }
        await box.tearDown()
        let keepsFiles = ProcessInfo.processInfo.environment["CVR_TEST_KEEP"] != nil
        try await box.remove(keepingFiles: evidence.hasFailed || keepsFiles || shared != nil)
        if !keepsFiles { shared?.keep(box.root) }
        return result
    } catch {
        await show(box)
        await box.tearDown()
        try await box.remove(keepingFiles: true)
        throw error
    }
}

private func show(_ box: Box) async {
    // Best effort: the test failed already.
    let status = try? await box.run(["status"], within: .seconds(5)).text
    let events = try? await box.events.lines.suffix(60).joined(separator: "\n")
    print(
        """
        ---- \(box.root): status
        \(status ?? "no answer")
        ---- events
        \(events ?? "none")
        ---- the end of log/cvrd
        \(box.log.suffix(12000))
        ---- processes: \(box.processes().map { "\($0.program) \($0.pid)" }.joined(separator: ", "))
        """)
}
