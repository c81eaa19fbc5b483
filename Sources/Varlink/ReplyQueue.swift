import Glibc
import NIOCore
import Synchronization

/// The client's end of a connection: hands each reply to the exchange it belongs to, oldest first.
///
/// It reads only while the oldest exchange waits for a reply, so that a slow consumer slows the service, not this
/// process's memory.
final class ReplyQueue: ChannelInboundHandler, Sendable {
    typealias InboundIn = [UInt8]
    typealias Waiter = EventLoopPromise<VarlinkReply>

    /// One call and its replies.
    final class Exchange: Sendable {}

    private struct State {
        /// What the oldest call waits for comes first.
        var exchanges: [(id: Exchange, waiters: [Waiter])] = []
        /// Replies that came in one read with the one asked for; of the oldest exchanges, at most one read's worth.
        var arrived: [(id: Exchange, reply: VarlinkReply)] = []
        var failure: VarlinkConnectionError?
    }

    private let path: String
    private let state = Mutex(State())

    init(path: String) { self.path = path }

    /// Registers a call that is about to be written; `waiter` gets its first reply.
    func begin(_ exchange: Exchange, _ waiter: Waiter) {
        let failure = state.withLock { state in
            if state.failure == nil { state.exchanges.append((exchange, [waiter])) }
            return state.failure
        }
        if let failure { waiter.fail(failure) }
    }

    /// Asks for the next reply of a call that continues; true when it has yet to be read.
    func next(of exchange: Exchange, _ waiter: Waiter) -> Bool {
        let ready = state.withLock { state -> Result<VarlinkReply, any Error>? in
            if let index = state.arrived.firstIndex(where: { $0.id === exchange }) {
                return .success(state.arrived.remove(at: index).reply)
            }
            guard let index = state.exchanges.firstIndex(where: { $0.id === exchange }) else {
                return .failure(state.failure ?? closed)
            }
            state.exchanges[index].waiters.append(waiter)
            return nil
        }
        if let ready { waiter.completeWith(ready) }
        return ready == nil
    }

    private var isWanting: Bool { state.withLock { $0.exchanges.first?.waiters.isEmpty == false } }

    private var closed: VarlinkConnectionError {
        VarlinkConnectionError(
            operation: "hear from", path: path, errno: ECONNRESET, nextStep: "Check that its service still runs")
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let reply = VarlinkReply(unwrapInboundIn(data)) else { return refuse(context) }
        var isExpected = true
        let waiter = state.withLock { state -> Waiter? in
            guard var oldest = state.exchanges.first else {
                isExpected = false
                return nil
            }
            let waiter = oldest.waiters.isEmpty ? nil : oldest.waiters.removeFirst()
            if waiter == nil { state.arrived.append((oldest.id, reply)) }
            if reply.continues {
                state.exchanges[0] = oldest
            } else {
                state.exchanges.removeFirst()
            }
            return waiter
        }
        waiter?.succeed(reply)
        if !isExpected { refuse(context) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if isWanting { context.read() }
    }

    func channelInactive(context: ChannelHandlerContext) { end(closed) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is FramingError { return refuse(context) }
        var failure = closed
        if let error = error as? IOError { failure.errno = error.errnoCode }
        end(failure)
        context.close(promise: nil)
    }

    private func refuse(_ context: ChannelHandlerContext) {
        var failure = closed
        failure.errno = EPROTO
        failure.nextStep = "Check that both ends are of the same release"
        end(failure)
        context.close(promise: nil)
    }

    private func end(_ failure: VarlinkConnectionError) {
        let waiters = state.withLock { state in
            defer { state.exchanges = [] }
            state.failure = state.failure ?? failure
            return state.exchanges.flatMap(\.waiters)
        }
        for waiter in waiters { waiter.fail(failure) }
    }
}
