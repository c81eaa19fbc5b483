import FoundationEssentials
import Isolation
import Messages
import Recording
import Varlink
import YAMLConfiguration

/// What cvrd knows about cvr-gateway and how it talks to it.
///
/// cvrd asks, on connections of its own: the gateway's clients' requests are read from it and answered, events brought to it.
/// So it needs no socket of the box, and all of the admin socket that it reaches is what `answer` does.
actor GatewayLink: HomeLink {
    /// What cvr-gateway says.
    enum News: Sendable {
        case status(GatewayInterface.Status)
        /// It cannot be told, or cannot take, what it is to do; until the next status.
        case refused(Admin.Fault)
    }

    /// What it is to do, and where the secrets for that are read.
    struct Plan: Hashable, Sendable {
        var listen: ListenAddress?
        var secrets: GatewaySecrets
    }

    nonisolated let program = "cvr-gateway"
    /// Clients ask again; events are on disk.
    nonisolated let patience = StopPatience(beforeTermination: .seconds(3), beforeKill: .seconds(6))
    nonisolated let home: ProcessHome
    private nonisolated let executable: String
    private nonisolated let spool: EventSpool
    private nonisolated let answer: @Sendable (GatewayInterface.Request) async -> GatewayInterface.Answer
    private nonisolated let hear: @Sendable (News) async -> Void

    /// Without an answer from its socket.
    static let silenceLimit = TimeSpan.seconds(20)
    private static let period = Duration.seconds(2)
    /// Requests that are answered at a time; the gateway admits no more.
    private static let mostRequests = 64
    /// Events in one delivery: what a crash may make come twice.
    private static let batch = 16

    private var plan: Plan
    /// Nil as long as it could not be told.
    private var told: GatewayInterface.Configuration?
    private var client: VarlinkClient?
    private var lastAnswer = MonotonicTime.now

    init(
        _ plan: Plan, places: Places, executable: String, spool: EventSpool,
        answer: @escaping @Sendable (GatewayInterface.Request) async -> GatewayInterface.Answer,
        hear: @escaping @Sendable (News) async -> Void
    ) {
        self.plan = plan
        home = .gateway(places)
        self.executable = executable
        self.spool = spool
        self.answer = answer
        self.hear = hear
    }

    /// Takes another plan, or the same with other secrets; the connection ends, and the next begins with it.
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
        let (directory, listen) = (home.directory, plan.listen)
        try await offPool { try SmallFile.makeDirectory(directory) }
        return Launch(
            executable: executable,
            arguments: home.arguments + (listen.map { ["--listen", $0.description] } ?? []))
    }

    func askToStop(_ process: RunningProcess, _ reason: GapReason) async -> Bool {
        await home.ask("io.cvr.Gateway.Stop", GatewayInterface.Stop(), as: VarlinkEmpty.self, within: .seconds(2))
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

    /// One conversation, from Configure until a connection of it breaks.
    private func talk() async {
        // Not there yet: the caller tries again.
        guard let client = try? await home.connect() else {
            return
        }
        do {
            let sent = try await whole(for: client)
            told = sent
            _ = try await client.call("io.cvr.Gateway.Configure", sent, as: VarlinkEmpty.self, timeout: .seconds(10))
            self.client = client
            try await work(client, consumers: sent.consumers)
        } catch {
            await reportRefusal(error)
        }
        self.client = nil
        await client.close()
    }

    private func work(_ client: VarlinkClient, consumers: [String]) async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { try await self.follow(client) }
            group.addTask { try await self.serveRequests() }
            for consumer in consumers { group.addTask { try await self.deliver(to: consumer) } }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func follow(_ client: VarlinkClient) async throws {
        while true {
            let status = try await client.call(
                "io.cvr.Gateway.Status", VarlinkEmpty(), as: GatewayInterface.Status.self, timeout: .seconds(10))
            lastAnswer = .now
            await hear(.status(status))
            try await Task.sleep(for: Self.period)
        }
    }

    // MARK: Requests

    private nonisolated func serveRequests() async throws {
        let (asking, answering) = (try await home.connect(), try await home.connect())
        try await withThrowingTaskGroup(of: Void.self) { group in
            var running = 0
            for try await data in asking.stream("io.cvr.Gateway.Requests", VarlinkEmpty()) {
                let request = try JSONDecoder().decode(GatewayInterface.Request.self, from: data)
                if running >= Self.mostRequests { try await group.next() } else { running += 1 }
                group.addTask { [answer] in
                    let answer = await answer(request)
                    _ = try await answering.call(
                        "io.cvr.Gateway.Answer", answer, as: VarlinkEmpty.self, timeout: .seconds(10))
                }
            }
        }
    }

    // MARK: Events

    /// Brings `consumer` what it has not taken yet, for as long as the connection lasts.
    private nonisolated func deliver(to consumer: String) async throws {
        let client = try await home.connect()
        let name = GraphEventAnswers.reserved + consumer
        var changes = spool.changes().makeAsyncIterator()
        while true {
            let events: [Admin.StoredEvent]
            do { events = try await spool.events(for: name, limit: Self.batch) } catch {
                // A disk that cannot be read: the others go on.
                try await Task.sleep(for: .seconds(5))
                continue
            }
            guard !events.isEmpty else {
                guard await changes.next() != nil else { throw CancellationError() }
                continue
            }
            let taken = try await client.call(
                "io.cvr.Gateway.Deliver", GatewayInterface.Delivery(consumer: consumer, events: events),
                as: GatewayInterface.Delivered.self)
            do {
                if let why = taken.refusal, let refused = events.first(where: { $0.sequence == taken.sequence }) {
                    try await spool.giveUp(refused, by: name, because: why)
                } else {
                    try await spool.acknowledge(taken.sequence, by: name)
                }
            } catch {
                // It is delivered again: rather twice than not at all.
                try await Task.sleep(for: .seconds(5))
            }
        }
    }

    // MARK: Configuration

    /// What it is to be told; one that works is ended when that cannot be read: by tokens that hold no more nobody is
    /// served.
    private func whole(for client: VarlinkClient) async throws -> GatewayInterface.Configuration {
        do { return try await complete() } catch {
            let status = try await client.call(
                "io.cvr.Gateway.Status", VarlinkEmpty(), as: GatewayInterface.Status.self, timeout: .seconds(10))
            if status.state == "running" {
                _ = try await client.call(
                    "io.cvr.Gateway.Stop", GatewayInterface.Stop(again: true), as: VarlinkEmpty.self,
                    timeout: .seconds(2))
            }
            throw error
        }
    }

    private func complete() async throws -> GatewayInterface.Configuration {
        let plan = plan
        return try await offPool { try plan.secrets.read(listen: plan.listen) }
    }

    private func reportRefusal(_ error: any Error) async {
        guard let fault = Admin.Fault("gatewayRefused", refusal: error) else { return }
        lastAnswer = .now
        await hear(.refused(fault))
        // The same will be said again: not too often. Cancelled, the conversation ends.
        try? await Task.sleep(for: .seconds(1))
    }
}
