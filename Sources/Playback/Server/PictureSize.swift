import Footage
import FragmentedMP4
import Recording
import Timeline

extension FootageReader {
    /// Width and height of the newest picture of a list, in pixels; nil without one, and while its bytes cannot be had.
    func pictureSize(of list: ChunkList) async -> (width: Int, height: Int)? {
        guard let row = (list.open ?? list.chunks.last)?.piece.row else { return nil }
        // A playlist plays without it, and who asks for the media is told what is wrong.
        let tracks = try? await (row.isLocal ? threads : storeThreads).run {
            try SegmentReader(length: row.media.initLength, verifyChecksums: false) { offset, count in
                try archive.read(row, at: offset, count: count)
            }.tracks
        }
        return tracks?.first { $0.width > 0 }.map { ($0.width, $0.height) }
    }
}
