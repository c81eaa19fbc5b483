package import Recording

/// What a server remembers of a camera's live time line, so that a chunk keeps its place and its number while the window
/// moves on.
///
/// Bounded: the sessions and formats of one window. When it is lost, all numbers go on with higher ones and players find
/// their place again.
package struct LiveWindow: Sendable {
    private var shifts: [Int64: TimeSpan] = [:]
    /// The numbers of the chunks that were listed last, and of the newest of them.
    private var known: [MediaChunk.ID: ChunkList.Numbers] = [:]
    private var newest: ChunkList.Numbers?
    /// Served time at which formats began, by number.
    private var formatStarts: [Int64: TimeSpan] = [:]
    private var longest = TimeSpan.seconds(8)
    private var longestFragment = TimeSpan.milliseconds(1100)

    package init() {}

    /// Lists what is between two moments; one that `isEnded` is not added to any more.
    ///
    /// The list begins with a whole chunk; served time 0 is `origin`. Rows may have been read before those of an earlier
    /// call, when two ask at once: then nothing is learnt from them.
    package mutating func list(
        _ rows: some Sequence<SegmentRow>, from: WallTime, to: WallTime,
        origin: WallTime = WallTime(microseconds: 0), isEnded: Bool = false
    ) -> ChunkList {
        let selection = Selection(rows, from: from, to: to, origin: origin, shifts: shifts)
        var all = selection.chunks(of: ChunkList.chunkLength)[...]
        if all.count > 1, let first = all.first?.piece, !first.startsOnBorder { all = all.dropFirst() }
        let open = all.last.flatMap { $0.piece.isGrowing && !isEnded ? $0 : nil }
        let chunks = Array(open == nil ? all : all.dropLast())
        let numbers = numbers(of: chunks)
        let starts = starts(of: chunks, numbers)
        if newest.map({ last in numbers.last.map { $0.chunk >= last.chunk } ?? false }) ?? true {
            shifts = selection.shifts
            formatStarts = starts
            known = Dictionary(zip(chunks.map(\.id), numbers)) { $1 }
            newest = numbers.last
        }
        longest = chunks.reduce(longest) { max($0, $1.piece.duration) }
        longestFragment = (open?.piece.parts ?? []).reduce(longestFragment) { max($0, $1.duration) }
        let first = numbers.first ?? next(open)
        return ChunkList(
            .sliding, chunks, open: open, isEnded: isEnded, first: first, longest: longest,
            longestFragment: longestFragment, formatStart: starts[first.format])
    }

    /// Each chunk's numbers: those that it has, else the ones that follow.
    private func numbers(of chunks: [MediaChunk]) -> [ChunkList.Numbers] {
        guard let first = chunks.first else { return [] }
        var numbers = next(first)
        if let place = chunks.lastIndex(where: { known[$0.id] != nil }), let found = known[chunks[place].id] {
            numbers = found
            for chunk in chunks[...place].dropFirst() { numbers.stepBack(over: chunk) }
        }
        return [numbers]
            + chunks.dropFirst().map { chunk in
                numbers.step(to: chunk)
                return numbers
            }
    }

    /// Of a chunk after all that were listed, or of the first, whether it is whole or still written.
    ///
    /// Chunks are rarer than seconds: numbers that begin with the time are no lower than those of before a restart.
    private func next(_ chunk: MediaChunk?) -> ChunkList.Numbers {
        let seconds = (chunk?.piece.start.microseconds ?? 0) / 1_000_000
        var numbers = newest?.next ?? ChunkList.Numbers(chunk: seconds, stretch: seconds, format: seconds)
        numbers.chunk = max(numbers.chunk, seconds)
        return numbers
    }

    /// Served time at which the formats of a list began.
    private func starts(of chunks: [MediaChunk], _ numbers: [ChunkList.Numbers]) -> [Int64: TimeSpan] {
        var starts: [Int64: TimeSpan] = [:]
        for (index, (chunk, numbers)) in zip(chunks, numbers).enumerated() where index == 0 || chunk.startsFormat {
            let known = index == 0 ? formatStarts[numbers.format] : nil
            starts[numbers.format] = known ?? chunk.piece.servedStart
        }
        return starts
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
