import Recording

/// What both ends of a closed segment's file tell, which is enough to play it from any key: the init part with the first
/// fragment, and the trailer.
///
/// It costs two reads, however long the segment is. Every byte is taken as hostile (I9).
package struct SegmentOutline: Sendable {
    /// A fragment that playback can start with.
    package struct Key: Hashable, Sendable {
        /// Of its checksum box, from the start of the file.
        package let offset: Int64
        /// Of its first sample in the first track.
        ///
        /// A trailer has presentation times: they are taken to be as much later as the first one's is.
        package let decodeTime: Int64
    }

    /// The init part, and the first fragment alone.
    package let start: SegmentReader
    /// End of the last fragment.
    package let mediaEnd: Int64
    /// Ascending; the first is the first fragment.
    package let keys: [Key]

    /// Nil for a file that was not closed as ours are: all of it must be read.
    ///
    /// Throws as `SegmentReader` does. The trailer is taken to be in the last `tail` bytes; a longer one is read again.
    package init?(length: Int64, tail: Int, read: SegmentReader.Read) throws {
        start = try SegmentReader(length: length, verifyChecksums: false, atMost: 1, read: read)
        guard let trailer = try SegmentTrailer.read(length: length, guess: tail, read),
            let points = SegmentTrailer.points(trailer), let first = start.fragments.first,
            let keys = Self.keys(points, first, before: length - Int64(trailer.count))
        else { return nil }
        mediaEnd = length - Int64(trailer.count)
        self.keys = keys
    }

    /// Nil unless the first fragment is the first of them, and they rise.
    private static func keys(
        _ points: [RandomAccessPoint], _ first: FragmentSummary, before end: Int64
    ) -> [Key]? {
        guard first.startsWithKey, let point = points.first, point == first.randomAccess, point.sample == 1,
            let run = first.perTrack.first, run.track == 0
        else { return nil }
        let delay = point.time.subtractingSaturated(run.baseDecodeTime)
        let keys = points.lazy.filter { $0.sample == 1 }.map { point in
            Key(
                offset: point.moofOffset - Int64(Fragment.checksumBoxSize),
                decodeTime: point.time.subtractingSaturated(delay))
        }
        let all = Array(keys)
        guard zip(all, all.dropFirst()).allSatisfy({ $0.offset < $1.offset && $0.decodeTime < $1.decodeTime }),
            first.offset + first.length <= end, all.last.map({ $0.offset < end }) ?? false
        else { return nil }
        return all
    }
}
