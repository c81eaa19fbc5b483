import Glibc
import NIOCore
import Synchronization

/// One client of a server: its calls are answered one after the other, in order.
final class VarlinkConnection: Sendable {
    let channel: any Channel
    private let messages: NIOAsyncChannel<[UInt8], Never>
    private let limits: VarlinkLimits
    private let peer: EventLoopFuture<VarlinkPeer>
    private let state = Mutex(State())

    private struct State {
        var isClosed = false
        var call: Task<Void, any Error>?
        var peer: VarlinkPeer?
    }

    /// On the channel's event loop, before it is active.
    init(_ channel: any Channel, limits: VarlinkLimits) throws {
        self.channel = channel
        self.limits = limits
        // Asked at once: a client may be gone before its call is read. VarlinkPeer is laid out as the kernel's
        // struct ucred, which the importer does not see.
        guard let socket = channel as? any SocketOptionProvider else { throw ChannelError.operationUnsupported }
        peer = socket.unsafeGetSocketOption(level: .socket, name: .init(rawValue: SO_PEERCRED))
        try channel.pipeline.syncOperations.addHandler(
            MessageFraming(limit: limits.messageBytes, patience: limits.partialMessage))
        // One message ahead of the handler; the rest waits in the client's socket.
        messages = try NIOAsyncChannel(
            wrappingChannelSynchronously: channel,
            configuration: .init(backPressureStrategy: .init(lowWatermark: 1, highWatermark: 2)))
        // On its event loop the answer is there at once.
        peer.whenSuccess { peer in self.state.withLock { $0.peer = peer } }
    }

    /// Nil while it is not known, and of a socket that knows none.
    var knownPeer: VarlinkPeer? { state.withLock { $0.peer } }

    /// No call is being answered.
    var isIdle: Bool { state.withLock { $0.call == nil } }

    /// Returns when the connection is closed; nothing that a client does makes it throw.
    func serve(_ answer: @escaping VarlinkServer.Handler) async {
        channel.closeFuture.whenComplete { _ in
            self.state.withLock { state in
                state.isClosed = true
                state.call?.cancel()
            }
        }
        await withTaskCancellationHandler {
            do {
                try await messages.executeThenClose { messages in
                    let peer = try await self.peer.get()
                    for try await message in messages {
                        guard let call = VarlinkCall(message, from: peer) else { return }
                        try await self.answer(call, answer)
                    }
                }
            } catch {
                // Garbage, a stalled reader or a handler's failure: the client is disconnected, no other notices.
            }
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    private func answer(_ call: VarlinkCall, _ answer: @escaping VarlinkServer.Handler) async throws {
        let replies = VarlinkReplies(to: call, on: channel, patience: limits.stalledReply)
        let task = Task {
            do {
                try await answer(call, replies)
                guard replies.isFinished else { throw VarlinkReplyError.noFinalReply }
            } catch let failure as VarlinkFailure {
                try await replies.fail(failure)
            }
        }
        // Nobody waits for a oneway call, so nobody's leaving ends it.
        if !call.isOneway {
            state.withLock { state in
                state.call = task
                if state.isClosed { task.cancel() }
            }
        }
        defer { state.withLock { $0.call = nil } }
        try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }
}
