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

    package init(
        socketPath: String, mode: UInt32 = 0o660, group: UInt32? = nil, info: VarlinkServiceInfo,
        interfaces: [String: String], limits: VarlinkLimits = VarlinkLimits(),
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, handler: @escaping Handler
    ) {
    }

    /// Serves until cancelled; `whenListening` is called once clients can connect.
    ///
    /// Throws `VarlinkConnectionError` when the socket cannot be made, or another process already serves it.
    package func run(whenListening: @Sendable () -> Void = {}) async throws {
    }
}
