package import Recording

/// What a server remembers of a camera's live time line, so that a chunk keeps its place and its number while the window
/// moves on.
///
/// Bounded: the sessions and formats of one window. When it is lost, numbers go on with higher ones and players find
/// their place again.
package struct LiveWindow: Sendable {
    private var shifts: [Int64: TimeSpan] = [:]
    /// The last chunk that was listed, with its numbers.
    private var last: (id: MediaChunk.ID, numbers: ChunkList.Numbers)?
    /// Served time at which formats began, by number.
    private var formatStarts: [Int64: TimeSpan] = [:]
    private var longest = TimeSpan.seconds(8)
    private var longestFragment = TimeSpan.milliseconds(1100)

    package init() {}

    /// Lists what is between two moments.
    ///
    /// The list begins with a whole chunk; served time 0 is `origin`.
    package mutating func list(
        _ rows: some Sequence<SegmentRow>, from: WallTime, to: WallTime,
        origin: WallTime = WallTime(microseconds: 0)
    ) -> ChunkList {
        let selection = Selection(rows, from: from, to: to, origin: origin, shifts: shifts)
        shifts = selection.shifts
        var all = selection.chunks(of: ChunkList.chunkLength)[...]
        if all.count > 1, let first = all.first?.piece, !first.startsOnBorder { all = all.dropFirst() }
        let open = all.last.flatMap { $0.piece.isGrowing ? $0 : nil }
        let chunks = Array(open == nil ? all : all.dropLast())
        let first = number(chunks)
        longest = chunks.reduce(longest) { max($0, $1.piece.duration) }
        longestFragment = (open?.piece.parts ?? []).reduce(longestFragment) { max($0, $1.duration) }
        return ChunkList(
            .sliding, chunks, open: open, first: first, longest: longest, longestFragment: longestFragment,
            formatStart: formatStarts[first.format])
    }

    /// The numbers of the first of `chunks`.
    private mutating func number(_ chunks: [MediaChunk]) -> ChunkList.Numbers {
        guard let first = chunks.first else { return last?.numbers.next ?? ChunkList.Numbers() }
        var numbers = ChunkList.Numbers(chunk: max(0, first.piece.start.microseconds / 1_000_000))
        if let last {
            if let place = chunks.lastIndex(where: { $0.id == last.id }) {
                numbers = last.numbers
                for chunk in chunks[...place].dropFirst() { numbers.stepBack(over: chunk) }
            } else {
                numbers = last.numbers.next
                numbers.chunk = max(numbers.chunk, first.piece.start.microseconds / 1_000_000)
            }
        }
        var current = numbers
        var starts = [numbers.format: formatStarts[numbers.format] ?? first.piece.servedStart]
        for chunk in chunks.dropFirst() {
            current.step(to: chunk)
            if chunk.startsFormat { starts[current.format] = chunk.piece.servedStart }
        }
        formatStarts = starts
        if let end = chunks.last { last = (end.id, current) }
        return numbers
    }
}

extension ChunkList.Numbers {
    /// Of a chunk after all that were listed.
    fileprivate var next: Self {
        var copy = self
        (copy.chunk, copy.stretch, copy.format) = (chunk + 1, stretch + 1, format + 1)
        return copy
    }

    fileprivate mutating func step(to chunk: MediaChunk) {
        self.chunk += 1
        if chunk.startsStretch { stretch += 1 }
        if chunk.startsFormat { format += 1 }
    }

    fileprivate mutating func stepBack(over chunk: MediaChunk) {
        self.chunk -= 1
        if chunk.startsStretch { stretch -= 1 }
        if chunk.startsFormat { format -= 1 }
    }
}

extension Piece {
    /// It begins where a chunk does, wherever a window begins.
    fileprivate var startsOnBorder: Bool {
        fragments.lowerBound == 0 || row.cuts(ChunkList.chunkLength).contains(fragments.lowerBound)
    }
}
