import Recording
import Synchronization

/// What was read from segments' bytes because their rows do not say it: the newest few thousand.
final class MediaMemory: Sendable {
    /// A segment of a camera, as its file's name tells it apart.
    struct Key: Hashable, Sendable {
        let camera: CameraName
        let id: SegmentID
        /// Whole milliseconds.
        let start: WallTime
    }

    /// What bytes say of a segment that does not change any more.
    struct Known: Sendable {
        let start: WallTime
        let duration: TimeSpan
        let media: MediaIndex
    }

    private let known = Mutex(Recent<Key, Known>(limit: 16_384))

    subscript(_ row: SegmentRow) -> Known? {
        get { known.withLock { $0[row.memoryKey] } }
    }

    func remember(_ known: Known, of row: SegmentRow) {
        self.known.withLock { $0[row.memoryKey] = known }
    }
}

extension SegmentRow {
    var memoryKey: MediaMemory.Key { MediaMemory.Key(camera: camera, id: id, start: start.wholeMilliseconds) }

    /// The same, as its bytes tell it.
    func told(by known: MediaMemory.Known) -> SegmentRow {
        var row = self
        (row.start, row.duration, row.media, row.isRead) = (known.start, known.duration, known.media, true)
        return row
    }
}

/// A dictionary that forgets what nobody asked for lately: at most `limit` values.
struct Recent<Key: Hashable, Value> {
    private let half: Int
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]

    init(limit: Int) { half = max(1, limit / 2) }

    subscript(_ key: Key) -> Value? {
        mutating get {
            if let value = young[key] { return value }
            guard let value = old[key] else { return nil }
            self[key] = value
            return value
        }
        set {
            if young.count >= half { (old, young) = (young, [:]) }
            old[key] = nil
            young[key] = newValue
        }
    }

    mutating func removeAll() { (young, old) = ([:], [:]) }
}
