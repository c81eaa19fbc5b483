import Footage
import Recording
import Synchronization

/// Files of ranges that were looked through a moment ago: whoever fetches one in parts does not wait for each of them.
///
/// Bounded by what they weigh. One that is not what it was any more is not served: its parts would not fit.
final class RecentFiles: Sendable {
    struct Key: Hashable {
        let camera: CameraName
        let from: WallTime
        let to: WallTime
        let skipsGaps: Bool
    }

    private struct Known {
        let file: FootageFile
        let made: ContinuousClock.Instant
    }

    /// What was deleted meanwhile, or came late, is seen after this.
    private static let lasting = Duration.seconds(10)

    private let files = Mutex(Recent<Key, Known>(limit: 16 << 20) { 256 + $0.file.source.weight })

    subscript(_ key: Key) -> FootageFile? {
        let known = files.withLock { $0[key] }
        return known.flatMap { .now - $0.made < Self.lasting ? $0.file : nil }
    }

    func remember(_ file: FootageFile, _ key: Key) {
        files.withLock { $0[key] = Known(file: file, made: .now) }
    }
}
