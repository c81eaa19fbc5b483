import FoundationEssentials
import Isolation
import MediaGraph
import Messages
import Recording
import Varlink
import YAMLConfiguration

/// What cvrd knows about cvr-gateway and how it talks to it.
///
/// cvrd asks, on connections of its own: the gateway's clients' requests are read from it and answered, events brought to it.
/// So it needs no socket of the box, and all of the admin socket that it reaches is what `answer` does.
actor GatewayLink: HomeLink {
    typealias Talk = Briefing<GatewayInterface.Configuration, GatewayInterface.Status>

    /// What it is to do, and where the secrets for that are read.
    struct Plan: Hashable, Sendable {
        var listen: ListenAddress?
        var secrets: GatewaySecrets

        /// Blocks on the disks of secrets.
        func read() throws -> GatewayInterface.Configuration { try secrets.read(listen: listen) }
    }

    nonisolated let program = "cvr-gateway"
    /// Clients ask again; events are on disk.
    nonisolated let patience = StopPatience(beforeTermination: .seconds(3), beforeKill: .seconds(6))
    nonisolated let home: ProcessHome
    private nonisolated let executable: String
    private nonisolated let spool: EventSpool
    private nonisolated let answer: @Sendable (GatewayInterface.Request) async -> GatewayInterface.Answer
    private nonisolated let talk: Talk

    /// Events in one delivery: what a crash may make come twice.
    private static let batch = 16

    private var plan: Plan
    private var underWay: [GatewayInterface.Request.Kind: Int] = [:]

    init(
        _ plan: Plan, places: Places, executable: String, spool: EventSpool,
        answer: @escaping @Sendable (GatewayInterface.Request) async -> GatewayInterface.Answer,
        hear: @escaping @Sendable (Talk.News) async -> Void
    ) {
        self.plan = plan
        home = .gateway(places)
        talk = Talk(
            at: home, GatewayInterface.interface, refusal: "gatewayRefused", hear: hear, read: { try plan.read() })
        self.executable = executable
        self.spool = spool
        self.answer = answer
    }

    /// Takes another plan, or the same with other secrets.
    func take(_ new: Plan) async {
        plan = new
        await talk.take { try new.read() }
    }

    func prepare(predecessorEnd: GapReason?) async throws -> Launch {
        let (directory, listen) = (home.directory, plan.listen)
        try await offPool { try SmallFile.makeDirectory(directory) }
        return Launch(
            executable: executable,
            arguments: home.arguments + (listen.map { ["--listen", $0.description] } ?? []))
    }

    func askToStop(_ process: RunningProcess, _ reason: GapReason) async -> Bool { await talk.stop() }

    func converse(with process: RunningProcess) async throws {
        try await talk.converse(with: process, over: self) { [self] client, told in
            try await withThrowingTaskGroup { group in
                group.addTask { try await self.follow(client) }
                group.addTask { try await self.serveRequests(of: process) }
                for consumer in told.consumers { group.addTask { try await self.deliver(to: consumer, by: process) } }
                defer { group.cancelAll() }
                try await group.next()
            }
        }
    }

    private nonisolated func follow(_ client: VarlinkClient) async throws {
        while true {
            try await talk.ask(client)
            try await Task.sleep(for: Talk.period)
        }
    }

    // MARK: Requests

    private nonisolated func serveRequests(of process: RunningProcess) async throws {
        let (asking, answering) = (try await home.connect(to: process), try await home.connect(to: process))
        try await withThrowingDiscardingTaskGroup { group in
            for try await data in asking.stream("io.cvr.Gateway.Requests", VarlinkEmpty()) {
                let request = try JSONDecoder().decode(GatewayInterface.Request.self, from: data)
                guard await begin(request.kind) else {
                    // Before another one is read: one that floods waits.
                    try await Self.tell(answering, GatewayInterface.Answer(id: request.id, .busy))
                    continue
                }
                group.addTask {
                    let answer = await self.answer(request)
                    await self.end(request.kind)
                    try await Self.tell(answering, answer)
                }
            }
        }
    }

    /// Of what is under way the gateway counts only what a client still waits for: here counts what is not done.
    private func begin(_ kind: GatewayInterface.Request.Kind) -> Bool {
        // A broker's message, of which there is one at a time, always has a place.
        let most = GatewayInterface.mostRequests + (kind == .message ? 1 : 0)
        guard underWay[kind, default: 0] < most else { return false }
        underWay[kind, default: 0] += 1
        return true
    }

    private func end(_ kind: GatewayInterface.Request.Kind) { underWay[kind, default: 0] -= 1 }

    private static func tell(_ client: VarlinkClient, _ answer: GatewayInterface.Answer) async throws {
        _ = try await client.call("io.cvr.Gateway.Answer", answer, as: VarlinkEmpty.self, timeout: .seconds(10))
    }

    // MARK: Events

    /// Brings `consumer` what it has not taken yet, for as long as the connection lasts.
    private nonisolated func deliver(to consumer: String, by process: RunningProcess) async throws {
        let client = try await home.connect(to: process)
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
}

extension GraphReply {
    fileprivate static let busy = GraphReply(
        MethodReply(
            GraphError(
                status: 503, code: "ServerBusy",
                message: "\(GatewayInterface.mostRequests) requests of this kind are under way, for longer than their "
                    + "clients waited: `cvrctl events` tells what they wait for. Ask again in a minute.")))
}
