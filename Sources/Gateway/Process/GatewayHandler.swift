import Messages
import Serving
import Varlink

/// Answers `io.cvr.Gateway`: decodes, calls the service, encodes.
struct GatewayHandler: Sendable {
    let service: GatewayService

    func answer(_ call: VarlinkCall, _ replies: VarlinkReplies) async throws {
        switch call.name {
        case "Configure":
            do {
                try await service.configure(try call.decode(GatewayInterface.Configuration.self))
            } catch let error as ServingError where error.code == .outdated {
                // Taken: the next process begins with it.
            }
            try await replies.send(VarlinkEmpty())
        case "Requests":
            for await id in service.desk.requests() {
                guard let request = service.desk.request(id) else { continue }
                try await replies.send(request, continues: true)
            }
            try Task.checkCancellation()
            throw ServingError(.outdated, "another connection reads the requests", nextStep: "connect again")
        case "Answer":
            let answer = try call.decode(GatewayInterface.Answer.self)
            service.desk.take(GraphReply(status: answer.status, payload: answer.payload), for: answer.id)
            try await replies.send(VarlinkEmpty())
        case "Deliver":
            let delivery = try call.decode(GatewayInterface.Delivery.self)
            try await replies.send(try await service.deliver(delivery))
        case "Status": try await replies.send(await service.status)
        case "Stop":
            let again = try call.decode(GatewayInterface.Stop.self).again ?? false
            try await replies.send(VarlinkEmpty())
            await service.stop(again: again)
        default: throw VarlinkFailure.methodNotFound(call.method)
        }
    }
}
