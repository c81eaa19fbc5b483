import Foundation
package import Messages
import Recording
import Synchronization

/// What a store was made to write, kept in `<state>/sync/billed`: one file for each place, site included.
///
/// A count for the operator's bill, no fact that anything rests on: a crash forgets its last minute.
package final class BilledWrites: Sendable {
    private struct Count: Codable {
        var since: String
        var segments: Int64 = 0
        var documents: Int64 = 0
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
    init(_ settings: SyncSettings, clock: SyncClock) {
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
                since: count.since, segments: count.segments, documents: count.documents, bytes: count.bytes)
        }
    }

    func countSegment(bytes: Int64) {
        count { count in
            count.segments += 1
            count.bytes = count.bytes.addingSaturated(bytes)
        }
    }

    func countDocument(bytes: Int64) {
        count { count in
            count.documents += 1
            count.bytes = count.bytes.addingSaturated(bytes)
        }
    }

    private func count(_ change: (inout Count) -> Void) {
        let now = clock.monotonic()
        let isDue = state.withLock { state in
            change(&state.counts[place, default: Count(since: clock.now().rfc3339)])
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
