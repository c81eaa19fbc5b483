internal import Recording
internal import SegmentStore

/// The newest frames of a connection, so that a recording can begin in the past.
///
/// Their bytes are on disk, in files that begin with a keyframe, and their times in memory: some kilobytes a second of
/// footage are held, never the pictures. Frames have numbers, which rise for as long as this lives. The newest frame is
/// always there, whatever the disk does.
final class PreRoll {
    private static let fileSpan = TimeSpan.seconds(5)
    private static let fileBytes: Int64 = 16 << 20
    /// A camera with more than a thousand frames a second for a minute and a half is none (I9).
    private static let mostFrames = 100_000
    /// cvrd needs a moment to say that something happened.
    private static let slack = TimeSpan.seconds(5)

    private struct Entry {
        /// Without its bytes.
        var frame: TimedFrame
        /// Nil: only in memory, and only while it is the newest.
        var file: PreRollFile?
        var offset: Int64
        var bytes: Int

        var isKey: Bool { frame.track == 0 && frame.isSync }
    }

    private struct Part {
        let file: PreRollFile
        /// Number of its first frame, a keyframe.
        let first: Int64
        let began: MonotonicTime
    }

    /// How far back it has to reach.
    var reach: TimeSpan
    var mostBytes: Int64
    /// Number of the oldest frame.
    private(set) var start: Int64 = 0
    /// It once had more than it has to hold: what was before is gone because it was old.
    private(set) var isFilled = false
    private let cache: CacheDirectory
    private var folder: PreRollFolder?
    private var entries: [Entry] = []
    private var parts: [Part] = []
    private var newest: [UInt8] = []

    init(in cache: CacheDirectory, reach: TimeSpan, mostBytes: Int64) {
        self.cache = cache
        self.reach = reach
        self.mostBytes = mostBytes
    }

    /// Number of the frame that comes next.
    var end: Int64 { start + Int64(entries.count) }

    /// Adds a frame, which is there afterwards even if this throws; everything before it is not then.
    func append(_ frame: TimedFrame) throws(SegmentStoreError) {
        if entries.last.map({ $0.file == nil }) == true { drop(entries.count) }
        var entry = Entry(frame: frame, file: nil, offset: 0, bytes: frame.data.count)
        entry.frame.data = []
        newest = frame.data
        var failure: SegmentStoreError?
        do throws(SegmentStoreError) {
            try store(&entry, frame.data)
        } catch {
            failure = error
            forget()
            folder = nil
        }
        entries.append(entry)
        if let failure { throw failure }
        trim(at: frame.arrival)
    }

    /// Nil for one that is gone or has not come.
    func frame(_ number: Int64) throws(SegmentStoreError) -> TimedFrame? {
        guard let entry = entry(number) else { return nil }
        var frame = entry.frame
        frame.data = number == end - 1 ? newest : try entry.file?.read(at: entry.offset, count: entry.bytes) ?? []
        return frame
    }

    /// Without its bytes.
    func times(of number: Int64) -> TimedFrame? { entry(number)?.frame }

    /// The last keyframe up to `number` that is as `isFit` says.
    func keyframe(upTo number: Int64, where isFit: (TimedFrame) -> Bool = { _ in true }) -> Int64? {
        let index = Int(clamping: min(number, end - 1) - start)
        guard entries.indices.contains(index) else { return nil }
        return entries[...index].lastIndex { $0.isKey && isFit($0.frame) }.map { start + Int64($0) }
    }

    var firstKeyframe: Int64? { entries.firstIndex { $0.isKey }.map { start + Int64($0) } }

    /// What comes next belongs to nothing that was.
    func forget() {
        for part in parts { remove(part.file) }
        parts = []
        drop(entries.count)
        isFilled = false
    }

    private func entry(_ number: Int64) -> Entry? {
        guard number >= start, number < end else { return nil }
        return entries[Int(number - start)]
    }

    private func store(_ entry: inout Entry, _ data: [UInt8]) throws(SegmentStoreError) {
        let isOld = parts.last.map {
            entry.frame.arrival - $0.began >= Self.fileSpan || $0.file.length >= Self.fileBytes
        }
        if isOld ?? true, entry.isKey {
            parts.append(Part(file: try begin(), first: end, began: entry.frame.arrival))
        }
        // Before the first keyframe there is nothing to begin with.
        guard let file = parts.last?.file else { return }
        entry.offset = try file.append(data)
        entry.file = file
    }

    private func begin() throws(SegmentStoreError) -> PreRollFile {
        if let folder { return try folder.begin() }
        let made = try PreRollFolder(in: cache)
        folder = made
        return try made.begin()
    }

    /// Keeps the keyframe at or before what has to be reached, and no more bytes than are allowed.
    private func trim(at now: MonotonicTime) {
        while parts.count > 1, isTooLarge || parts[1].began + reach + Self.slack <= now {
            isFilled = true
            remove(parts.removeFirst().file)
            drop(Int(clamping: parts[0].first - start))
        }
        guard isTooLarge else { return }
        isFilled = true
        for part in parts { remove(part.file) }
        parts = []
        drop(entries.count - 1)
        if !entries.isEmpty { entries[0].file = nil }
    }

    private var isTooLarge: Bool {
        entries.count > Self.mostFrames || parts.reduce(0) { $0.addingSaturated($1.file.length) } > mostBytes
    }

    private func drop(_ count: Int) {
        let count = min(max(count, 0), entries.count)
        entries.removeFirst(count)
        start += Int64(count)
    }

    private func remove(_ file: PreRollFile) {
        // Left behind it goes with the next worker's start.
        try? folder?.remove(file)
    }
}
