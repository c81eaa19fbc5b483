import Recording
import Synchronization

/// What was read from segments' bytes because their rows do not say it, as much as some 50 MB hold.
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
        /// Every fragment is in it, not only those that start with a key.
        var isWhole = true
    }

    private let known = Mutex(Recent<Key, Known>(limit: 2 << 20) { 16 + $0.media.fragments.count })

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

/// A dictionary that forgets what nobody asked for lately: its values weigh at most `limit`, or it has a single one.
package struct Recent<Key: Hashable, Value> {
    private let half: Int
    private let weigh: @Sendable (Value) -> Int
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]
    private var youngWeight = 0

    /// Unless they are weighed, values are counted.
    package init(limit: Int, weigh: @escaping @Sendable (Value) -> Int = { _ in 1 }) {
        half = max(1, limit / 2)
        self.weigh = weigh
    }

    package var count: Int { young.count + old.count }

    private func weight(_ value: Value) -> Int { max(1, weigh(value)) }

    package subscript(_ key: Key) -> Value? {
        mutating get {
            if let value = young[key] { return value }
            guard let value = old[key] else { return nil }
            self[key] = value
            return value
        }
        set {
            youngWeight -= young.removeValue(forKey: key).map(weight) ?? 0
            old[key] = nil
            guard let newValue else { return }
            let weight = weight(newValue)
            if youngWeight + weight > half { (old, young, youngWeight) = (young, [:], 0) }
            // What is too much for both halves has one for itself.
            if weight > half { old = [:] }
            young[key] = newValue
            youngWeight += weight
        }
    }
}
