import FragmentedMP4
import Glibc
import ObjectStore
package import Recording
import SegmentStore

extension Archive {
    /// At most `count` bytes of a segment's file, fewer at its end.
    ///
    /// From the cache while it is there, closed or still growing, else from the store: they are the same bytes (I8).
    package func read(_ row: SegmentRow, at offset: Int64, count: Int) throws -> [UInt8] {
        guard offset >= 0, count > 0 else { return [] }
        do {
            if row.isLocal, let bytes = try box?.read(row, at: offset, count: count) { return bytes }
        } catch let error as SegmentStoreError {
            // The cache's disk fails: the store may have it.
            guard row.state == .verified || row.state == .uploaded, store != nil else { throw error }
        }
        guard let store, let key = ObjectKey(row.key), row.state != .evicted else { throw ArchiveError.gone(row.key) }
        do { return try store.read(key, offset: offset, count: count) } catch let error as ObjectStoreError {
            // Deleted meanwhile, unless the whole store is not there, which looks the same.
            let isAbsent = error.scope == .object || error.errno == ENOENT
            guard isAbsent, try asking({ try stored?.isThere() ?? false }) else { throw ArchiveError(error) }
            throw ArchiveError.gone(row.key)
        }
    }

    /// The same rows, those that tell nothing of their media yet as their bytes tell it.
    func complete(_ rows: [SegmentRow]) throws -> [SegmentRow] {
        let missing = rows.indices.filter { rows[$0].isIncomplete }
        guard !missing.isEmpty else { return rows }
        let completed = try inParallel(missing.map { rows[$0] }) { try self.complete($0) }
        var all = rows
        for (index, row) in zip(missing, completed) { all[index] = row }
        return all
    }

    /// What is no segment of ours, or is gone, stays as it is: it cannot be played.
    private func complete(_ row: SegmentRow) throws -> SegmentRow {
        if let known = memory[row] { return row.told(by: known) }
        do {
            let reads = BufferedReads(row.readAhead) { try self.read(row, at: $0, count: $1) }
            let known = row.media.fragments.isEmpty ? try scan(row, reads) : try format(of: row, reads)
            memory.remember(known, of: row)
            return row.told(by: known)
        } catch is MP4Error {
            return row
        } catch let error as ArchiveError where error.code == .gone {
            return row
        }
    }

    private func scan(_ row: SegmentRow, _ reads: BufferedReads) throws -> MediaMemory.Known {
        let reader = try SegmentReader(length: row.bytes, verifyChecksums: false, read: { try reads.read($0, $1) })
        let scan = SegmentScan(reader, named: row.start.wholeMilliseconds)
        return MediaMemory.Known(start: scan.start, duration: scan.duration, media: scan.media)
    }

    private func format(of row: SegmentRow, _ reads: BufferedReads) throws -> MediaMemory.Known {
        var media = row.media
        media.format = try SegmentReader(
            length: media.initLength, verifyChecksums: false, read: { try reads.read($0, $1) }
        ).format
        return MediaMemory.Known(start: row.start, duration: row.duration, media: media)
    }
}

extension SegmentRow {
    /// Of a small object all is read by one request, of a large one little more than the heads of its fragments.
    fileprivate var readAhead: Int { isLocal ? 4096 : bytes <= 2 << 20 ? max(4096, Int(clamping: bytes)) : 64 << 10 }

    /// Its row does not say all that its bytes do.
    fileprivate var isIncomplete: Bool {
        guard state != .evicted, state != .quarantined || isLocal, state != .recording else { return false }
        return media.fragments.isEmpty || media.format == nil
    }
}

/// Reads ahead, so that many small reads near one another are one request.
///
/// Used by one thread.
final class BufferedReads {
    private let window: Int
    private let source: SegmentReader.Read
    private var offset: Int64 = 0
    private var bytes: [UInt8] = []

    init(_ window: Int, _ source: @escaping SegmentReader.Read) {
        self.window = window
        self.source = source
    }

    func read(_ at: Int64, _ count: Int) throws -> [UInt8] {
        if at < offset || at - offset > Int64(bytes.count) - Int64(count) {
            bytes = try source(at, max(window, count))
            offset = at
        }
        let start = Int(at - offset)
        return Array(bytes.dropFirst(start).prefix(count))
    }
}
