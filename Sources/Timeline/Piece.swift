package import Recording

/// Whole fragments of one segment, and where on the common time line they are played.
///
/// A fragment's UTC is its segment's start plus the media time since; a segment's own clock is not believed beyond its
/// row's start and end (I9).
package struct Piece: Hashable, Sendable {
    package let row: SegmentRow
    /// Indices of `row.media.fragments`; never empty.
    package let fragments: Range<Int>
    /// Served minus recorded decode time: one constant for all pieces of a session.
    package var shift: TimeSpan

    package init(_ row: SegmentRow, _ fragments: Range<Int>, shift: TimeSpan = .zero) {
        self.row = row
        self.fragments = fragments
        self.shift = shift
    }

    /// UTC of its first sample.
    package var start: WallTime { row.start(ofFragment: fragments.lowerBound) }

    /// UTC of the end of its last sample.
    package var end: WallTime { row.end(ofFragment: fragments.upperBound - 1) }

    package var duration: TimeSpan { end - start }

    /// Its bytes in the segment's file.
    package var bytes: Range<Int64> {
        let first = row.offset(ofFragment: fragments.lowerBound)
        return first..<max(first, row.offset(ofFragment: fragments.upperBound))
    }

    /// Recorded decode time of its first sample.
    package var mediaStart: TimeSpan { row.mediaStart + (start - row.start) }

    /// Decode time of its first sample as it is served.
    package var servedStart: TimeSpan { mediaStart + shift }

    package var servedEnd: TimeSpan { servedStart + duration }

    /// What each track's decode times grow by, in its own ticks.
    package var ticks: [Int64] { row.media.ticks(shift) }

    /// What its time line must be moved by so that the first of its tracks starts at 0; `times` are the decode times of
    /// its first fragment's tracks, in their ticks (`FragmentShift.decodeTimes`).
    package func wayToZero(_ times: [Int: Int64]) -> TimeSpan? {
        let starts = row.media.tracks.enumerated().compactMap { index, track in
            times[index].map { TimeSpan(microseconds: $0.scaled(by: 1_000_000, over: track.timescale)) }
        }
        return starts.min().map { .zero - ($0 + shift) }
    }

    /// The parts of it that a player fetches at a time.
    ///
    /// Each starts with a key and, but for the last of its segment and before a hole, is at least `length` long. The
    /// borders are the segment's, wherever the piece begins: they stay while a live window moves on. What comes before
    /// the first key after a hole is in none.
    package func chunks(of length: TimeSpan) -> [Piece] {
        guard let first = firstKey else { return [] }
        let cuts = row.cuts(length).filter { $0 > first && $0 < fragments.upperBound }
        let bounds = [first] + cuts + [fragments.upperBound]
        return zip(bounds, bounds.dropFirst()).map { Piece(row, $0..<$1, shift: shift) }
    }

    /// The fragment that playback can start with.
    private var firstKey: Int? { row.media.fragments[fragments].firstIndex(where: \.isKey) }

    /// Itself parted at the holes in it, without what is over at `from`: the first part starts with a key.
    func parted(from: WallTime) -> [Piece] {
        let holes = row.holes.filter { fragments.lowerBound < $0 && $0 <= fragments.upperBound }
        guard !holes.isEmpty else { return [self] }
        let bounds = [fragments.lowerBound] + holes.filter { $0 < fragments.upperBound } + [fragments.upperBound]
        let parts = zip(bounds, bounds.dropFirst()).map { Piece(row, $0..<$1, shift: shift) }
        let rest = parts.drop { $0.end <= from || $0.firstKey == nil }
        guard let first = rest.first, let key = first.firstKey else { return [] }
        return [Piece(row, key..<first.fragments.upperBound, shift: shift)] + rest.dropFirst()
    }
}

extension MediaIndex {
    /// Equal for segments that play with one another's init part.
    package var formatName: String { format.map { String($0) } ?? codecs }

    /// They play with one another's init part.
    func hasFormat(of other: MediaIndex) -> Bool {
        if let format, let other = other.format { return format == other }
        return formatName == other.formatName
    }

    /// A shift of the time line in each track's ticks.
    package func ticks(_ shift: TimeSpan) -> [Int64] {
        tracks.map { shift.microseconds.scaled(by: $0.timescale, over: 1_000_000) }
    }
}
