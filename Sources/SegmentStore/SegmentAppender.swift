package import Recording

/// The segment that is being recorded: create, append, sync, close, in the order that survives a power cut.
package final class SegmentAppender {
    /// Its stage follows the file: partial, then closed or suspect.
    package private(set) var name: SegmentFileName
    /// Up to the end of the last whole fragment.
    package private(set) var length: Int64 = 0

    /// Journals the intent, creates the partial with its init part and makes both durable.
    package init(
        in cache: CacheDirectory, start: WallTime, id: SegmentID, initPart: [UInt8], journal: Journal, now: WallTime
    ) throws(SegmentStoreError) {
        name = SegmentFileName(start: start, id: id, stage: .partial)
    }

    /// Adds a whole fragment by one write; on an error the file is as before.
    package func append(_ fragment: [UInt8]) throws(SegmentStoreError) {}

    /// Makes what was appended durable; after an error the only thing left is `setAside()`.
    package func sync() throws(SegmentStoreError) {}

    /// Closes and journals the segment; no space for the trailer leaves it open.
    package func close(
        trailer: [UInt8], duration: TimeSpan, journal: Journal, now: WallTime
    ) throws(SegmentStoreError) -> SegmentFileName { name }

    /// After a failed sync: keeps the file under `.suspect` for the next recovery.
    package func setAside() throws(SegmentStoreError) {}
}
