import FoundationEssentials
import Isolation
import Messages
import Recording
import Varlink
import YAMLConfiguration

/// What cvrd knows about cvr-playback and how it talks to it.
actor PlaybackLink: HomeLink {
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
    nonisolated let home: ProcessHome
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
        home = .playback(places)
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
        let (directory, told) = (home.directory, plan.configuration)
        try await offPool {
            try SmallFile.makeDirectory(directory)
            // One that cvr-sync makes later would be out of its reach.
            try SmallFile.makeDirectory(told.statePath + "/sync", mode: 0o750)
        }
        return Launch(
            executable: executable,
            arguments: home.arguments + [
                "--cache", told.cachePath, "--state", told.statePath, "--store", told.storeURL, "--listen", told.listen,
            ])
    }

    func askToStop(_ process: RunningProcess, _ reason: GapReason) async -> Bool {
        await home.ask(
            "io.cvr.Playback.Stop", PlaybackInterface.Stop(), as: VarlinkEmpty.self, within: .seconds(2))
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

    private func checkSilence(_ process: RunningProcess) throws {
        let silence = MonotonicTime.now - lastAnswer
        guard silence > Self.silenceLimit else { return }
        try judge(process, silentFor: silence)
    }

    /// One connection, from Configure until it breaks.
    private func talk() async {
        // Not there yet: the caller tries again.
        guard let client = try? await home.connect() else {
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

    private func reportRefusal(_ error: any Error) async {
        guard let fault = Admin.Fault("playbackRefused", refusal: error) else { return }
        lastAnswer = .now
        await hear(.refused(fault))
        // The same will be said again: not too often. Cancelled, the conversation ends.
        try? await Task.sleep(for: .seconds(1))
    }
}
