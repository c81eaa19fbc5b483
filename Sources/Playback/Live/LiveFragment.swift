import Recording
import Timeline

/// One whole fragment of a segment that its worker appends to, or did a moment ago.
struct LiveFragment: Hashable, Sendable {
    /// Rises by one with each fragment of a feed.
    let sequence: Int64
    /// The segment's row, with this fragment alone: seconds of them are kept.
    let piece: Piece
    /// UTC of its first sample, and of the end of its last.
    let start: WallTime
    let end: WallTime
    /// Playback can start here.
    let isKey: Bool
    /// What came before is not continued: another session or format, or a gap.
    let isBorder: Bool

    var duration: TimeSpan { end - start }

    var row: SegmentRow { piece.row }

    /// In its segment's file.
    var bytes: Range<Int64> { piece.bytes }

    /// Plays with another's init part.
    func hasFormat(of other: LiveFragment) -> Bool { row.media.formatName == other.row.media.formatName }

    /// The fragment at `index` of a row, after `last`; `shift` is its session's.
    init(_ row: SegmentRow, _ index: Int, after last: LiveFragment?, shift: TimeSpan) {
        sequence = (last?.sequence ?? -1) + 1
        start = row.start(ofFragment: index)
        end = row.start(ofFragment: index + 1)
        isKey = row.media.fragments.indices.contains(index) && row.media.fragments[index].isKey
        var alone = row
        alone.media.mediaEnd = row.offset(ofFragment: index + 1)
        alone.media.fragments = row.media.fragments.indices.contains(index) ? [row.media.fragments[index]] : []
        piece = Piece(alone, 0..<1, shift: shift)
        isBorder =
            last.map { last in
                last.row.id.session != row.id.session || last.row.media.formatName != row.media.formatName
                    || row.start(ofFragment: index) - last.end >= Selection.gapLength
            } ?? false
    }

    /// Its bytes as they are served.
    var map: ByteMap { ByteMap([piece]) }
}
