import Footage
import FragmentedMP4
import ObjectStore
import Recording
import SegmentStore
import Timeline

/// The bytes of some segments of one session and one format as one fragmented MP4, as playback serves such a range: the
/// first one's init part, then all fragments, on one time line from 0.
///
/// Read from the cache, or from the store where the cache has let go. What it holds is a page of rows and one block. Used by
/// one thread.
final class SessionBytes {
    /// A segment's bytes are not what they were when it was closed.
    struct Damaged: Error {
        let row: SegmentRow
        let why: String
    }

    private static let block = 256 << 10

    private let work: Workspace
    private let cache: CacheDirectory?
    private var running: RunningSelection
    private var isFirst = true
    /// The segment that was read last.
    private var open: (id: SegmentID, file: SegmentFile)?
    private var checked: SegmentID?

    /// `origin` is the start of the first segment.
    init(_ work: Workspace, _ cache: CacheDirectory?, origin: WallTime) {
        (self.work, self.cache) = (work, cache)
        running = RunningSelection(from: .earliest, to: .latest, origin: origin)
    }

    /// Rows come in order; `sink` takes the blocks that they complete.
    func add(_ rows: [SegmentRow], _ sink: ([UInt8]) throws -> Void) throws { try take(running.add(rows), sink) }

    func finish(_ sink: ([UInt8]) throws -> Void) throws { try take(running.finish(), sink) }

    private func take(_ pieces: [Piece], _ sink: ([UInt8]) throws -> Void) throws {
        var pieces = pieces
        if isFirst, let first = pieces.first {
            let head = try damage(first.row) { try ServedBytes.head(of: first.row, at: first.bytes.lowerBound, read) }
            guard let times = FragmentShift.decodeTimes(head), let way = first.wayToZero(times) else {
                throw Damaged(row: first.row, why: "has a damaged fragment at byte \(first.bytes.lowerBound)")
            }
            running.move(by: way)
            for index in pieces.indices { pieces[index].shift = pieces[index].shift + way }
        }
        for piece in pieces {
            try check(piece.row)
            let map = ByteMap([piece], hasInitPart: isFirst)
            var bytes = ServedBytes(map, 0..<map.length, blockSize: Self.block)
            while let block = try damage(piece.row, { try bytes.next(read) }) { try sink(block) }
            isFirst = false
        }
    }

    /// Every fragment's checksum, once: a cache may rot, and nobody else looks at what goes into a file alone.
    private func check(_ row: SegmentRow) throws {
        guard let cache, checked != row.id else { return }
        checked = row.id
        do {
            let (scan, _) = try SegmentScan.local(work.fileName(row), in: cache, checkingEveryByte: true)
            guard scan.media.mediaEnd == row.media.mediaEnd else {
                throw Damaged(row: row, why: "has a damaged fragment at byte \(scan.media.mediaEnd)")
            }
        } catch let error as SegmentStoreError where error.isNoSuchFile {
            return  // The store's copy was checked on its way there.
        } catch let error as MP4Error {
            throw Damaged(row: row, why: "does not parse any more: \(error.thing)")
        }
    }

    private func damage<Value>(_ row: SegmentRow, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as ServedBytes.Damaged {
            throw Damaged(row: row, why: "has a damaged fragment at byte \(error.offset)")
        }
    }

    private func read(_ row: SegmentRow, _ offset: Int64, _ count: Int) throws -> [UInt8] {
        if let cache {
            do {
                if open?.id != row.id { open = (row.id, try cache.open(work.fileName(row))) }
                if let file = open?.file { return try file.read(at: offset, count: count) }
            } catch {
                guard error.isNoSuchFile else { throw error }
                open = nil
            }
        }
        guard row.state == .verified, let key = ObjectKey(row.key) else {
            throw SyncError(
                .failed, "\(row.camera) \(row.id.session).\(row.id.counter) is neither in the cache nor in the store",
                nextStep: "none: the next survey finds out")
        }
        return try work.store.read(key, offset: offset, count: count)
    }
}
