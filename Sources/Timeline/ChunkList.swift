package import Recording

/// What a player fetches at a time: fragments of one segment that start with a key.
package struct MediaChunk: Hashable, Sendable {
    package let piece: Piece
    /// It does not continue what comes before it.
    package let startsStretch: Bool
    /// It needs another init part than what comes before it.
    package let startsFormat: Bool

    /// Names it in every listing of its camera, whether its row knows all fragments or those with keys.
    var id: ID { ID(segment: piece.row.id, offset: piece.bytes.lowerBound) }

    struct ID: Hashable, Sendable {
        let segment: SegmentID
        let offset: Int64
    }
}

/// The chunks of a manifest, whatever its syntax.
package struct ChunkList: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// Nothing is added or taken away.
        case onDemand
        /// Chunks are added at its end.
        case event
        /// Chunks are added at its end and taken away at its start.
        case sliding
    }

    /// The numbers of the first chunk among all that ever were listed.
    package struct Numbers: Hashable, Sendable {
        package var chunk: Int64 = 0
        /// How often the media did not continue, up to it.
        package var stretch: Int64 = 0
        /// How often the init part changed, up to it.
        package var format: Int64 = 0
    }

    /// A chunk ends with the first key after this.
    package static let chunkLength = TimeSpan.seconds(6)

    package let kind: Kind
    package let chunks: [MediaChunk]
    /// The end of the segment that is being written, which is no chunk yet.
    package let open: MediaChunk?
    /// Nothing will be added any more.
    package let isEnded: Bool
    package let first: Numbers
    /// No chunk is longer, nor will be in a list that goes on unless a camera's keys are further apart than 2 s.
    package let longest: TimeSpan
    /// No fragment is longer.
    package let longestFragment: TimeSpan
    /// Served time where the first chunk's format began.
    package let formatStart: TimeSpan

    /// All of a selection; of one that goes on, the end of the segment that is being written is no chunk yet.
    ///
    /// One that went on and `isEnded` is still the list that it was.
    package init(_ selection: Selection, as kind: Kind, isEnded: Bool = false) {
        let all = selection.chunks(of: Self.chunkLength)
        let isEnded = isEnded || kind == .onDemand
        let isOpen = !isEnded && all.last?.piece.isGrowing ?? false
        self.init(
            kind, isOpen ? all.dropLast() : all, open: isOpen ? all.last : nil, isEnded: isEnded, first: Numbers(),
            longest: kind == .onDemand ? .zero : .seconds(8), longestFragment: .zero, formatStart: nil)
    }

    init(
        _ kind: Kind, _ chunks: [MediaChunk], open: MediaChunk?, isEnded: Bool, first: Numbers, longest: TimeSpan,
        longestFragment: TimeSpan, formatStart: TimeSpan?
    ) {
        self.kind = kind
        self.chunks = chunks
        self.open = open
        self.isEnded = isEnded
        self.first = first
        self.longest = chunks.reduce(longest) { max($0, $1.piece.duration) }
        self.longestFragment = longestFragment
        self.formatStart = formatStart ?? (chunks.first ?? open)?.piece.servedStart ?? .zero
    }

    /// Without the newest fragment while nothing follows it: sound can be encoded when what comes next is there.
    package var followed: ChunkList {
        let shorter = open.flatMap { open -> MediaChunk? in
            let (piece, fragments) = (open.piece, open.piece.fragments.dropLast())
            guard !fragments.isEmpty else { return nil }
            return MediaChunk(
                piece: Piece(piece.row, fragments, shift: piece.shift), startsStretch: open.startsStretch,
                startsFormat: open.startsFormat)
        }
        return ChunkList(
            kind, chunks, open: shorter, isEnded: isEnded, first: first, longest: longest,
            longestFragment: longestFragment, formatStart: formatStart)
    }

    /// Where the media ends that is listed.
    package var end: WallTime? { chunks.last?.piece.end }

    /// The chunk numbered `chunk`, or the fragment numbered `part` of it, from 0, is listed: a player that waits for it
    /// can be answered.
    package func holds(chunk number: Int64, part: Int64?) -> Bool {
        let next = first.chunk.addingSaturated(Int64(chunks.count))
        if number < next { return true }
        guard number == next, let part, let open else { return false }
        return part < Int64(open.piece.fragments.count)
    }
}

extension Selection {
    package func chunks(of length: TimeSpan) -> [MediaChunk] {
        var chunks: [MediaChunk] = []
        chunks.reserveCapacity(pieces.count * 5)
        var last: Piece?
        var (startsStretch, startsFormat) = (false, true)
        for piece in pieces {
            startsStretch = startsStretch || last.map { Self.isBorder($0, piece) } ?? false
            startsFormat = startsFormat || last.map { !$0.row.media.hasFormat(of: piece.row.media) } ?? false
            for part in piece.chunks(of: length) {
                chunks.append(MediaChunk(piece: part, startsStretch: startsStretch, startsFormat: startsFormat))
                (startsStretch, startsFormat) = (false, false)
            }
            last = piece
        }
        return chunks
    }
}

extension Piece {
    /// More may be appended behind it.
    var isGrowing: Bool { row.state == .recording && fragments.upperBound == row.media.fragments.count }

    /// Each of its fragments by itself.
    var parts: [Piece] { fragments.map { Piece(row, $0..<$0 + 1, shift: shift) } }
}
