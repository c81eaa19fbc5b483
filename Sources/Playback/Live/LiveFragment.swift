import NIOCore
import Recording
import Timeline

/// One whole fragment of a segment that its worker appends to, or did a moment ago.
struct LiveFragment: Hashable, Sendable {
    /// Rises by one with each fragment of a feed.
    let sequence: Int64
    /// The segment's row, with this fragment alone: seconds of them are kept.
    let piece: Piece
    /// Playback can start here.
    let isKey: Bool
    /// Served decode time where its last sample ends.
    let servedEnd: TimeSpan

    var row: SegmentRow { piece.row }

    /// Plays with another's init part.
    func hasFormat(of other: LiveFragment) -> Bool { row.media.formatName == other.row.media.formatName }

    /// The fragment at `index` of a row, after `last`; `shift` is its session's.
    init(_ row: SegmentRow, _ index: Int, after last: LiveFragment?, shift: TimeSpan) {
        sequence = (last?.sequence ?? -1) + 1
        isKey = row.media.fragments.indices.contains(index) && row.media.fragments[index].isKey
        servedEnd = row.mediaStart + (row.end(ofFragment: index) - row.start) + shift
        var alone = row
        alone.media.mediaEnd = row.offset(ofFragment: index + 1)
        alone.media.fragments = row.media.fragments.indices.contains(index) ? [row.media.fragments[index]] : []
        piece = Piece(alone, 0..<1, shift: shift)
    }

    /// Of a second at 32 Mbps; a longer one is read by each who is sent it, block by block.
    static let longestShared: Int64 = 4 << 20

    var length: Int64 { piece.bytes.length }

    /// Its init part, and its bytes, as they are served.
    var map: ByteMap { ByteMap([piece]) }
}

extension FootageReader {
    /// A fragment as it is served, without its init part.
    func whole(_ fragment: LiveFragment) async throws -> ByteBuffer {
        let map = fragment.map
        var bytes = ServedBytes(map, map.initLength..<map.length, blockSize: Int(clamping: fragment.length))
        var whole = ByteBuffer()
        while var block = try await block(&bytes, of: map) {
            // The first is nearly always all of it: then nothing is copied.
            if whole.readableBytes == 0 { whole = block } else { whole.writeBuffer(&block) }
        }
        return whole
    }
}
