import Recording

/// A range of time as one fragmented MP4 file that is never made: the first piece's init part, then each piece's
/// fragments, shifted in place. Its length and every offset follow from the rows alone.
package struct ByteMap: Hashable, Sendable {
    /// Consecutive bytes of one segment's file.
    package struct Slice: Hashable, Sendable {
        /// Nil for the init part, which is the first piece's.
        package let piece: Int?
        /// In the segment's file.
        package let bytes: Range<Int64>
    }

    package let pieces: [Piece]
    package let initLength: Int64
    /// Of the whole file.
    package let length: Int64
    /// Where each piece begins in the file.
    private let starts: [Int64]

    /// All pieces have one format.
    package init(_ pieces: some Collection<Piece>) {
        self.pieces = Array(pieces)
        initLength = pieces.first?.row.media.initLength ?? 0
        var next = initLength
        var starts: [Int64] = []
        for piece in pieces {
            starts.append(next)
            next = next.addingSaturated(piece.bytes.upperBound - piece.bytes.lowerBound)
        }
        self.starts = starts
        length = next
    }

    /// What the bytes `range` of the file are made of, in order; what lies past its end is left out.
    package func slices(_ range: Range<Int64>) -> [Slice] {
        let range = range.clamped(to: 0..<length)
        var found: [Slice] = []
        if range.lowerBound < min(initLength, range.upperBound) {
            found.append(Slice(piece: nil, bytes: range.lowerBound..<min(initLength, range.upperBound)))
        }
        var index = first(endingAfter: range.lowerBound)
        while index < pieces.count, starts[index] < range.upperBound {
            let (start, bytes) = (starts[index], pieces[index].bytes)
            let part = (range.lowerBound - start + bytes.lowerBound..<range.upperBound - start + bytes.lowerBound)
                .clamped(to: bytes)
            if !part.isEmpty { found.append(Slice(piece: index, bytes: part)) }
            index += 1
        }
        return found
    }

    private func first(endingAfter offset: Int64) -> Int {
        var (low, high) = (0, pieces.count)
        while low < high {
            let middle = low + (high - low) / 2
            if starts[middle] + Int64(pieces[middle].bytes.count) > offset { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
