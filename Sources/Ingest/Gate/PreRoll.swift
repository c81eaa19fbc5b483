internal import Recording
internal import SegmentStore

/// The newest frames of a camera, so that a recording can begin in the past.
///
/// Their bytes are on disk, in files that begin with a keyframe and hold one connection's, and their times in memory: some
/// kilobytes a second of footage are held, never the pictures. Frames have numbers, which rise for as long as this lives.
/// The newest frame is always there, whatever the disk does; one that the disk did not take is gone once it is not.
final class PreRoll {
    /// cvrd needs a moment to say that something happened.
    static let slack = TimeSpan.seconds(5)
    private static let fileSpan = TimeSpan.seconds(5)
    private static let fileBytes: Int64 = 16 << 20
    /// A camera with more than a thousand frames a second for a minute and a half is none (I9).
    private static let mostFrames = 100_000

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
        /// When what comes behind it came; nil while it takes more.
        var ended: MonotonicTime?
    }

    /// How far back it has to reach.
    var reach: TimeSpan
    /// It lets go of its oldest for this, however far that reaches.
    var mostBytes: Int64
    /// Number of the oldest frame.
    private(set) var start: Int64 = 0
    /// Up to when it let go of frames, since they were old or for want of room; nil: it never did.
    private(set) var letGoTo: MonotonicTime?
    /// Up to when it let go of frames for want of room.
    private var cutTo: MonotonicTime?
    private let cache: CacheDirectory
    private var folder: PreRollFolder?
    private var entries: [Entry] = []
    private var parts: [Part] = []
    private var newest: [UInt8] = []
    /// No more frames come of the connection that the newest is of.
    private var isOver = false

    init(in cache: CacheDirectory, reach: TimeSpan, mostBytes: Int64) {
        self.cache = cache
        self.reach = reach
        self.mostBytes = mostBytes
    }

    /// Number of the frame that comes next.
    var end: Int64 { start + Int64(entries.count) }

    /// On the disk.
    var bytes: Int64 { parts.reduce(0) { $0.addingSaturated($1.file.length) } }

    /// For want of room it does not hold what it has to.
    func isShort(at now: MonotonicTime) -> Bool { cutTo.map { now - $0 < reach } ?? false }

    /// Adds a frame, which is there afterwards even if this throws: then the recording of what comes next begins anew.
    func append(_ frame: TimedFrame) throws(SegmentStoreError) {
        var entry = Entry(frame: frame, file: nil, offset: 0, bytes: frame.data.count)
        entry.frame.data = []
        (newest, isOver) = (frame.data, false)
        defer {
            entries.append(entry)
            trim(at: frame.arrival)
        }
        do throws(SegmentStoreError) {
            try store(&entry, frame.data)
        } catch {
            endPart(at: frame.arrival)
            throw error
        }
    }

    /// Nil for one that is gone or has not come.
    func frame(_ number: Int64) throws(SegmentStoreError) -> TimedFrame? {
        guard let entry = entry(number) else { return nil }
        var frame = entry.frame
        if number == end - 1 {
            frame.data = newest
        } else {
            guard let file = entry.file else { return nil }
            frame.data = try file.read(at: entry.offset, count: entry.bytes)
        }
        return frame
    }

    /// Without its bytes, which may be gone.
    func times(of number: Int64) -> TimedFrame? { entry(number)?.frame }

    /// The last keyframe up to `number` that is as `isFit` says.
    func keyframe(upTo number: Int64, where isFit: (Int64, TimedFrame) -> Bool = { _, _ in true }) -> Int64? {
        let index = Int(clamping: min(number, end - 1) - start)
        guard entries.indices.contains(index) else { return nil }
        return entries[...index].indices.last {
            isReadableKey($0) && isFit(start + Int64($0), entries[$0].frame)
        }.map { start + Int64($0) }
    }

    /// The keyframe of the frames up to `number`, if all from there on are there.
    func group(of number: Int64) -> Int64? {
        var index = Int(clamping: min(number, end - 1) - start)
        while entries.indices.contains(index), isReadable(index) {
            if entries[index].isKey { return start + Int64(index) }
            index -= 1
        }
        return nil
    }

    /// The first keyframe from `number` on.
    func keyframe(from number: Int64) -> Int64? {
        let index = Int(clamping: max(number - start, 0))
        guard entries.indices.contains(index) else { return nil }
        return entries[index...].indices.first { isReadableKey($0) }.map { start + Int64($0) }
    }

    /// What comes next is another connection's; this one's pictures end at `end`.
    func endConnection(at end: MonotonicTime) {
        endPart(at: end)
        isOver = true
    }

    /// What comes next belongs to nothing that was.
    func forget() {
        for part in parts { remove(part.file) }
        parts = []
        drop(entries.count)
        (letGoTo, cutTo) = (nil, nil)
    }

    /// Keeps the keyframe at or before what has to be reached, and no more bytes than are allowed.
    func trim(at now: MonotonicTime) {
        while let first = parts.first, let ended = first.ended,
            isTooLarge || ended + reach + Self.slack <= now
        {
            if isTooLarge { cutTo = ended }
            letGoTo = ended
            remove(parts.removeFirst().file)
            drop(parts.first.map { Int(clamping: $0.first - start) } ?? entries.count - 1)
        }
        if isTooLarge {
            (letGoTo, cutTo) = (now, now)
            for part in parts { remove(part.file) }
            parts = []
        }
        // The newest frame is in memory, too.
        if parts.isEmpty { for index in entries.indices { entries[index].file = nil } }
        if parts.isEmpty, isOver {
            drop(entries.count)
            newest = []
        }
        drop(entries.dropLast().prefix { $0.file == nil }.count)
    }

    private func isReadable(_ index: Int) -> Bool { entries[index].file != nil || index == entries.count - 1 }

    private func isReadableKey(_ index: Int) -> Bool { entries[index].isKey && isReadable(index) }

    private func entry(_ number: Int64) -> Entry? {
        guard number >= start, number < end else { return nil }
        return entries[Int(number - start)]
    }

    private func store(_ entry: inout Entry, _ data: [UInt8]) throws(SegmentStoreError) {
        let now = entry.frame.arrival
        let isOld = parts.last.map {
            $0.ended != nil || now - $0.began >= Self.fileSpan || $0.file.length >= Self.fileBytes
        }
        if isOld ?? true, entry.isKey {
            endPart(at: now)
            if mostBytes > 0 {
                parts.append(Part(file: try begin(), first: end, began: now))
            } else {
                (letGoTo, cutTo) = (now, now)
            }
        }
        // What comes before a keyframe is nothing to begin with.
        guard let part = parts.last, part.ended == nil else { return }
        entry.offset = try part.file.append(data)
        entry.file = part.file
    }

    private func begin() throws(SegmentStoreError) -> PreRollFile {
        do throws(SegmentStoreError) {
            if let folder { return try folder.begin() }
            let made = try PreRollFolder(in: cache)
            folder = made
            return try made.begin()
        } catch {
            // Somebody removed it, and what was in it.
            if error.isNoSuchFile {
                forget()
                folder = nil
            }
            throw error
        }
    }

    private func endPart(at now: MonotonicTime) {
        guard let last = parts.indices.last, parts[last].ended == nil else { return }
        parts[last].ended = now
    }

    private var isTooLarge: Bool { entries.count > Self.mostFrames || (!parts.isEmpty && bytes > mostBytes) }

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
