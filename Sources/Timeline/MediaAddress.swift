package import Recording

/// Where a segment's media is served, shifted on the common time line: all that a server needs to know is in it.
///
/// `media/{session}.{counter}.{start in milliseconds}/{shift in microseconds}[.{track}].mp4`, relative to the asset. The
/// bytes there never change: a closed segment does not, and one that grows only grows. Of two boxes' segments of one number
/// the catalog keeps one under a negative session.
package struct MediaAddress: Hashable, Sendable {
    package let id: SegmentID
    /// The segment's, in milliseconds: what finds it without a look at other days.
    package let start: WallTime
    package let shift: TimeSpan
    /// The only track that is played, from 0; nil for all.
    package let track: Int?

    package init(_ piece: Piece, only track: Int? = nil) {
        self.track = track
        id = piece.row.id
        start = piece.row.start.wholeMilliseconds
        shift = piece.shift
    }

    /// The two path components behind `media`; nil for anything that `path` does not write.
    package init?(segment: some StringProtocol, file: some StringProtocol) {
        let fields = segment.split(separator: ".", omittingEmptySubsequences: false)
        guard fields.count == 3, let session = Int64(fields[0]), let counter = Int64(fields[1]),
            let milliseconds = Int64(fields[2]), file.hasSuffix(".mp4")
        else { return nil }
        let numbers = file.dropLast(4).split(separator: ".", omittingEmptySubsequences: false)
        guard let shift = numbers.first.flatMap({ Int64($0) }), numbers.count <= 2 else { return nil }
        track = numbers.count == 2 ? Int(numbers[1]) : nil
        id = SegmentID(session: session, counter: counter)
        start = WallTime(microseconds: milliseconds.multipliedSaturated(1000))
        self.shift = TimeSpan(microseconds: shift)
        guard session != 0, counter >= 0, track ?? 0 >= 0, path == "media/\(segment)/\(file)" else { return nil }
    }

    /// Relative to the asset.
    package var path: String { "media/\(place)" }

    /// Of what is made of its sound, relative to the asset.
    package var soundPath: String { "sound/\(place)" }

    private var place: String {
        let track = track.map { ".\($0)" } ?? ""
        return "\(id.session).\(id.counter).\(start.microseconds / 1000)/\(shift.microseconds)\(track).mp4"
    }
}
