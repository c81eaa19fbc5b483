package import Recording

/// A camera's journal, open for appending: one writer, the worker that records.
package final class Journal {
    /// What the journal knows, as of its last record.
    package private(set) var state = JournalState()

    /// Cuts a torn tail and preallocates headroom; throws `EWOULDBLOCK` when another process has it open.
    package init(in cache: CacheDirectory) throws(SegmentStoreError) {}

    /// Returns once the record is on disk.
    @discardableResult
    package func append(_ event: JournalEvent, at time: WallTime) throws(SegmentStoreError) -> JournalRecord {
        JournalRecord(sequence: 1, time: time, event: event)
    }
}
