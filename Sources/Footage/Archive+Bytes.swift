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

    /// The same rows, those that tell nothing of their media yet as their bytes tell it; all fragments of those for which
    /// `isNeededWhole`.
    func complete(_ rows: [SegmentRow], isNeededWhole: (SegmentRow) -> Bool) throws -> [SegmentRow] {
        let missing = rows.indices.filter { rows[$0].isIncomplete }
        guard !missing.isEmpty else { return rows }
        let wanted = missing.map { (row: rows[$0], isWhole: isNeededWhole(rows[$0])) }
        let completed = try inParallel(wanted) { try self.complete($0.row, isWhole: $0.isWhole) }
        var all = rows
        for (index, row) in zip(missing, completed) { all[index] = row }
        return all
    }

    /// What is no segment of ours, or is gone, stays as it is: it cannot be played.
    private func complete(_ row: SegmentRow, isWhole: Bool) throws -> SegmentRow {
        if let known = memory[row], known.isWhole || !isWhole { return row.told(by: known) }
        do {
            let known = try row.media.fragments.isEmpty ? media(of: row, isWhole: isWhole) : format(of: row)
            memory.remember(known, of: row)
            return row.told(by: known)
        } catch is MP4Error {
            return row
        } catch let error as ArchiveError where error.code == .gone {
            return row
        }
    }

    private func media(of row: SegmentRow, isWhole: Bool) throws -> MediaMemory.Known {
        if !isWhole, row.isLarge, let known = try outline(of: row) { return known }
        let reads = BufferedReads(row.readAhead) { try self.read(row, at: $0, count: $1) }
        let reader = try SegmentReader(length: row.bytes, verifyChecksums: false, read: { try reads.read($0, $1) })
        let scan = SegmentScan(reader, named: row.start.wholeMilliseconds)
        return MediaMemory.Known(start: scan.start, duration: scan.duration, media: scan.media)
    }

    /// By both ends of its file: two requests; nil where the fragments between have to be read.
    private func outline(of row: SegmentRow) throws -> MediaMemory.Known? {
        let reads = BufferedReads(16 << 10) { try self.read(row, at: $0, count: $1) }
        // Three keys a second are more than any camera has.
        let tail = (4 << 10) + 66 * Int(clamping: min(row.duration, .seconds(4 * 3600)).microseconds / 1_000_000)
        guard
            let outline = try SegmentOutline(length: row.bytes, tail: tail, read: { try reads.read($0, $1) })
        else { return nil }
        return MediaMemory.Known(outline, of: row)
    }

    private func format(of row: SegmentRow) throws -> MediaMemory.Known {
        let reads = BufferedReads(row.readAhead) { try self.read(row, at: $0, count: $1) }
        var media = row.media
        media.format = try SegmentReader(
            length: media.initLength, verifyChecksums: false, read: { try reads.read($0, $1) }
        ).format
        return MediaMemory.Known(start: row.start, duration: row.duration, media: media)
    }
}

extension SegmentRow {
    /// Of a small object all is read by one request, of a large one little more than the heads of its fragments.
    fileprivate var readAhead: Int { isLocal ? 4096 : isLarge ? 64 << 10 : max(4096, Int(clamping: bytes)) }

    /// An object that is too long to be read for what is in it.
    fileprivate var isLarge: Bool { !isLocal && bytes > 2 << 20 }

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
