package import Recording

/// What of a camera's segments is played for a range of time, in order, on one rising time line.
///
/// A range starts with the last key at or before its start, and ends with the fragment that holds its end. Where
/// sessions overlap, as after a backward step of the clock, the later session is played. Gaps are jumps.
package struct Selection: Hashable, Sendable {
    /// Two samples further apart than this have a gap between them, as `gaps` lists it.
    package static let gapLength = TimeSpan.seconds(2)

    package let from: WallTime
    package let to: WallTime
    package private(set) var pieces: [Piece]

    /// `rows` overlap the range, in any order; those that cannot be played are passed over. Decode time 0 is `origin`.
    package init(_ rows: [SegmentRow], from: WallTime, to: WallTime, origin: WallTime) {
        self.from = from
        self.to = to
        let playable = rows.filter { $0.isPlayable && $0.end > from && $0.start < to }
            .sorted { ($0.start, $0.id) < ($1.start, $1.id) }
        pieces = Self.visible(playable).flatMap { row, spans in
            spans.compactMap { Self.piece(row, from: max(from, $0), to: min(to, $1)) }
        }
        .sorted { ($0.start, $0.row.id) < ($1.start, $1.row.id) }
        place(from: origin)
    }

    /// The same, as far as it plays without a gap.
    package var untilFirstGap: Selection {
        var copy = self
        let next = zip(pieces, pieces.dropFirst()).enumerated().first { Self.isGap($1.0, $1.1) }?.offset
        if let next { copy.pieces = Array(pieces.prefix(next + 1)) }
        return copy
    }

    /// Runs of pieces that play with one init part.
    package var formats: [ArraySlice<Piece>] { runs { $0.row.media.formatName == $1.row.media.formatName } }

    /// Runs of pieces without a gap between them, and with one init part.
    package var stretches: [ArraySlice<Piece>] {
        runs { $0.row.media.formatName == $1.row.media.formatName && !Self.isGap($0, $1) }
    }

    package static func isGap(_ piece: Piece, _ next: Piece) -> Bool {
        next.start - piece.end >= gapLength
            || piece.row.id.session == next.row.id.session && next.row.id.counter - piece.row.id.counter > 1
                && next.start - piece.end > .milliseconds(500)
    }

    /// Moves the whole time line.
    package mutating func move(by span: TimeSpan) {
        for index in pieces.indices { pieces[index].shift = pieces[index].shift + span }
    }

    private func runs(while isSame: (Piece, Piece) -> Bool) -> [ArraySlice<Piece>] {
        var found: [ArraySlice<Piece>] = []
        var start = pieces.startIndex
        for index in pieces.indices.dropFirst() where !isSame(pieces[index - 1], pieces[index]) {
            found.append(pieces[start..<index])
            start = index
        }
        if start < pieces.endIndex { found.append(pieces[start...]) }
        return found
    }

    /// A session is where its first piece was in UTC, or right after what comes before: a camera's clock that ran fast
    /// must not make time go back.
    private mutating func place(from origin: WallTime) {
        var shifts: [Int64: TimeSpan] = [:]
        var end: TimeSpan?
        for index in pieces.indices {
            let piece = pieces[index]
            let natural = (piece.start - origin) - piece.mediaStart
            var shift = shifts[piece.row.id.session] ?? natural
            if let end, piece.mediaStart + shift < end { shift = end - piece.mediaStart }
            shifts[piece.row.id.session] = shift
            pieces[index].shift = shift
            end = pieces[index].servedEnd
        }
    }
}

extension Selection {
    /// More than a fragment's border can be off by.
    private static let overlap = TimeSpan.milliseconds(100)

    /// The stretches of each row that no row of a later session covers.
    private static func visible(_ rows: [SegmentRow]) -> [(row: SegmentRow, spans: [(WallTime, WallTime)])] {
        var latestEnd = WallTime.earliest
        var overlaps = false
        for row in rows {
            overlaps = overlaps || row.start + overlap < latestEnd
            latestEnd = max(latestEnd, row.end)
        }
        // Nearly always: the clock was not set back.
        guard overlaps else { return rows.map { ($0, [($0.start, $0.end)]) } }
        return rows.map { row in
            let later = rows.filter {
                $0.id.session > row.id.session && $0.start + overlap < row.end && $0.end > row.start + overlap
            }
            return (
                row,
                later.reduce([(row.start, row.end)]) { spans, other in
                    spans.flatMap { [($0, min($1, other.start)), (max($0, other.end), $1)].filter { $0 < $1 } }
                }
            )
        }
    }

    /// Nil when nothing of the row is in the range.
    private static func piece(_ row: SegmentRow, from: WallTime, to: WallTime) -> Piece? {
        let count = row.media.fragments.count
        let starting = (0..<count).prefix { row.start(ofFragment: $0) < to }.count
        let first =
            (0..<starting).last { row.media.fragments[$0].isKey && row.start(ofFragment: $0) <= from }
            ?? (0..<starting).first { row.media.fragments[$0].isKey }
        guard let first, first < starting else { return nil }
        return Piece(row, first..<starting)
    }
}

extension MediaIndex {
    /// Equal for segments that play with one another's init part.
    package var formatName: String { format.map { String($0) } ?? codecs }
}
