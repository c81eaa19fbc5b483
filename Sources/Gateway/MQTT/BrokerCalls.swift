import Dispatch
import JSON
import Logging
import Messages
import Recording
import Synchronization

/// What arrives from the broker: direct methods, which are answered there, and messages for inputs.
///
/// Methods go side by side; what is more than cvrd is asked at a time is refused. Inputs go one after the other, in their
/// order, and none is acknowledged before cvrd has it on disk: what is not stays with the broker.
final class BrokerCalls: Sendable {
    /// For cvrd to take an input: shorter than the broker's for us, which hears nothing meanwhile.
    private static let patience = Duration.seconds(10)
    /// Of those that were not taken one is the next to come; more are of sessions whose acknowledgements were lost too.
    private static let mostHeld = 4

    /// An input that cvrd has not taken, and when it came first.
    private struct Held {
        var topic: String
        var bytes: [UInt8]?
        var arrived: WallTime
    }

    private let topics: BrokerTopics
    private let desk: RequestDesk
    private let log: Logger
    private let underWay = Mutex(0)
    private let held = Mutex<[Held]>([])
    private let waiting = Mutex<AwaitedReply?>(nil)
    private let refused = Mutex<Int64>(0)

    init(topics: BrokerTopics, desk: RequestDesk, log: Logger) {
        self.topics = topics
        self.desk = desk
        self.log = log
    }

    /// Inputs that cvrd, or this process, refused for good: they are gone.
    var refusedInputs: Int64 { refused.withLock { $0 } }

    /// On the session's thread; `bytes` are nil for more than anybody may send.
    ///
    /// Returns at once for a method, for an input when cvrd has answered; nil lets the broker go on, else why the message
    /// must come again.
    func take(_ topic: String, _ bytes: [UInt8]?, _ session: BrokerSession) -> String? {
        // Others' topics are below ours, or in ours, as they like.
        switch topics.arrival(topic) {
        case .method(let name, let request):
            call(name, bytes, session) { reply in
                session.send(
                    BrokerTopics.answer(reply.status, to: request), Array((reply.payload ?? .null).text.utf8))
            }
            return nil
        case .input(let name, let properties): return take(name, properties, topic, bytes)
        case nil: return nil
        }
    }

    // MARK: Methods

    private func call(
        _ name: String, _ bytes: [UInt8]?, _ session: BrokerSession, _ answer: @escaping @Sendable (GraphReply) -> Void
    ) {
        let isAdmitted = underWay.withLock { count in
            // The desk counts each kind by itself.
            guard count < 2 * RequestDesk.most else { return false }
            count += 1
            return true
        }
        guard isAdmitted else { return answer(.full) }
        Task { [self] in
            defer { underWay.withLock { $0 -= 1 } }
            answer(await reply(to: name, bytes))
        }
    }

    private func reply(to method: String, _ bytes: [UInt8]?) async -> GraphReply {
        guard let bytes else { return .tooLong }
        guard !bytes.isEmpty else { return await desk.ask(Admin.GraphCall(method: method, payload: nil)) }
        guard let payload = RequestBody.value(of: bytes) else { return RequestBody.refusal }
        return await desk.ask(Admin.GraphCall(method: method, payload: payload))
    }

    // MARK: Inputs

    private func take(_ input: String, _ properties: [String: String], _ topic: String, _ bytes: [UInt8]?) -> String? {
        let arrived = held.withLock { $0.first { $0.topic == topic && $0.bytes == bytes }?.arrived } ?? WallTime.now
        let reply = reply(to: input, properties, bytes, arrived: arrived)
        let isRefused = (400..<500).contains(reply.status) || reply.status == 501
        let isTaken = isRefused || (200..<300).contains(reply.status)
        held.withLock { held in
            held.removeAll { $0.topic == topic && $0.bytes == bytes }
            if !isTaken { held = held.suffix(Self.mostHeld - 1) + [Held(topic: topic, bytes: bytes, arrived: arrived)] }
        }
        guard isTaken else { return "cvrd has not taken a message for an input: \(Self.words(reply))" }
        guard isRefused else { return nil }
        refused.withLock { $0 += 1 }
        // As topics have it: a client's text forges no line of the log.
        log.warning("a message for input \(PercentEncoding.encoded(input).prefix(64)) is refused: \(Self.words(reply))")
        return nil
    }

    /// Blocks; a window of its is that of the time at which it came, however long cvrd was away since.
    private func reply(
        to input: String, _ properties: [String: String], _ bytes: [UInt8]?, arrived: WallTime
    ) -> GraphReply {
        guard let bytes else { return .tooLong }
        let properties = properties.merging(["eventTime": arrived.rfc3339]) { told, arrived in
            WallTime(rfc3339: told) == nil ? arrived : told
        }
        let message = Admin.InputMessage(input: input, body: Self.body(bytes), properties: properties)
        let awaited = AwaitedReply()
        waiting.withLock { $0 = awaited }
        Task { [desk] in awaited.take(await desk.tell(message, within: Self.patience, isOnlyOne: true)) }
        return awaited.wait()
    }

    /// Whoever waits for cvrd waits no more: the session ends.
    func leave() { waiting.withLock { $0 }?.take(.away) }

    /// A message opens a gate whatever it holds; what is no JSON goes on as text.
    private static func body(_ bytes: [UInt8]) -> JSONValue? {
        if bytes.isEmpty { return nil }
        if let value = RequestBody.value(of: bytes) { return value }
        return String(validating: bytes, as: UTF8.self).map { .string($0) }
    }

    private static func words(_ reply: GraphReply) -> String {
        guard case .string(let words)? = reply.payload?["error"]?["message"] else { return "\(reply.status)" }
        return words
    }
}

/// A reply that a thread waits for.
private final class AwaitedReply: Sendable {
    private let reply = Mutex<GraphReply?>(nil)
    private let done = DispatchSemaphore(value: 0)

    /// The first is it.
    func take(_ new: GraphReply) {
        reply.withLock { $0 = $0 ?? new }
        done.signal()
    }

    func wait() -> GraphReply {
        done.wait()
        return reply.withLock { $0 } ?? .away
    }
}

extension GraphReply {
    fileprivate static let tooLong = failure(
        413, "BadRequest", "the payload has more than \(BrokerSession.longest) bytes; send a smaller one")
}
