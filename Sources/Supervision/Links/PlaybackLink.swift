import Isolation
import Messages
import Recording
import Varlink
import YAMLConfiguration

/// What cvrd knows about cvr-playback and how it talks to it.
actor PlaybackLink: HomeLink {
    typealias Talk = Briefing<PlaybackInterface.Configuration, PlaybackInterface.Status>

    /// What it is to serve, and where the secrets for that are read.
    struct Plan: Hashable, Sendable {
        var configuration: PlaybackInterface.Configuration
        var secrets: PlaybackSecrets

        /// Blocks on the disks of secrets.
        func read() throws -> PlaybackInterface.Configuration { try secrets.read(into: configuration) }
    }

    nonisolated let program = "cvr-playback"
    /// Whoever watches connects again: nothing is worth waiting for.
    nonisolated let patience = StopPatience(beforeTermination: .seconds(3), beforeKill: .seconds(6))
    nonisolated let home: ProcessHome
    private nonisolated let executable: String
    private nonisolated let talk: Talk
    /// What there is to tell of the box.
    private nonisolated let boxStatus: @Sendable () async -> Admin.Status

    private var plan: Plan

    init(
        _ plan: Plan, places: Places, executable: String, boxStatus: @escaping @Sendable () async -> Admin.Status,
        hear: @escaping @Sendable (Talk.News) async -> Void
    ) {
        self.plan = plan
        home = .playback(places)
        talk = Talk(
            at: home, PlaybackInterface.interface, refusal: "playbackRefused", hear: hear, read: { try plan.read() })
        self.executable = executable
        self.boxStatus = boxStatus
    }

    /// Takes another plan, or the same with other secrets.
    func take(_ new: Plan) async {
        plan = new
        await talk.take { try new.read() }
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

    func askToStop(_ process: RunningProcess, _ reason: GapReason) async -> Bool { await talk.stop() }

    func converse(with process: RunningProcess) async throws {
        try await talk.converse(with: process, over: self) { [talk, boxStatus] client, _ in
            while true {
                try await talk.ask(client)
                _ = try await client.call(
                    "io.cvr.Playback.Report", PlaybackInterface.Report(status: await boxStatus()),
                    as: VarlinkEmpty.self, timeout: .seconds(10))
                try await Task.sleep(for: Talk.period)
            }
        }
    }
}
