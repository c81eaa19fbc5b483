import JSON
import Messages

/// What cvr-gateway's clients ask, and all that they reach of cvrd.
extension Supervisor {
    nonisolated func answer(_ request: GatewayInterface.Request) async -> GatewayInterface.Answer {
        GatewayInterface.Answer(id: request.id, .unanswerable)
    }
}

extension GraphReply {
    fileprivate static let unanswerable = GraphReply(
        status: 501,
        payload: .object([
            "error": .object([
                "code": .string("BadRequest"), "message": .string("cvrd takes no requests of this kind"),
            ])
        ]))
}
