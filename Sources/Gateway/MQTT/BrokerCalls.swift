import JSON
import Messages
import Synchronization

/// What arrives from the broker: direct methods, which are answered there, and messages for inputs.
///
/// Side by side, and never on the session's thread; what is more than cvrd is asked at a time is refused.
final class BrokerCalls: Sendable {
    private let topics: BrokerTopics
    private let desk: RequestDesk
    private let underWay = Mutex(0)

    init(topics: BrokerTopics, desk: RequestDesk) {
        self.topics = topics
        self.desk = desk
    }

    /// Returns at once; `bytes` are nil for more than anybody may send.
    func take(_ topic: String, _ bytes: [UInt8]?, _ session: BrokerSession) {
        // Others' topics are below ours, or in ours, as they like.
        guard let arrival = topics.arrival(topic) else { return }
        let isAdmitted = underWay.withLock { count in
            guard count < RequestDesk.most else { return false }
            count += 1
            return true
        }
        guard isAdmitted else { return answer(arrival, .full, session) }
        Task { [self] in
            defer { underWay.withLock { $0 -= 1 } }
            answer(arrival, await reply(to: arrival, bytes), session)
        }
    }

    private func reply(to arrival: BrokerTopics.Arrival, _ bytes: [UInt8]?) async -> GraphReply {
        guard let bytes else {
            return .failure(
                413, "BadRequest", "the payload has more than \(BrokerSession.longest) bytes; send a smaller one")
        }
        switch arrival {
        case .method(let name, _):
            var payload: JSONValue?
            if !bytes.isEmpty {
                guard let value = RequestBody.value(of: bytes) else { return RequestBody.refusal }
                payload = value
            }
            return await desk.ask(Admin.GraphCall(method: name, payload: payload))
        case .input(let name, let properties):
            return await desk.tell(
                Admin.InputMessage(
                    input: name, body: Self.body(bytes), properties: properties.isEmpty ? nil : properties))
        }
    }

    /// A message opens a gate whatever it holds; what is no JSON goes on as text.
    private static func body(_ bytes: [UInt8]) -> JSONValue? {
        if bytes.isEmpty { return nil }
        if let value = RequestBody.value(of: bytes) { return value }
        return String(validating: bytes, as: UTF8.self).map { .string($0) }
    }

    private func answer(_ arrival: BrokerTopics.Arrival, _ reply: GraphReply, _ session: BrokerSession) {
        guard case .method(_, let request) = arrival else { return }
        session.send(
            BrokerTopics.answer(reply.status, to: request), Array((reply.payload ?? .null).text.utf8))
    }
}
