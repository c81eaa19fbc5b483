import Isolation
import JSON
import Logging
import Messages
import Recording
import YAMLConfiguration

/// How cvrd keeps cvr-gateway. Whatever becomes of that, no recording waits for it.
extension Supervisor {
    /// Brings the process to what the configuration says: to be called at the start and after each change.
    func applyGateway() async {
        let plan = gatewayPlan
        spool.configure(
            Set(plan?.consumers.map { GraphEventAnswers.reserved + $0 } ?? []), prefix: GraphEventAnswers.reserved)
        guard let gateway else { return startGateway(plan) }
        guard !isStopping else { return }
        guard let plan else { return gateway.keeper.order(.stop(.stopped)) }
        await gateway.link.take(plan)
        // Also after a refusal, and while it is held back: the operator has acted.
        if case .waiting = gateway.kept.phase { return gateway.keeper.order(.restart(.stopped)) }
        gateway.keeper.order(.start)
    }

    private func startGateway(_ plan: GatewayLink.Plan?) {
        guard let plan else { return }
        let link = GatewayLink(
            plan, places: places, executable: surroundings.programs.gateway, spool: spool,
            answer: { [weak self] in await self?.answer($0) ?? GatewayInterface.Answer(id: $0.id, .stopping) }
        ) { [weak self] in await self?.gateway(said: $0) }
        let keeper = Keeper(link) { [weak self] in await self?.gatewayKeeper(reports: $0) }
        gateway = KeptService(link: link, keeper: keeper)
        keep(keeper)
        // What an earlier cvrd left is found, and stopped.
        keeper.order(isStopping ? .retire(.stopped) : .start)
    }

    /// Ends what an earlier cvrd started, where there is to be none any more.
    func endStrayGateway() async {
        guard box.gateway == nil else { return }
        if let process = await ProcessHome.gateway(places).inhabitant() { await Leftover.end(process) }
    }

    private var gatewayPlan: GatewayLink.Plan? {
        box.gateway.map { gateway in
            GatewayLink.Plan(
                listen: gateway.listen,
                secrets: GatewaySecrets(
                    configuration: gateway, box: "\(box.site)/\(surroundings.host)", files: credentials))
        }
    }

    private func gatewayKeeper(reports report: Keeper.Report) {
        switch report {
        case .status(let status): gateway?.take(status)
        case .happened(let type, let detail, let fault): note(type, detail, fault, of: "gateway")
        }
    }

    private func gateway(said news: GatewayLink.Talk.News) async {
        switch news {
        case .status(let status):
            let (last, sandbox) = (gateway?.status, gateway?.sandbox)
            gateway?.hear(status)
            tellOfReceivers(status, after: last)
            await greet(status, after: last, sandbox: sandbox, program: surroundings.programs.gateway)
        case .refused(let fault):
            let words = "\(fault.message). \(fault.nextStep)"
            if gateway?.refusal?.message != fault.message { events.append("gatewayRefused", words) }
            gateway?.hear(refusal: fault)
        }
    }

    /// One that is away is news, and that it is back; its events wait meanwhile.
    private func tellOfReceivers(_ status: GatewayInterface.Status, after last: GatewayInterface.Status?) {
        for consumer in status.consumers {
            let before = last?.consumers.first { $0.name == consumer.name }
            let (wasAway, isAway) = (before?.state == "away", consumer.state == "away")
            guard wasAway != isAway else { continue }
            guard isAway else {
                events.append("receiverBack", "\(consumer.name) takes events of media graphs again")
                continue
            }
            let why = consumer.lastError.map { ": \($0.message). \($0.nextStep)" } ?? ""
            events.append("receiverAway", "\(consumer.name) takes no events of media graphs, which wait on disk\(why)")
        }
    }

    var gatewaySummary: Admin.Gateway {
        guard let configuration = box.gateway else { return Admin.Gateway(state: "off") }
        var summary = Admin.Gateway(state: gateway?.status?.state ?? "away")
        summary.pid = gateway?.kept.pid.map(Int64.init)
        summary.listen = gateway?.status?.listen ?? configuration.listen?.description
        summary.tls = configuration.listen.map { _ in configuration.tls != nil }
        let said = gateway?.status?.consumers ?? []
        summary.consumers = (gatewayPlan?.consumers ?? []).map { name in
            let one = said.first { $0.name == name }
            return Admin.EventReceiver(
                name: name, state: one?.state ?? "away", waiting: spool.waiting(for: GraphEventAnswers.reserved + name),
                lastError: one?.lastError)
        }
        summary.refusedInputs = gateway?.status?.refusedInputs
        summary.sandbox = gateway?.sandbox
        summary.lastError = gateway?.status == nil ? gateway?.fault : nil
        return summary
    }
}

extension GatewayLink.Plan {
    /// Of everyone that events are delivered to.
    var consumers: [String] {
        secrets.configuration.webhooks.keys.sorted().map { GatewayInterface.consumer(webhook: $0) }
            + (secrets.configuration.broker == nil ? [] : ["mqtt"])
    }
}

extension GraphReply {
    /// Of a cvrd that is gone.
    fileprivate static let stopping = GraphReply(
        status: 503,
        payload: .object([
            "error": .object([
                "code": .string("ServerBusy"), "message": .string("cvrd is stopping; ask again in a minute"),
            ])
        ]))
}
