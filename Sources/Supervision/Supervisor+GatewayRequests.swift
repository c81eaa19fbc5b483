import JSON
import MediaGraph
import Messages

/// What cvr-gateway's clients ask, and all that they reach of cvrd.
extension Supervisor {
    nonisolated func answer(_ request: GatewayInterface.Request) async -> GatewayInterface.Answer {
        if let call = request.call { return GatewayInterface.Answer(id: request.id, GraphReply(await graph(call))) }
        guard let message = request.message else { return GatewayInterface.Answer(id: request.id, .unanswerable) }
        // As HTTP has it, where it is too long; of what else is wrong with it cvrd's words say more.
        guard !Self.isTooLong(message) else { return GatewayInterface.Answer(id: request.id, .tooLong) }
        do throws(ChangeRefusal) {
            let reached = try await send(message).instances.map { JSONValue.string($0) }
            let reply = GraphReply(status: 200, payload: .object(["instances": .array(reached)]))
            return GatewayInterface.Answer(id: request.id, reply)
        } catch {
            return GatewayInterface.Answer(id: request.id, GraphReply(MethodReply(GraphError(message: error))))
        }
    }
}

extension GraphReply {
    init(_ reply: MethodReply) { self.init(status: reply.status, payload: reply.payload) }

    fileprivate static let tooLong = GraphReply(
        MethodReply(
            GraphError(
                status: 413, code: "BadRequest",
                message: "the message has more than \(Supervisor.longestBody) bytes. Send a shorter one.")))

    fileprivate static let unanswerable = GraphReply(
        status: 501,
        payload: .object([
            "error": .object([
                "code": .string("BadRequest"), "message": .string("cvrd takes no requests of this kind"),
            ])
        ]))
}

extension GraphError {
    /// Why a message was not taken.
    fileprivate init(message refusal: ChangeRefusal) {
        switch refusal {
        case .invalid(let words, let nextStep):
            self.init(status: 400, code: "BadRequest", message: "\(words). \(nextStep).")
        default: self.init(refusal)
        }
    }
}
