import CLinux

/// Reads a journal while its writer goes on.
package enum JournalReader {
    package struct Batch: Sendable {
        package var records: [JournalRecord] = []
        /// Where the next read begins: after the last record that checks.
        package var next: Int64 = 0
        /// More records may follow at once.
        package var hasMore = false
        /// `offset` was not between two lines of this journal, which therefore is another: read from its start.
        package var restarted = false
    }

    /// Reads about 64 KiB of records; an offset of 0 is the start.
    ///
    /// Stops before a torn last line. Damage with records behind it is skipped: their sequence numbers show the hole.
    /// Without a journal there are no records.
    package static func read(in cache: CacheDirectory, from offset: Int64) throws(SegmentStoreError) -> Batch {
        guard let file = try open(in: cache) else { return Batch() }
        var batch = Batch()
        if try isBetweenLines(offset, file) {
            batch.next = offset
        } else {
            batch.restarted = true
        }
        let start = batch.next
        try JournalScan.run(file, from: start) { record, end in
            batch.records.append(record)
            batch.next = end
            batch.hasMore = end - start >= JournalScan.chunk
            return !batch.hasMore
        }
        return batch
    }

    private static func open(in cache: CacheDirectory) throws(SegmentStoreError) -> Descriptor? {
        do {
            return try Descriptor(Journal.name, in: cache.root, O_RDONLY | O_NOFOLLOW)
        } catch {
            guard error.errno == ENOENT else { throw error }
            return nil
        }
    }

    private static func isBetweenLines(
        _ offset: Int64, _ file: borrowing Descriptor
    ) throws(SegmentStoreError) -> Bool {
        offset == 0 ? true : offset > 0 ? try file.read(at: offset - 1, count: 1) == [10] : false
    }
}

/// Goes through a journal's lines with a fixed amount of memory.
enum JournalScan {
    static let chunk: Int64 = 65_536

    /// Calls `body` with each record that checks and the offset behind its newline, until it answers false.
    static func run(
        _ file: borrowing Descriptor, from start: Int64, _ body: (JournalRecord, Int64) -> Bool
    ) throws(SegmentStoreError) {
        var offset = start
        // One byte more than a record can have: enough to know that a line is noise.
        let kept = JournalLine.longest + 1
        var line: [UInt8] = []
        while true {
            let bytes = try file.read(at: offset, count: Int(chunk))
            guard !bytes.isEmpty else { return }
            var rest = bytes[...]
            while let newline = rest.firstIndex(of: 10) {
                var whole = rest[..<newline]
                if !line.isEmpty {
                    line += whole.prefix(kept - line.count)
                    whole = line[...]
                }
                rest = rest[(newline + 1)...]
                if whole.count < kept, let record = JournalLine.decode(whole) {
                    guard body(record, offset + Int64(newline + 1)) else { return }
                }
                line.removeAll(keepingCapacity: true)
            }
            line += rest.prefix(kept - line.count)
            offset += Int64(bytes.count)
        }
    }
}
