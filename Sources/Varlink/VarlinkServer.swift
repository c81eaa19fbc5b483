import Glibc
package import NIOCore
import NIOPosix

/// What `org.varlink.service.GetInfo` answers.
package struct VarlinkServiceInfo: Hashable, Sendable {
    package var vendor: String
    package var product: String
    package var version: String
    package var url: String

    package init(vendor: String, product: String, version: String, url: String) {
        self.vendor = vendor
        self.product = product
        self.version = version
        self.url = url
    }
}

/// What a client may cost the server before it is disconnected (I9).
package struct VarlinkLimits: Sendable {
    package var messageBytes = 1 << 20
    package var connections = 64
    /// For the rest of a message whose beginning arrived.
    package var partialMessage: TimeAmount = .seconds(10)
    /// For one reply to be taken.
    package var stalledReply: TimeAmount = .seconds(30)

    package init() {}
}

/// Serves Varlink interfaces on a Unix socket.
package final class VarlinkServer: Sendable {
    /// Answers one call with exactly one final reply, or throws `VarlinkFailure`; any other error disconnects the
    /// client.
    ///
    /// The task is cancelled when the client goes away, unless the call is oneway.
    package typealias Handler = @Sendable (VarlinkCall, VarlinkReplies) async throws -> Void

    private let socketPath: String
    private let mode: UInt32
    private let group: UInt32?
    private let limits: VarlinkLimits
    private let eventLoopGroup: any EventLoopGroup
    private let service: ServiceInterface
    private let handler: Handler
    private let connections: ConnectionTable

    /// Serves `interfaces` (description by name) with one handler; `org.varlink.service` is answered here.
    package init(
        socketPath: String, mode: UInt32 = 0o660, group: UInt32? = nil, info: VarlinkServiceInfo,
        interfaces: [String: String], limits: VarlinkLimits = VarlinkLimits(),
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, handler: @escaping Handler
    ) {
        self.socketPath = socketPath
        self.mode = mode
        self.group = group
        self.limits = limits
        self.eventLoopGroup = eventLoopGroup
        self.handler = handler
        service = ServiceInterface(info: info, interfaces: interfaces)
        connections = ConnectionTable(limit: limits.connections)
    }

    /// Serves until cancelled, then returns; `whenListening` is called once clients can connect.
    ///
    /// `socket`: one that was bound to the path already, and is closed at the end. Throws `VarlinkConnectionError` when
    /// the socket cannot be made, or another process already serves it.
    package func run(on socket: Int32? = nil, whenListening: @Sendable () -> Void = {}) async throws {
        let descriptor = try socket ?? UnixSocket.bind(path: socketPath, mode: mode, group: group)
        let limits = limits
        let connections = connections
        let listener = try await ServerBootstrap(group: eventLoopGroup)
            // In a flood those who come between the others wait here; the kernel may allow fewer.
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(AcceptPause()) }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .bind(descriptor) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let connection = try VarlinkConnection(channel, limits: limits)
                    connections.admit(connection)
                    return connection
                }
            }
        whenListening()
        // A connection that was accepted while the loop ended is in the table, but in nobody's hands.
        defer { connections.closeAll() }
        do {
            try await listener.executeThenClose { accepted in
                try await withThrowingDiscardingTaskGroup { tasks in
                    for try await connection in accepted {
                        tasks.addTask { await connection.serve(self.answer) }
                    }
                    tasks.cancelAll()
                }
            }
        } catch is CancellationError {
            return
        }
        guard Task.isCancelled else {
            throw VarlinkConnectionError(
                operation: "accept on", path: socketPath, errno: ECONNABORTED, nextStep: "Start the service again")
        }
    }

    @Sendable private func answer(_ call: VarlinkCall, _ replies: VarlinkReplies) async throws {
        try service.check(call.method)
        if try await service.answers(call, replies) { return }
        try await handler(call, replies)
    }
}
