package import Recording

/// What of a camera's segments is played for a range of time, in order, on one rising time line.
///
/// A range starts with the last key at or before its start, and ends with the fragment that holds its end. Where
/// sessions overlap, as after a backward step of the clock, the later session is played. Gaps are jumps.
package struct Selection: Hashable, Sendable {
    package let from: WallTime
    package let to: WallTime
    package private(set) var pieces: [Piece]
    /// The shift of each session in it, for one that takes up where this one is.
    package private(set) var shifts: [Int64: TimeSpan] = [:]

    /// `rows` overlap the range, in any order; those that cannot be played are passed over.
    ///
    /// Decode time 0 is `origin`, but for sessions whose shift is known.
    package init(
        _ rows: some Sequence<SegmentRow>, from: WallTime, to: WallTime, origin: WallTime,
        shifts: [Int64: TimeSpan] = [:]
    ) {
        self.from = from
        self.to = to
        var running = RunningSelection(from: from, to: to, origin: origin, shifts: shifts)
        pieces = running.pieces(of: rows.sorted { ($0.start, $0.id) < ($1.start, $1.id) })
        self.shifts = running.shifts
    }

    /// The same, as far as it plays without a gap.
    package var untilFirstGap: Selection {
        var copy = self
        let next = zip(pieces, pieces.dropFirst()).enumerated().first { Self.isGap($1.0, $1.1) }?.offset
        if let next { copy.pieces = Array(pieces.prefix(next + 1)) }
        return copy
    }

    /// Runs of pieces that play with one init part.
    package var formats: [ArraySlice<Piece>] { runs { $0.row.media.hasFormat(of: $1.row.media) } }

    /// Runs of pieces without a gap between them, and with one init part.
    package var stretches: [ArraySlice<Piece>] { runs { !Self.isBorder($0, $1) } }

    package static func isGap(_ piece: Piece, _ next: Piece) -> Bool {
        Gap.isBetween(piece.end, of: piece.row.id, next.start, of: next.row.id)
    }

    /// A player must be told that what follows is not the continuation.
    static func isBorder(_ piece: Piece, _ next: Piece) -> Bool {
        !piece.row.media.hasFormat(of: next.row.media) || isGap(piece, next)
    }

    /// Moves the whole time line.
    package mutating func move(by span: TimeSpan) {
        for index in pieces.indices { pieces[index].shift = pieces[index].shift + span }
        shifts = shifts.mapValues { $0 + span }
    }

    /// Moves the time line so that the first of its tracks starts at 0; `times` are the decode times of the first
    /// fragment's tracks, in their ticks (`FragmentShift.decodeTimes`).
    package mutating func startAtZero(_ times: [Int: Int64]) {
        guard let way = pieces.first?.wayToZero(times) else { return }
        move(by: way)
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
}

extension VisibleTime {
    /// Nil when nothing of it is in the range.
    ///
    /// Where a later session recorded over the segment, only whole fragments outside of that are played.
    func piece(from: WallTime, to: WallTime) -> Piece? {
        guard start < to, end > from else { return nil }
        let fragments = row.media.fragments
        let lower = isCutAtStart ? row.firstFragment(from: start) : 0
        var upper = row.firstFragment(from: to)
        if isCutAtEnd {
            // The last one that starts before the cut does not end before it.
            let cut = row.firstFragment(from: end)
            upper = min(upper, row.start(ofFragment: cut) > end ? cut - 1 : cut)
        }
        guard lower < upper else { return nil }
        let after = row.firstFragment(from: from)
        let atFrom = after < fragments.count && row.start(ofFragment: after) == from ? after : after - 1
        let before = atFrom >= lower ? fragments[lower...min(atFrom, upper - 1)].lastIndex(where: \.isKey) : nil
        guard let first = before ?? fragments[lower..<upper].firstIndex(where: \.isKey) else { return nil }
        return Piece(row, first..<upper)
    }
}
