import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// Knows when whoever is at the other end of a connection waits no more.
///
/// Hummingbird goes on with a request whose sender has gone. A connection has one request at a time.
final class PeerWatch: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = HTTPRequestPart

    private struct State {
        var isGone = false
        /// Ends the request.
        var end: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // Who sends no more has closed, as far as a server can tell.
        if case ChannelEvent.inputClosed = event { leave() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    /// Runs `body`, which is cancelled when nobody waits for it.
    func run<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
        let task = Task { try await body() }
        let isGone = state.withLock { state in
            state.end = { task.cancel() }
            return state.isGone
        }
        if isGone { task.cancel() }
        defer { state.withLock { $0.end = nil } }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    private func leave() {
        state.withLock { state in
            state.isGone = true
            return state.end.take()
        }?()
    }
}

extension PlaybackContext {
    /// Runs `body`, which is cancelled when whoever asked is gone.
    func whileAwaited<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        // Only of a closed connection is it gone.
        guard let watch = try? await channel.pipeline.handler(type: PeerWatch.self).get() else {
            throw CancellationError()
        }
        return try await watch.run(body)
    }
}
