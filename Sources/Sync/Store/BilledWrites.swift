import Foundation
package import Messages
package import ObjectStore
import Recording
import Synchronization

/// What a store was asked for that its operator is billed for as a write, kept in `<state>/sync/billed`, by place.
///
/// Each request that reached it, whatever became of it, told by the store itself. A count for the operator's bill, no
/// fact that anything rests on: a crash forgets its last minute.
package final class BilledWrites: Sendable {
    fileprivate struct Count: Codable {
        var since: String
        var segments: Int64 = 0
        var documents: Int64 = 0
        /// An older build counted none.
        var lists: Int64?
        var bytes: Int64 = 0
    }

    private struct State {
        /// By place.
        var counts: [String: Count]
        var savedAt: MonotonicTime?
    }

    private static let interval = TimeSpan.seconds(60)

    private let place: String
    private let file: StateFile<[String: Count]>
    private let clock: SyncClock
    private let state: Mutex<State>

    /// A file that cannot be read begins anew.
    package init(_ settings: SyncSettings, clock: SyncClock) {
        place = settings.store.place
        self.clock = clock
        file = StateFile(path: settings.folder.path + "/billed")
        let counts = try? file.read()  // as above
        state = Mutex(State(counts: counts ?? [:]))
    }

    deinit { save() }

    package var written: Admin.Written {
        state.withLock { state in
            let count = state.counts[place] ?? Count(since: clock.now().rfc3339)
            return Admin.Written(
                since: count.since, segments: count.segments, documents: count.documents, bytes: count.bytes,
                lists: count.lists ?? 0)
        }
    }

    /// To be told of each request that a store sends.
    package func count(_ request: BilledRequest) {
        let now = clock.monotonic()
        let isDue = state.withLock { state in
            state.counts[place, default: Count(since: clock.now().rfc3339)].add(request)
            guard state.savedAt.map({ now - $0 >= Self.interval }) ?? true else { return false }
            state.savedAt = now
            return true
        }
        if isDue { save() }
    }

    private func save() {
        let counts = state.withLock { $0.counts }
        // A full disk has worse to tell.
        try? file.write(counts)
    }
}

extension BilledWrites.Count {
    /// What is read from a file may be any number.
    fileprivate mutating func add(_ request: BilledRequest) {
        switch request.kind {
        case .segment: segments = segments.addingSaturated(1)
        case .document: documents = documents.addingSaturated(1)
        case .list: lists = (lists ?? 0).addingSaturated(1)
        }
        bytes = bytes.addingSaturated(request.bytes)
    }
}
