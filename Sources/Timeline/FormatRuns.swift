package import Recording

/// The stretches of a selection that play with one init part, each as a range that selects just them, as pieces come.
package struct FormatRuns: Sendable {
    /// A range that holds more changes is no camera's.
    package static let limit = 1000

    private var done: [Range<WallTime>] = []
    private var open: (media: MediaIndex, start: WallTime, end: WallTime)?

    package init() {}

    package var count: Int { done.count + (open == nil ? 0 : 1) }

    package var ranges: [Range<WallTime>] {
        guard let open, open.start < open.end else { return done }
        return done + [open.start..<open.end]
    }

    /// Pieces come in order.
    package mutating func add(_ piece: Piece) {
        guard let known = open, known.media.hasFormat(of: piece.row.media) else {
            if let known = open {
                let end = min(known.end, piece.start)
                if known.start < end { done.append(known.start..<end) }
            }
            var media = piece.row.media
            media.fragments = []
            return open = (media, piece.start, piece.end)
        }
        open?.end = piece.end
    }
}
