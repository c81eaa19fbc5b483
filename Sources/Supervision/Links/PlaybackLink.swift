import FoundationEssentials
import Glibc
import Isolation
import Messages
import Recording
import Varlink
import YAMLConfiguration

/// What cvrd knows about cvr-playback and how it talks to it.
actor PlaybackLink: ProcessLink {
    /// What cvr-playback says.
    enum News: Sendable {
        case status(PlaybackInterface.Status)
        /// It cannot be told, or cannot take, what it is to serve; until the next status.
        case refused(Admin.Fault)
    }

    /// What it is to serve, and where the secrets for that are read.
    struct Plan: Hashable, Sendable {
        var configuration: PlaybackInterface.Configuration
        var secrets: PlaybackSecrets
    }

    nonisolated let program = "cvr-playback"
    /// Whoever watches connects again: nothing is worth waiting for.
    nonisolated let patience = StopPatience(beforeTermination: .seconds(3), beforeKill: .seconds(6))
    private nonisolated let places: Places
    private nonisolated let executable: String
    private nonisolated let hear: @Sendable (News) async -> Void
    /// What there is to tell of the box.
    private nonisolated let boxStatus: @Sendable () async -> Admin.Status

    /// Without an answer from its socket.
    static let silenceLimit = TimeSpan.seconds(20)
    private static let period = Duration.seconds(2)

    private var plan: Plan
    /// Nil as long as it could not be told.
    private var told: PlaybackInterface.Configuration?
    private var client: VarlinkClient?
    private var lastAnswer = MonotonicTime.now

    init(
        _ plan: Plan, places: Places, executable: String, boxStatus: @escaping @Sendable () async -> Admin.Status,
        hear: @escaping @Sendable (News) async -> Void
    ) {
        self.plan = plan
        self.places = places
        self.executable = executable
        self.boxStatus = boxStatus
        self.hear = hear
    }

    /// Takes another plan, or the same with other secrets; the connection ends, and the next begins with it.
    ///
    /// Waits for no answer: a cvr-playback that stands still delays no change.
    func take(_ new: Plan) async {
        plan = new
        // What cannot be read is told by the next connection.
        let whole = try? await complete()
        guard whole == nil || whole != told else { return }
        let old = client
        client = nil
        await old?.close()
    }

    func prepare(predecessorEnd: GapReason?) async throws -> Launch {
        // It shuts itself in before it can be told more.
        let (directory, told) = (places.playbackDirectory, plan.configuration)
        try await offPool {
            try SmallFile.makeDirectory(directory)
            // One that cvr-sync makes later would be out of its reach.
            try SmallFile.makeDirectory(told.statePath + "/sync", mode: 0o750)
        }
        return Launch(
            executable: executable,
            arguments: arguments + [
                "--cache", told.cachePath, "--state", told.statePath, "--store", told.storeURL, "--listen", told.listen,
            ])
    }

    /// One whose socket is gone can be told nothing any more: it is ended, since its end costs no footage.
    func findRunning() async -> [RunningProcess] {
        guard let found = await recorded() else { return [] }
        do {
            try await VarlinkClient.connect(path: places.playbackSocket, timeout: .seconds(1)).close()
        } catch {
            guard access(places.playbackSocket, F_OK) != 0 else { return [found] }
            await Leftover.end(found)
            return []
        }
        return [found]
    }

    func removeLeftovers() async {
        if let process = await recorded() { await Leftover.end(process) }
    }

    func lastWords(of process: RunningProcess) async -> LastWords? {
        let (directory, pid, startTime) = (places.playbackDirectory, process.pid, process.startTime)
        return await offPool(atMost: .seconds(1)) {
            LastWordsFile.read(in: directory, of: pid, startTime: startTime)
        } ?? nil
    }

    func askToStop(_ process: RunningProcess, _ reason: GapReason) async -> Bool {
        // Nobody listens: SIGTERM follows.
        guard let client = try? await VarlinkClient.connect(path: places.playbackSocket, timeout: .seconds(1)) else {
            return false
        }
        do {
            _ = try await client.call(
                "io.cvr.Playback.Stop", PlaybackInterface.Stop(), as: VarlinkEmpty.self, timeout: .seconds(2))
            await client.close()
        } catch {
            // It ended before it answered, or cannot answer: then SIGTERM follows.
        }
        return true
    }

    func converse(with process: RunningProcess) async throws {
        lastAnswer = .now
        try await withThrowingTaskGroup { group in
            group.addTask {
                while true {
                    await self.talk()
                    try await Task.sleep(for: .milliseconds(200))
                }
            }
            group.addTask {
                while true {
                    try await Task.sleep(for: Self.period)
                    try await self.checkSilence(process)
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private nonisolated var arguments: [String] { ["--run", places.playbackDirectory] }

    private func recorded() async -> RunningProcess? {
        let (path, arguments) = (places.playbackDirectory + "/state.json", arguments)
        return await offPool(atMost: .seconds(5)) {
            ProcessRecord.process(at: path, startedWith: arguments)
        } ?? nil
    }

    private func checkSilence(_ process: RunningProcess) throws {
        let silence = MonotonicTime.now - lastAnswer
        guard silence > Self.silenceLimit else { return }
        let state = ProcessFacts.activity(of: process.pid)?.state
        if state == .waitingForDisk { return }
        throw Departure.Condemnation.hung(
            state == .stopped ? .frozen : .asleep, "no answer for \(silence.microseconds / 1_000_000) s")
    }

    /// One connection, from Configure until it breaks.
    private func talk() async {
        // Not there yet: the caller tries again.
        guard let client = try? await VarlinkClient.connect(path: places.playbackSocket, timeout: .seconds(1)) else {
            return
        }
        do {
            let sent = try await whole(for: client)
            told = sent
            _ = try await client.call("io.cvr.Playback.Configure", sent, as: VarlinkEmpty.self, timeout: .seconds(10))
            self.client = client
            try await exchange(client)
        } catch {
            await reportRefusal(error)
        }
        self.client = nil
        await client.close()
    }

    private func exchange(_ client: VarlinkClient) async throws {
        while true {
            let status = try await client.call(
                "io.cvr.Playback.Status", VarlinkEmpty(), as: PlaybackInterface.Status.self, timeout: .seconds(10))
            lastAnswer = .now
            await hear(.status(status))
            _ = try await client.call(
                "io.cvr.Playback.Report", PlaybackInterface.Report(status: await boxStatus()), as: VarlinkEmpty.self,
                timeout: .seconds(10))
            try await Task.sleep(for: Self.period)
        }
    }

    /// What it is to be told; one that serves is ended when that cannot be read: by rules that hold no more nobody is
    /// served.
    private func whole(for client: VarlinkClient) async throws -> PlaybackInterface.Configuration {
        do { return try await complete() } catch {
            let status = try await client.call(
                "io.cvr.Playback.Status", VarlinkEmpty(), as: PlaybackInterface.Status.self, timeout: .seconds(10))
            if status.state == "running" {
                _ = try await client.call(
                    "io.cvr.Playback.Stop", PlaybackInterface.Stop(again: true), as: VarlinkEmpty.self,
                    timeout: .seconds(2))
            }
            throw error
        }
    }

    private func complete() async throws -> PlaybackInterface.Configuration {
        let plan = plan
        return try await offPool { try plan.secrets.read(into: plan.configuration) }
    }

    /// It answered, but with an error, or cannot be told what it needs: it is no hung process, and the operator must
    /// know; a broken connection is only its end.
    private func reportRefusal(_ error: any Error) async {
        let (message, nextStep): (String, String)
        switch error {
        case let error as VarlinkRemoteError: (message, nextStep) = (error.message, error.nextStep)
        case let error as Refusal: (message, nextStep) = (error.fault.message, error.fault.nextStep)
        default: return
        }
        lastAnswer = .now
        await hear(
            .refused(
                Admin.Fault(
                    code: "playbackRefused", message: message, nextStep: nextStep, time: WallTime.now.rfc3339)))
        // The same will be said again: not too often. Cancelled, the conversation ends.
        try? await Task.sleep(for: .seconds(1))
    }
}
