import CLinux
package import Recording

/// A camera's journal, open for appending by its one writer: the worker that records.
///
/// A record is durable once `append` returns; a crash inside it leaves a torn tail, which the next writer cuts off.
package final class Journal {
    static let name = "journal"
    /// Space that is allocated beyond the end, so that a full disk can still be journalled.
    private static let headroom: Int64 = 65_536

    /// What the journal knows, as of its last record.
    package private(set) var state: JournalState
    private let file: Descriptor
    private let cache: CacheDirectory
    private var sequence: Int64
    private var end: Int64
    private var checkpointEnd: Int64
    private var headroomEnd: Int64
    private var failure: SegmentStoreError?

    /// Reads back to the last checkpoint, cuts a torn tail and allocates headroom.
    ///
    /// Throws `EWOULDBLOCK` when another process has it open for appending.
    package init(in cache: CacheDirectory, now: WallTime) throws(SegmentStoreError) {
        file = try Descriptor(Self.name, in: cache.root, O_RDWR | O_CREAT | O_NOFOLLOW)
        self.cache = cache
        try file.lockExclusively()
        try cache.root.sync()
        // After a failed sync, memory may hold records that the disk does not.
        file.forgetCachedBytes()
        let tail = try Tail(of: file)
        state = tail.state
        sequence = tail.sequence
        end = tail.end
        checkpointEnd = tail.checkpointEnd
        headroomEnd = tail.end
        if try file.length() > end { try cutTail(at: now) }
        refillHeadroom()
    }

    /// A sync failed: only another process, which reads what the disk really holds, can write on.
    package var isBroken: Bool { failure != nil }

    deinit { file.unlock() }

    /// Returns once the record is on disk.
    ///
    /// After a failed write nothing has happened. After a failed sync the journal takes no more records: the worker
    /// ends, and its successor reads what the disk really holds.
    @discardableResult
    package func append(_ event: JournalEvent, at time: WallTime) throws(SegmentStoreError) -> JournalRecord {
        let record = try write(event, at: time)
        refillHeadroom()
        let hasRoom = headroomEnd - end > Self.headroom / 2
        if hasRoom, end - checkpointEnd > Self.headroom {
            // The record itself is safe; a checkpoint only shortens the next start, and the next append tries again.
            _ = try? write(.checkpoint(state), at: time)
        }
        return record
    }

    private func write(_ event: JournalEvent, at time: WallTime) throws(SegmentStoreError) -> JournalRecord {
        if let failure { throw failure }
        let record = JournalRecord(sequence: sequence + 1, time: time, event: event)
        let line = JournalLine.encode(record) + [10]
        // What a failed write left behind the end is overwritten by the next one.
        try file.write(line, at: end)
        Failpoint.reach(.journalWritten)
        do {
            try file.syncData(timedBy: cache)
        } catch {
            failure = error
            throw error
        }
        Failpoint.reach(.journalSynced)
        sequence += 1
        end += Int64(line.count)
        state.apply(event)
        if case .checkpoint = event { checkpointEnd = end }
        return record
    }

    /// Says first that records may be missing, over the torn bytes themselves: killed in between, it is cut again.
    private func cutTail(at now: WallTime) throws(SegmentStoreError) {
        state.isComplete = false
        _ = try write(.checkpoint(state), at: now)
        try file.truncate(to: end)
        try file.syncData()
    }

    /// A full disk, or a file system that cannot preallocate: what headroom is left serves on.
    private func refillHeadroom() {
        guard headroomEnd - end < Self.headroom / 2 else { return }
        if cvr_preallocate(file.raw, off_t(end), off_t(Self.headroom)) == 0 { headroomEnd = end + Self.headroom }
    }
}

/// The end of a journal, and what is known there.
private struct Tail {
    var state = JournalState()
    var sequence: Int64 = 0
    var end: Int64 = 0
    var checkpointEnd: Int64 = 0

    /// Reads from the last checkpoint on; it is found in the last 128 KiB, else in windows eight times larger.
    init(of file: borrowing Descriptor) throws(SegmentStoreError) {
        let length = try file.length()
        var window: Int64 = 131_072
        while true {
            let start = max(0, length - window)
            var tail = Tail()
            var isKnown = start == 0
            try JournalScan.run(file, from: start) { record, end in
                if case .checkpoint = record.event {
                    isKnown = true
                    tail.checkpointEnd = end
                } else if record.sequence != tail.sequence + 1 {
                    tail.state.isComplete = false
                }
                tail.state.apply(record.event)
                tail.sequence = record.sequence
                tail.end = end
                return true
            }
            if isKnown {
                self = tail
                return
            }
            window = window.multipliedSaturated(8)
        }
    }

    private init() {}
}
