import JSON
package import Messages
import Synchronization

/// Where clients' requests wait for cvrd, which reads them, and for its answers.
///
/// Bounded: more than `most` of a kind at a time are told to come again, and what nobody waits for is not handed on.
package final class RequestDesk: Sendable {
    static let most = GatewayInterface.mostRequests
    /// IoT Hub's longest.
    private static let longPatience = Duration.seconds(300)
    static let patience = Duration.seconds(60)

    private struct State {
        var next: Int64 = 1
        var waiting: [Int64: (request: GatewayInterface.Request, answer: CheckedContinuation<GraphReply, Never>)] = [:]
        /// cvrd's connection, which is told that there is something; nil while it is away.
        var reader: (key: Int64, ids: AsyncStream<Int64>.Continuation)?
        var watcher: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    package init() {}

    // MARK: Clients

    /// A direct method; what went wrong on the way is an answer too.
    ///
    /// `limit` is what the client asked for.
    package func ask(_ call: Admin.GraphCall, within limit: Duration? = nil) async -> GraphReply {
        let isLong = ["GraphInstanceActivate", "GraphInstanceDeactivate"].contains(call.method)
        return await ask(within: limit ?? (isLong ? Self.longPatience : Self.patience), call.method) {
            GatewayInterface.Request(id: $0, call: call)
        }
    }

    /// A message for an input; `isOnlyOne` says that its sender sends one at a time, which always has a place.
    func tell(
        _ message: Admin.InputMessage, within limit: Duration = patience, isOnlyOne: Bool = false
    ) async -> GraphReply {
        await ask(within: limit, "the message", isOnlyOne: isOnlyOne) {
            GatewayInterface.Request(id: $0, message: message)
        }
    }

    private func ask(
        within limit: Duration, _ what: String, isOnlyOne: Bool = false,
        _ make: @Sendable (Int64) -> GatewayInterface.Request
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
            if let refusal = put(make(id), isOnlyOne: isOnlyOne, continuation) {
                continuation.resume(returning: refusal)
            }
        }
    }

    private func put(
        _ request: GatewayInterface.Request, isOnlyOne: Bool, _ continuation: CheckedContinuation<GraphReply, Never>
    ) -> GraphReply? {
        let ids: AsyncStream<Int64>.Continuation
        switch state.withLock({ state -> Result<AsyncStream<Int64>.Continuation, Absence> in
            guard let reader = state.reader else { return .failure(.away) }
            let alike = state.waiting.values.count { $0.request.kind == request.kind }
            guard isOnlyOne || alike < Self.most else { return .failure(.full) }
            state.waiting[request.id] = (request, continuation)
            return .success(reader.ids)
        }) {
        case .success(let reader): ids = reader
        case .failure(.away): return .away
        case .failure(.full): return .full
        }
        // Outside the lock: the end of a reader takes it too.
        if case .terminated = ids.yield(request.id) { take(.away, for: request.id) }
        return nil
    }

    private enum Absence: Error { case away, full }

    // MARK: cvrd

    /// Whether there is a cvrd that reads.
    var isRead: Bool { state.withLock { $0.reader != nil } }

    /// `changed` is called when `isRead` may have changed, in place of whoever was called before.
    func watch(_ changed: (@Sendable () -> Void)?) { state.withLock { $0.watcher = changed } }

    /// What there is to read from now on, for `request`; another reader ends this one.
    package func requests() -> AsyncStream<Int64> {
        let (stream, continuation) = AsyncStream.makeStream(of: Int64.self)
        let (key, last, lost) = state.withLock { state in
            state.next += 1
            defer { (state.reader, state.waiting) = ((state.next, continuation), [:]) }
            return (state.next, state.reader?.ids, state.waiting.values.map(\.answer))
        }
        last?.finish()
        for waiting in lost { waiting.resume(returning: .away) }
        continuation.onTermination = { [weak self] _ in self?.lose(key) }
        state.withLock { $0.watcher }?()
        return stream
    }

    /// Nil for one that nobody waits for any more: to do it long after its client was told that it is late helps nobody.
    package func request(_ id: Int64) -> GatewayInterface.Request? { state.withLock { $0.waiting[id]?.request } }

    /// An id that nobody waits for is that of a client that was told that it takes too long.
    func take(_ reply: GraphReply, for id: Int64) {
        state.withLock { $0.waiting.removeValue(forKey: id)?.answer }?.resume(returning: reply)
    }

    /// What a reader took with it gets no answer any more.
    private func lose(_ key: Int64) {
        typealias Left = (answers: [CheckedContinuation<GraphReply, Never>], watcher: (@Sendable () -> Void)?)
        let left = state.withLock { state -> Left? in
            guard state.reader?.key == key else { return nil }
            state.reader = nil
            defer { state.waiting = [:] }
            return (state.waiting.values.map(\.answer), state.watcher)
        }
        for answer in left?.answers ?? [] { answer.resume(returning: .away) }
        left?.watcher?()
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
        503, "ServerBusy",
        "\(RequestDesk.most) requests of this kind are being answered; send them one after the other")

    static func late(_ what: String, _ limit: Duration) -> GraphReply {
        failure(
            504, "GatewayTimeout",
            "\(what) goes on, and has taken longer than \(limit.components.seconds) s; ask with GraphInstanceGet what "
                + "became of it")
    }
}
