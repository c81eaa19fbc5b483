import CLinux
package import HummingbirdCore
package import Logging
import NIOCore
import NIOPosix
package import Recording
import ServiceLifecycle

/// Accepts connections and hands each to `child`, until the service is told to end: then all end.
///
/// Hummingbird's own server would only bind an address itself; a process that shuts itself in has bound it before.
package struct ConnectionListener<Child: ServerChildChannel> {
    private let child: Child
    private let place: ListeningPlace
    private let limits: ConnectionLimits
    /// Those whose `X-Forwarded-For` is believed.
    private let proxies: [AddressBlock]
    private let log: Logger
    private let onListening: @Sendable (Int) -> Void

    /// `onListening` is called once with the port that is listened on.
    package init(
        child: Child, place: ListeningPlace, limits: ConnectionLimits, proxies: [AddressBlock] = [], log: Logger,
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.child = child
        self.place = place
        self.limits = limits
        self.proxies = proxies
        self.log = log
        self.onListening = onListening
    }

    package func run() async throws {
        let (connections, accepted) = AsyncStream.makeStream(of: Child.Value.self)
        let server = try await bind(accepted)
        server.closeFuture.whenComplete { _ in accepted.finish() }
        onListening(server.localAddress?.port ?? 0)
        await withGracefulShutdownHandler {
            await withTaskCancellationHandler {
                await serve(connections)
            } onCancel: {
                server.close(promise: nil)
            }
        } onGracefulShutdown: {
            server.close(promise: nil)
        }
    }

    /// Streams have no end of their own: whoever is connected when the server ends connects again.
    private func serve(_ connections: AsyncStream<Child.Value>) async {
        await withDiscardingTaskGroup { group in
            for await connection in connections {
                group.addTask { await child.handle(value: connection, logger: log) }
            }
            group.cancelAll()
        }
    }

    /// Who connected while the server ended is handled too: NIO traps when a connection is only let go, and its own
    /// sequence of them lets them go.
    private func accept(
        _ connection: Child.Value, _ channel: any Channel, _ accepted: AsyncStream<Child.Value>.Continuation
    ) {
        guard case .terminated = accepted.yield(connection) else { return }
        channel.close(promise: nil)
        Task { [child, log] in await child.handle(value: connection, logger: log) }
    }

    private func bind(_ accepted: AsyncStream<Child.Value>.Continuation) async throws -> any Channel {
        let (limits, proxies, child, log) = (limits, proxies, child, log)
        let stalled = UInt32(clamping: limits.stalled.microseconds / 1000)
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 512)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let gate = AvailableConnectionsChannelHandler(maxConnections: limits.connections)
                    let share = ConnectionShare(limits.connectionsOfAddress, proxies: proxies)
                    try channel.pipeline.syncOperations.addHandlers([share, gate] as [any ChannelHandler])
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // The kernel ends a connection whose reader takes nothing for so long (tcp(7)).
            .childChannelOption(.tcpOption(.init(rawValue: TCP_USER_TIMEOUT)), value: Int(stalled))
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 64 << 10, high: 256 << 10))
            .childChannelInitializer { channel in
                child.setup(channel: channel, logger: log).map { accept($0, channel, accepted) }
            }
        switch place {
        case .address(let host, let port): return try await bootstrap.bind(host: host, port: port).get()
        case .descriptor(let socket): return try await bootstrap.withBoundSocket(socket).get()
        }
    }
}
