package import Recording

/// A range of any length as one fragmented MP4 file that is never made: where its parts are, without their rows.
///
/// The file is that of a `ByteMap` over all its pieces. A page is some dozens of them, whose rows are read again when it
/// is served: what is kept of a day is some kilobytes, because segments that follow one another whole are one run.
package struct RangeLayout: Hashable, Sendable {
    /// Consecutive bytes of the file; the first page has the init part.
    package struct Page: Hashable, Sendable {
        /// In the file.
        package fileprivate(set) var bytes: Range<Int64>
        /// Of the starts of its segments, to whole milliseconds.
        package fileprivate(set) var first: WallTime
        package fileprivate(set) var last: WallTime
        fileprivate var runs: [Run] = []
    }

    /// Segments of a session that follow one another, or some fragments of one.
    fileprivate struct Run: Hashable, Sendable {
        let first: SegmentID
        var count: Int
        /// Of the segment's file; nil for all that there is of closed segments: that does not change.
        let bytes: Range<Int64>?
        let shift: TimeSpan
    }

    /// Of a page, so that its rows are some tens of kilobytes.
    private static let (mostPieces, mostFragments) = (64, 1000)
    /// Of a page, beyond its first segment: rows in between may be of what is not played, and are read too.
    private static let mostTime = TimeSpan.seconds(3600)

    package private(set) var pages: [Page] = []
    /// Of the page that is added to.
    private var (pieces, fragments) = (0, 0)

    package init() {}

    /// Of the whole file.
    package var length: Int64 { pages.last?.bytes.upperBound ?? 0 }

    /// What it takes in memory, in bytes.
    package var weight: Int {
        pages.reduce(0) { $0 + MemoryLayout<Page>.stride + 32 + $1.runs.capacity * MemoryLayout<Run>.stride }
    }

    /// Pieces come in order, all of one format.
    package mutating func add(_ piece: Piece) {
        let start = piece.row.start.wholeMilliseconds
        let isFull =
            pieces >= Self.mostPieces || fragments >= Self.mostFragments
            || (pages.last.map { start - $0.first > Self.mostTime } ?? true)
        if isFull {
            let initLength = pages.isEmpty ? max(0, piece.row.media.initLength) : 0
            pages.append(Page(bytes: length..<length.addingSaturated(initLength), first: start, last: start))
            (pieces, fragments) = (0, 0)
        }
        pages[pages.endIndex - 1].add(piece)
        pieces += 1
        fragments += piece.row.media.fragments.count
    }

    /// The page that a byte of the file is in; nil beyond its end.
    package func page(at offset: Int64) -> Page? {
        var (low, high) = (0, pages.count)
        while low < high {
            let middle = low + (high - low) / 2
            if pages[middle].bytes.upperBound > offset { high = middle } else { low = middle + 1 }
        }
        return pages.indices.contains(low) && offset >= 0 ? pages[low] : nil
    }
}

extension RangeLayout.Page {
    fileprivate mutating func add(_ piece: Piece) {
        let start = piece.row.start.wholeMilliseconds
        (first, last) = (min(first, start), max(last, start))
        bytes = bytes.lowerBound..<bytes.upperBound.addingSaturated(piece.bytes.length)
        if let run = runs.last, run.isContinued(by: piece) {
            runs[runs.endIndex - 1].count += 1
        } else {
            runs.append(RangeLayout.Run(piece))
        }
    }

    /// Some fragments of a segment are served: all must be known to find them.
    package func isCut(_ id: SegmentID) -> Bool { runs.contains { $0.bytes != nil && $0.first == id } }

    /// Its bytes, from rows of which those that start from `first` to `last` are all; nil when they are not what they
    /// were.
    package func map(of rows: [SegmentRow]) -> ByteMap? {
        let known = Dictionary(rows.lazy.filter(\.isPlayable).map { ($0.id, $0) }) { $1 }
        var pieces: [Piece] = []
        for run in runs {
            for index in 0..<run.count {
                guard let row = known[run.id(at: index)]?.rising, let piece = run.piece(of: row) else { return nil }
                pieces.append(piece)
            }
        }
        let map = ByteMap(pieces, hasInitPart: bytes.lowerBound == 0)
        return map.length == bytes.length ? map : nil
    }
}

extension RangeLayout.Run {
    init(_ piece: Piece) {
        self.init(first: piece.row.id, count: 1, bytes: piece.isWhole ? nil : piece.bytes, shift: piece.shift)
    }

    func id(at index: Int) -> SegmentID {
        SegmentID(session: first.session, counter: first.counter.addingSaturated(Int64(index)))
    }

    func isContinued(by piece: Piece) -> Bool {
        bytes == nil && piece.isWhole && piece.shift == shift && piece.row.id == id(at: count)
    }

    /// Nil when no fragments of the segment are where they were; it may know more of them than it did.
    func piece(of row: SegmentRow) -> Piece? {
        let all = row.media.fragments.indices
        guard let bytes else { return all.isEmpty ? nil : Piece(row, all, shift: shift) }
        guard let first = all.first(where: { row.offset(ofFragment: $0) == bytes.lowerBound }),
            let last = all.last(where: { row.offset(ofFragment: $0 + 1) == bytes.upperBound }), first <= last
        else { return nil }
        return Piece(row, first..<(last + 1), shift: shift)
    }
}

extension Piece {
    /// It is all that its segment has, and ever will.
    fileprivate var isWhole: Bool { row.state != .recording && fragments == row.media.fragments.indices }
}
