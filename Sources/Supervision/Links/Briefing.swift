import FoundationEssentials
import Isolation
import Messages
import Recording
import Varlink

/// How cvrd tells a server all that it is to do, secrets included, and hears how it is: from Configure until the
/// connection breaks, and again, for as long as the process lives.
///
/// Waits for no answer when it is told something new: a process that stands still delays no change.
actor Briefing<Configuration: Encodable & Hashable & Sendable, Status: SelfDescription & Decodable> {
    /// What the process says.
    enum News: Sendable {
        case status(Status)
        /// It cannot be told, or cannot take, what it is to do; until the next status.
        case refused(Admin.Fault)
    }

    /// Between two questions.
    static var period: Duration { .seconds(2) }
    /// Without an answer from its socket.
    private static var silenceLimit: TimeSpan { .seconds(20) }

    private struct Stop: Encodable {
        var again: Bool
    }

    private let home: ProcessHome
    private let interface: String
    /// Of what is told when it is refused.
    private let refusal: String
    private let hear: @Sendable (News) async -> Void

    /// Reads what it is to be told; blocks on the disks of secrets.
    private var read: @Sendable () throws -> Configuration
    /// Nil as long as it could not be told.
    private var told: Configuration?
    /// Counts what was to be told anew.
    private var revision = 0
    private var client: VarlinkClient?
    private var lastAnswer = MonotonicTime.now

    init(
        at home: ProcessHome, _ interface: String, refusal: String, hear: @escaping @Sendable (News) async -> Void,
        read: @escaping @Sendable () throws -> Configuration
    ) {
        self.home = home
        self.interface = interface
        self.refusal = refusal
        self.hear = hear
        self.read = read
    }

    /// Something else to tell, or the same with other secrets; the connection ends, and the next begins with it.
    func take(_ new: @escaping @Sendable () throws -> Configuration) async {
        read = new
        revision += 1
        // What cannot be read is told by the next connection.
        let whole = try? await complete()
        guard whole == nil || whole != told else { return }
        let old = client
        client = nil
        await old?.close()
    }

    /// Asks it to stop; false when nobody listens.
    nonisolated func stop() async -> Bool {
        await home.ask("\(interface).Stop", VarlinkEmpty(), as: VarlinkEmpty.self, within: .seconds(2))
    }

    /// Throws what `link` makes of a process that does not answer.
    ///
    /// `work` is what else there is to do on a connection and beside it, which ends with that.
    func converse(
        with process: RunningProcess, over link: some HomeLink,
        work: @escaping @Sendable (VarlinkClient, Configuration) async throws -> Void
    ) async throws {
        lastAnswer = .now
        try await withThrowingTaskGroup { group in
            group.addTask {
                while true {
                    await self.talk(to: process, work)
                    try await Task.sleep(for: .milliseconds(200))
                }
            }
            group.addTask {
                while true {
                    try await Task.sleep(for: Self.period)
                    let silence = await self.silence
                    if silence > Self.silenceLimit { try link.judge(process, silentFor: silence) }
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private var silence: TimeSpan { MonotonicTime.now - lastAnswer }

    /// One conversation, from Configure until a connection of it breaks.
    private func talk(
        to process: RunningProcess, _ work: @Sendable (VarlinkClient, Configuration) async throws -> Void
    ) async {
        // Not there yet, or gone: the caller tries again as long as it lives.
        guard let client = try? await home.connect(to: process) else { return }
        do {
            let revision = revision
            let sent = try await whole(for: client)
            told = sent
            _ = try await client.call(
                "\(interface).Configure", sent, as: VarlinkEmpty.self, timeout: .seconds(10))
            // Whoever told something else meanwhile found no connection to end: the next one begins with that.
            if revision == self.revision {
                self.client = client
                try await work(client, sent)
            }
        } catch {
            await report(error)
        }
        // The next process may be talked to already.
        if self.client === client { self.client = nil }
        await client.close()
    }

    /// Asks it how it is, and tells that.
    func ask(_ client: VarlinkClient) async throws {
        let status = try await status(client)
        lastAnswer = .now
        await hear(.status(status))
    }

    private func status(_ client: VarlinkClient) async throws -> Status {
        try await client.call("\(interface).Status", VarlinkEmpty(), as: Status.self, timeout: .seconds(10))
    }

    /// What it is to be told; one that works is ended when that cannot be read: by secrets that hold no more nobody is
    /// served.
    private func whole(for client: VarlinkClient) async throws -> Configuration {
        do { return try await complete() } catch {
            if try await status(client).state == "running" {
                _ = try await client.call(
                    "\(interface).Stop", Stop(again: true), as: VarlinkEmpty.self, timeout: .seconds(2))
            }
            throw error
        }
    }

    private func complete() async throws -> Configuration {
        let read = read
        return try await offPool { try read() }
    }

    private func report(_ error: any Error) async {
        guard let fault = Admin.Fault(refusal, refusal: error) else { return }
        lastAnswer = .now
        await hear(.refused(fault))
        // The same will be said again: not too often. Cancelled, the conversation ends.
        try? await Task.sleep(for: .seconds(1))
    }
}
