import NIOCore
import Synchronization

/// The open connections of a server, oldest first, at most `limit`.
final class ConnectionTable: Sendable {
    private let limit: Int
    private let open = Mutex<[VarlinkConnection]>([])

    init(limit: Int) { self.limit = limit }

    /// Makes room by closing the oldest connection that asks nothing; when all are busy, the new one is closed.
    ///
    /// So a crowd of silent clients keeps no operator out.
    func admit(_ connection: VarlinkConnection) {
        let surplus = open.withLock { open -> VarlinkConnection? in
            guard open.count >= limit else {
                open.append(connection)
                return nil
            }
            guard let idle = open.firstIndex(where: \.isIdle) else { return connection }
            open.append(connection)
            return open.remove(at: idle)
        }
        surplus?.channel.close(promise: nil)
        connection.channel.closeFuture.whenComplete { _ in
            self.open.withLock { $0.removeAll { $0 === connection } }
        }
    }

    func closeAll() {
        for connection in open.withLock({ $0 }) { connection.channel.close(promise: nil) }
    }
}
