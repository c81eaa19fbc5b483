import CLinux
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import Recording
import ServiceLifecycle

/// Accepts connections and hands each to `child`, until the service is told to end: then all end.
///
/// Hummingbird's own server would only bind an address itself; a process that shuts itself in has bound it before.
struct ConnectionListener<Child: ServerChildChannel> {
    let child: Child
    let settings: ServerSettings
    let log: Logger
    /// Called once with the port that is listened on.
    let onListening: @Sendable (Int) -> Void

    func run() async throws {
        let server = try await bind()
        onListening(server.channel.localAddress?.port ?? 0)
        await withGracefulShutdownHandler {
            await serve(server)
        } onGracefulShutdown: {
            server.channel.close(promise: nil)
        }
    }

    /// Streams have no end of their own: whoever is connected when the server ends connects again.
    private func serve(_ server: NIOAsyncChannel<Child.Value, Never>) async {
        await withTaskGroup { group in
            group.addTask {
                await withDiscardingTaskGroup { connections in
                    do {
                        try await server.executeThenClose { inbound in
                            for try await connection in inbound {
                                connections.addTask { await child.handle(value: connection, logger: log) }
                            }
                        }
                    } catch is CancellationError {
                        // The way to end of whoever runs it.
                    } catch {
                        log.error("accepting connections failed", metadata: ["error": "\(error)"])
                    }
                    connections.cancelAll()
                }
            }
            await group.waitForAll()
        }
    }

    private func bind() async throws -> NIOAsyncChannel<Child.Value, Never> {
        let (limits, child, log) = (settings.limits, child, log)
        let stalled = UInt32(clamping: limits.stalled.microseconds / 1000)
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 512)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let gate = AvailableConnectionsChannelHandler(maxConnections: limits.connections)
                    try channel.pipeline.syncOperations.addHandler(gate)
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // The kernel ends a connection whose reader takes nothing for so long (tcp(7)).
            .childChannelOption(.tcpOption(.init(rawValue: TCP_USER_TIMEOUT)), value: Int(stalled))
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 64 << 10, high: 256 << 10))
        let setUp: @Sendable (any Channel) -> EventLoopFuture<Child.Value> = { child.setup(channel: $0, logger: log) }
        switch settings.listener {
        case .address(let host, let port):
            return try await bootstrap.bind(host: host, port: port, childChannelInitializer: setUp)
        case .descriptor(let socket): return try await bootstrap.bind(socket, childChannelInitializer: setUp)
        }
    }
}
