import JSON
import Messages
import Synchronization

/// Where clients' requests wait for cvrd, which reads them, and for its answers.
///
/// Bounded: more than `most` at a time are told to come again.
final class RequestDesk: Sendable {
    static let most = 64
    /// IoT Hub's longest.
    private static let longPatience = Duration.seconds(300)
    private static let patience = Duration.seconds(60)

    private struct State {
        var next: Int64 = 1
        var waiting: [Int64: CheckedContinuation<GraphReply, Never>] = [:]
        /// cvrd's connection; nil while it is away.
        var reader: (key: Int64, requests: AsyncStream<GatewayInterface.Request>.Continuation)?
    }

    private let state = Mutex(State())

    // MARK: Clients

    /// A direct method; what went wrong on the way is an answer too.
    func ask(_ call: Admin.GraphCall) async -> GraphReply {
        let isLong = ["GraphInstanceActivate", "GraphInstanceDeactivate"].contains(call.method)
        return await ask(within: isLong ? Self.longPatience : Self.patience, call.method) {
            GatewayInterface.Request(id: $0, call: call)
        }
    }

    /// A message for an input.
    func tell(_ message: Admin.InputMessage) async -> GraphReply {
        await ask(within: Self.patience, "the message") { GatewayInterface.Request(id: $0, message: message) }
    }

    private func ask(
        within limit: Duration, _ what: String, _ make: @Sendable (Int64) -> GatewayInterface.Request
    ) async -> GraphReply {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        let timer = Task { [weak self] in
            // Cancelled: there is an answer.
            guard (try? await Task.sleep(for: limit)) != nil else { return }
            self?.take(.late(what, limit), for: id)
        }
        defer { timer.cancel() }
        return await withCheckedContinuation { continuation in
            if let refusal = put(make(id), continuation) { continuation.resume(returning: refusal) }
        }
    }

    private func put(
        _ request: GatewayInterface.Request, _ continuation: CheckedContinuation<GraphReply, Never>
    ) -> GraphReply? {
        let requests: AsyncStream<GatewayInterface.Request>.Continuation
        switch state.withLock({ state -> Result<AsyncStream<GatewayInterface.Request>.Continuation, Absence> in
            guard let reader = state.reader else { return .failure(.away) }
            guard state.waiting.count < Self.most else { return .failure(.full) }
            state.waiting[request.id] = continuation
            return .success(reader.requests)
        }) {
        case .success(let reader): requests = reader
        case .failure(.away): return .away
        case .failure(.full): return .full
        }
        // Outside the lock: the end of a reader takes it too.
        if case .terminated = requests.yield(request) { take(.away, for: request.id) }
        return nil
    }

    private enum Absence: Error { case away, full }

    // MARK: cvrd

    /// The requests from now on; another reader ends this one.
    func requests() -> AsyncStream<GatewayInterface.Request> {
        let (stream, continuation) = AsyncStream.makeStream(of: GatewayInterface.Request.self)
        let (key, last, lost) = state.withLock { state in
            state.next += 1
            defer { (state.reader, state.waiting) = ((state.next, continuation), [:]) }
            return (state.next, state.reader?.requests, Array(state.waiting.values))
        }
        last?.finish()
        for waiting in lost { waiting.resume(returning: .away) }
        continuation.onTermination = { [weak self] _ in self?.lose(key) }
        return stream
    }

    /// An id that nobody waits for is that of a client that was told that it takes too long.
    func take(_ reply: GraphReply, for id: Int64) {
        state.withLock { $0.waiting.removeValue(forKey: id) }?.resume(returning: reply)
    }

    /// What a reader took with it gets no answer any more.
    private func lose(_ key: Int64) {
        let lost = state.withLock { state -> [CheckedContinuation<GraphReply, Never>] in
            guard state.reader?.key == key else { return [] }
            state.reader = nil
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for continuation in lost { continuation.resume(returning: .away) }
    }
}

extension GraphReply {
    /// LVA's error, of the gateway itself.
    static func failure(_ status: Int64, _ code: String, _ message: String) -> GraphReply {
        GraphReply(
            status: status,
            payload: .object(["error": .object(["code": .string(code), "message": .string(message)])]))
    }

    static let away = failure(
        503, "ServerBusy", "cvrd is away, or was restarted meanwhile; ask again in a few seconds")
    static let full = failure(
        503, "ServerBusy", "\(RequestDesk.most) requests are being answered; send them one after the other")

    static func late(_ what: String, _ limit: Duration) -> GraphReply {
        failure(
            504, "GatewayTimeout",
            "\(what) goes on, and has taken longer than \(limit.components.seconds) s; ask with GraphInstanceGet what "
                + "became of it")
    }
}
