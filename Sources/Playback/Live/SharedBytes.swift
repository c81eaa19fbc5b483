import NIOCore
import Synchronization

/// Bytes that are read by the first who asks, and are there for all others.
final class SharedBytes: Sendable {
    private let turn = Turn()
    private let known = Mutex<ByteBuffer?>(nil)

    /// `read` is run again for the next who asks when it throws.
    func value(_ read: @Sendable () async throws -> ByteBuffer) async throws -> ByteBuffer {
        try await turn.take {
            if let bytes = known.withLock({ $0 }) { return bytes }
            let bytes = try await read()
            known.withLock { $0 = bytes }
            return bytes
        }
    }
}
