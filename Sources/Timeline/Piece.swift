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
    package var end: WallTime { row.start(ofFragment: fragments.upperBound) }

    package var duration: TimeSpan { end - start }

    /// Its bytes in the segment's file.
    package var bytes: Range<Int64> {
        row.offset(ofFragment: fragments.lowerBound)..<row.offset(ofFragment: fragments.upperBound)
    }

    /// Recorded decode time of its first sample.
    package var mediaStart: TimeSpan { row.mediaStart + (start - row.start) }

    /// Decode time of its first sample as it is served.
    package var servedStart: TimeSpan { mediaStart + shift }

    package var servedEnd: TimeSpan { servedStart + duration }

    /// What each track's decode times grow by, in its own ticks.
    package var ticks: [Int64] {
        row.media.tracks.map { shift.microseconds.scaled(by: $0.timescale, over: 1_000_000) }
    }

    /// The parts of it that start with a key, each at least `length` long but for the last: what a player fetches at a
    /// time.
    package func chunks(of length: TimeSpan) -> [Piece] {
        var cuts: [Int] = []
        var last = row.start(ofFragment: fragments.lowerBound)
        for index in fragments.dropFirst() where row.media.fragments[index].isKey {
            let start = row.start(ofFragment: index)
            guard start - last >= length else { continue }
            cuts.append(index)
            last = start
        }
        let bounds = [fragments.lowerBound] + cuts + [fragments.upperBound]
        return zip(bounds, bounds.dropFirst()).map { Piece(row, $0..<$1, shift: shift) }
    }
}

extension SegmentRow {
    /// Its bytes can be served: they exist, nobody doubts them, and where its fragments are is known.
    package var isPlayable: Bool {
        state != .evicted && (state != .quarantined || isLocal) && !media.fragments.isEmpty && !media.tracks.isEmpty
            && media.initLength > 0
    }

    /// UTC of a fragment's first sample; of the one past the last, the segment's end.
    package func start(ofFragment index: Int) -> WallTime {
        guard index > 0, let first = media.fragments.first, let track = media.tracks.first else { return start }
        guard media.fragments.indices.contains(index) else { return end }
        // One without samples of the first track tells another track's time: it is taken for as late as it can be.
        let ticks = media.fragments[index].decodeTime.subtractingSaturated(first.decodeTime)
        return min(end, start + TimeSpan(microseconds: max(0, ticks.scaled(by: 1_000_000, over: track.timescale))))
    }

    /// Where a fragment begins in the file; of the one past the last, where the media ends.
    package func offset(ofFragment index: Int) -> Int64 {
        media.fragments.indices.contains(index) ? media.fragments[index].offset : media.mediaEnd
    }

    /// Decode time of its first sample in its session.
    package var mediaStart: TimeSpan {
        guard let track = media.tracks.first else { return .zero }
        return TimeSpan(microseconds: track.baseDecodeTime.scaled(by: 1_000_000, over: track.timescale))
    }
}
