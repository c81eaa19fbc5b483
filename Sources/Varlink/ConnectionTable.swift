import NIOCore
import Synchronization

/// The open connections of a server, oldest first, at most `limit`.
final class ConnectionTable: Sendable {
    private let limit: Int
    private let open = Mutex<[VarlinkConnection]>([])

    init(limit: Int) { self.limit = limit }

    /// Makes room by closing a connection of whoever holds most of them; when nobody holds more than the newcomer, the
    /// new one is closed.
    ///
    /// So a crowd of clients, silent or busy, keeps no other operator out and ends nobody else's call.
    func admit(_ connection: VarlinkConnection) {
        let surplus = open.withLock { open -> VarlinkConnection? in
            guard open.count >= limit else {
                open.append(connection)
                return nil
            }
            guard let spare = Crowd(open).spare(for: connection) else { return connection }
            open.append(connection)
            return open.remove(at: spare)
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

/// Who holds how many connections: by user first, by process among theirs.
private struct Crowd {
    private let open: [VarlinkConnection]
    private var users: [UInt32: Int] = [:]
    private var processes: [Int32: Int] = [:]

    init(_ open: [VarlinkConnection]) {
        self.open = open
        for peer in open.compactMap(\.knownPeer) {
            users[peer.uid, default: 0] += 1
            processes[peer.pid, default: 0] += 1
        }
    }

    /// The oldest idle connection of the largest holder who has no fewer than the newcomer, else the oldest busy one of
    /// a holder who has two more, and so stays ahead of him.
    func spare(for newcomer: VarlinkConnection) -> Int? {
        let own = weight(of: newcomer)
        if let idle = largest(open.indices.filter { open[$0].isIdle }), weight(of: open[idle]) >= own { return idle }
        guard let busy = largest(Array(open.indices)) else { return nil }
        let found = weight(of: open[busy])
        return found.user > own.user + 1 || (found.user >= own.user && found.process > own.process + 1) ? busy : nil
    }

    private func largest(_ indices: [Int]) -> Int? {
        indices.max { left, right in
            let (before, after) = (weight(of: open[left]), weight(of: open[right]))
            // The first of those that weigh the same is the oldest.
            return before == after ? left > right : before < after
        }
    }

    private func weight(of connection: VarlinkConnection) -> (user: Int, process: Int) {
        guard let peer = connection.knownPeer else { return (0, 0) }
        return (users[peer.uid] ?? 0, processes[peer.pid] ?? 0)
    }
}
