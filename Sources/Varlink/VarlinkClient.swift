package import FoundationEssentials
package import NIOCore
import NIOPosix

/// A connection to a Varlink service.
///
/// Calls may overlap; the service answers them in the order they were made. A cancelled call abandons its reply.
/// Errors: `VarlinkRemoteError` when the service answered with one, `VarlinkConnectionError` when it did not answer.
package final class VarlinkClient: Sendable {
    package static func connect(
        path: String, timeout: Duration = .seconds(5), maximumReplyBytes: Int = 64 << 20,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> VarlinkClient {
        throw VarlinkConnectionError(operation: "connect to", path: path, errno: 2, nextStep: "")
    }

    /// Calls a method and decodes its only reply; without a timeout it waits as long as the connection lasts.
    package func call<R: Decodable>(
        _ method: String, _ parameters: some Encodable & Sendable, as reply: R.Type = R.self, timeout: Duration? = nil
    ) async throws -> R {
        throw VarlinkConnectionError(operation: "call", path: method, errno: 2, nextStep: "")
    }

    /// Calls a method with a JSON object and returns the reply's.
    package func callRaw(_ method: String, _ parameters: Data, timeout: Duration? = nil) async throws -> Data {
        throw VarlinkConnectionError(operation: "call", path: method, errno: 2, nextStep: "")
    }

    /// Calls a method with `more`; each element is one reply's parameters, read only when asked for.
    ///
    /// Stopping before the end closes the connection: the protocol has no other way to say so.
    package func stream(
        _ method: String, _ parameters: some Encodable & Sendable
    ) -> AsyncThrowingStream<Data, any Error> {
        AsyncThrowingStream(unfolding: { nil })
    }

    package func close() async {
    }
}

/// Parameters or reply of a method that has none.
package struct VarlinkEmpty: Codable, Hashable, Sendable {
    package init() {}
}
