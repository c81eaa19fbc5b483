package import FoundationEssentials
import Glibc
package import NIOCore
import NIOPosix
import Synchronization

/// Parameters or reply of a method that has none.
package struct VarlinkEmpty: Codable, Hashable, Sendable {
    package init() {}
}

/// A connection to a Varlink service.
///
/// Calls may overlap; the service answers them in the order they were made. A cancelled or timed-out call abandons its
/// reply. Errors: `VarlinkRemoteError` when the service answered with one, `VarlinkConnectionError` when it did not.
package final class VarlinkClient: Sendable {
    private let path: String
    private let channel: any Channel
    private let replies: ReplyQueue

    private init(path: String, channel: any Channel, replies: ReplyQueue) {
        self.path = path
        self.channel = channel
        self.replies = replies
    }

    /// Nobody holds the connection any more: nobody could use it.
    deinit { channel.close(promise: nil) }

    /// Connects to the service at a socket, or throws `VarlinkConnectionError`.
    ///
    /// A socket that is crowded turns away whoever does not block on it: that is tried again until the timeout.
    package static func connect(
        path: String, timeout: Duration = .seconds(5), maximumReplyBytes: Int = 64 << 20,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> VarlinkClient {
        let deadline = ContinuousClock.now + timeout
        while true {
            do {
                return try await open(path, timeout, maximumReplyBytes, eventLoopGroup)
            } catch let error as VarlinkConnectionError where error.errno == EAGAIN && ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    private static func open(
        _ path: String, _ timeout: Duration, _ maximumReplyBytes: Int, _ eventLoopGroup: any EventLoopGroup
    ) async throws -> VarlinkClient {
        let replies = ReplyQueue(path: path)
        do {
            let channel = try await ClientBootstrap(group: eventLoopGroup)
                .connectTimeout(TimeAmount(timeout))
                .channelOption(.autoRead, value: false)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let framing = MessageFraming(limit: maximumReplyBytes, patience: nil)
                        try channel.pipeline.syncOperations.addHandlers(framing, replies)
                    }
                }
                .connect(unixDomainSocketPath: path).get()
            return VarlinkClient(path: path, channel: channel, replies: replies)
        } catch {
            throw VarlinkConnectionError(
                operation: "connect to", path: path, errno: errorNumber(error),
                nextStep: "Check that its service runs and that you may use the socket")
        }
    }

    /// Calls a method and decodes its only reply; without a timeout it waits as long as the connection lasts.
    package func call<R: Decodable>(
        _ method: String, _ parameters: some Encodable & Sendable, as reply: R.Type = R.self, timeout: Duration? = nil
    ) async throws -> R {
        let answer = try await callRaw(method, parameters.varlinkParameters(), timeout: timeout)
        do {
            return try JSONDecoder().decode(reply, from: answer)
        } catch {
            throw VarlinkConnectionError(
                operation: "understand \(method) of", path: path, errno: EPROTO,
                nextStep: "Check that both ends are of the same release")
        }
    }

    /// Calls a method with a JSON object and returns the reply's.
    package func callRaw(_ method: String, _ parameters: Data, timeout: Duration? = nil) async throws -> Data {
        let call = VarlinkEnvelope.call(method, parameters)
        return try await ask(timeout) { self.begin(ReplyQueue.Exchange(), $0, call) }.outcome.get()
    }

    /// Calls a method that nobody waits for; dropped while the service does not keep up.
    package func notify(_ method: String, _ parameters: some Encodable & Sendable) throws {
        let call = try VarlinkEnvelope.call(method, parameters.varlinkParameters(), oneway: true)
        if channel.isWritable { channel.writeAndFlush(call, promise: nil) }
    }

    /// Calls a method with `more`; each element is one reply's parameters, read only when asked for.
    ///
    /// The timeout is for each reply.
    /// Letting go of the stream before its end closes the connection: the protocol has no other way to say so.
    package func stream(
        _ method: String, _ parameters: some Encodable & Sendable, timeout: Duration? = nil
    ) -> AsyncThrowingStream<Data, any Error> {
        let subscription = Subscription(of: self)
        return AsyncThrowingStream {
            guard let isFirst = subscription.advance() else { return nil }
            let reply = try await self.ask(timeout) { waiter in
                if isFirst {
                    let call = try VarlinkEnvelope.call(method, parameters.varlinkParameters(), more: true)
                    self.begin(subscription.exchange, waiter, call)
                } else if self.replies.next(of: subscription.exchange, waiter) {
                    self.channel.read()
                }
            }
            if !reply.continues { subscription.end() }
            return try reply.outcome.get()
        }
    }

    package func close() async {
        channel.close(promise: nil)
        // It is closed one way or the other; how is of no use to a caller who is done.
        try? await channel.closeFuture.get()
    }

    private func begin(_ exchange: ReplyQueue.Exchange, _ waiter: ReplyQueue.Waiter, _ call: ByteBuffer) {
        // On the loop, so that the order of the calls is the order of the exchanges.
        channel.eventLoop.execute {
            self.replies.begin(exchange, waiter)
            self.channel.writeAndFlush(call, promise: nil)
            self.channel.read()
        }
    }

    private func ask(_ timeout: Duration?, _ put: (ReplyQueue.Waiter) throws -> Void) async throws -> VarlinkReply {
        let waiter = channel.eventLoop.makePromise(of: VarlinkReply.self)
        do { try put(waiter) } catch { waiter.fail(error) }
        let late = VarlinkConnectionError(
            operation: "hear from", path: path, errno: ETIMEDOUT, nextStep: "Check what its service is doing")
        let timer = timeout.map { channel.eventLoop.scheduleTask(in: TimeAmount($0)) { waiter.fail(late) } }
        defer { timer?.cancel() }
        return try await withTaskCancellationHandler {
            try await waiter.futureResult.get()
        } onCancel: {
            waiter.fail(CancellationError())
        }
    }

    private static func errorNumber(_ error: any Error) -> Int32 {
        switch error {
        case let error as IOError: error.errnoCode
        case ChannelError.connectTimeout: ETIMEDOUT
        case is SocketAddressError: ENAMETOOLONG
        default: ECONNABORTED
        }
    }

    /// What a stream's consumer holds: when it is let go of too early, the connection goes with it.
    private final class Subscription: Sendable {
        let exchange = ReplyQueue.Exchange()
        private let client: VarlinkClient
        private let progress = Mutex((hasBegun: false, hasEnded: false))

        init(of client: VarlinkClient) { self.client = client }

        deinit {
            if progress.withLock({ $0.hasBegun && !$0.hasEnded }) { client.channel.close(promise: nil) }
        }

        /// Whether this is the first reply; nil after the last.
        func advance() -> Bool? {
            progress.withLock { progress in
                defer { progress.hasBegun = true }
                return progress.hasEnded ? nil : !progress.hasBegun
            }
        }

        func end() { progress.withLock { $0.hasEnded = true } }
    }
}
