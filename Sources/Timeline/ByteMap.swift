package import Recording

/// A range of time as one fragmented MP4 file that is never made.
///
/// It is the first piece's init part, then each piece's fragments, shifted in place; its length and every offset follow
/// from the rows alone.
package struct ByteMap: Hashable, Sendable {
    /// Consecutive bytes of one segment's file.
    package struct Slice: Hashable, Sendable {
        /// Nil for the init part, which is the first piece's.
        package let piece: Int?
        /// In the segment's file.
        package let bytes: Range<Int64>

        package init(piece: Int?, bytes: Range<Int64>) {
            self.piece = piece
            self.bytes = bytes
        }
    }

    package let pieces: [Piece]
    package let initLength: Int64
    /// Of the whole file.
    package let length: Int64
    /// The only track that is played; nil for all.
    package let track: Int?
    /// Where each piece begins in the file.
    private let starts: [Int64]

    /// All pieces have one format; the later parts of a long file come without an init part.
    package init(_ pieces: some Collection<Piece>, only track: Int? = nil, hasInitPart: Bool = true) {
        self.pieces = Array(pieces)
        self.track = track
        initLength = hasInitPart ? max(0, pieces.first?.row.media.initLength ?? 0) : 0
        var next = initLength
        var starts: [Int64] = []
        for piece in pieces {
            starts.append(next)
            next = next.addingSaturated(piece.bytes.length)
        }
        self.starts = starts
        length = next
    }

    /// A segment's file as far as its media goes, shifted: every byte where it is on disk.
    package init(whole row: SegmentRow, shift: TimeSpan, only track: Int? = nil) {
        self.init([Piece(row, 0..<row.media.fragments.count, shift: shift)], only: track)
    }

    /// What is served at an address; nil when `row` is not the segment that it names.
    package init?(_ address: MediaAddress, of row: SegmentRow) {
        guard row.id == address.id, row.start.wholeMilliseconds == address.start, row.isPlayable,
            address.track.map(row.media.tracks.indices.contains) ?? true
        else { return nil }
        self.init(whole: row, shift: address.shift, only: address.track)
    }

    /// What the bytes `range` of the file are made of, in order; what lies past its end is left out.
    package func slices(_ range: Range<Int64>) -> [Slice] {
        let range = range.clamped(to: 0..<length)
        var found: [Slice] = []
        var position = range.lowerBound
        while let slice = slice(at: position, until: range.upperBound) {
            found.append(slice)
            position += slice.bytes.length
        }
        return found
    }

    /// The longest slice that starts at an offset of the file and ends at `end` or before; nil at the end.
    func slice(at offset: Int64, until end: Int64) -> Slice? {
        guard offset >= 0, offset < min(end, length) else { return nil }
        if offset < initLength { return Slice(piece: nil, bytes: offset..<min(end, initLength)) }
        let index = first(endingAfter: offset)
        guard pieces.indices.contains(index) else { return nil }
        let (bytes, start) = (pieces[index].bytes, starts[index])
        let first = bytes.lowerBound + (offset - start)
        return Slice(piece: index, bytes: first..<min(bytes.upperBound, bytes.lowerBound.addingSaturated(end - start)))
    }

    private func first(endingAfter offset: Int64) -> Int {
        var (low, high) = (0, pieces.count)
        while low < high {
            let middle = low + (high - low) / 2
            if starts[middle].addingSaturated(pieces[middle].bytes.length) > offset {
                high = middle
            } else {
                low = middle + 1
            }
        }
        return low
    }
}

extension Range<Int64> {
    package var length: Int64 { upperBound.subtractingSaturated(lowerBound) }
}
