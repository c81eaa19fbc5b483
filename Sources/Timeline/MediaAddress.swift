package import Recording

/// Where a segment's media is served, shifted on the common time line: all that a server needs to know is in it.
///
/// `media/{session}.{counter}.{start in milliseconds}/{shift in microseconds}.mp4`, relative to the asset. The bytes
/// there never change: a closed segment does not, and one that grows only grows.
package struct MediaAddress: Hashable, Sendable {
    package let id: SegmentID
    /// The segment's, in milliseconds: what finds it without a look at other days.
    package let start: WallTime
    package let shift: TimeSpan

    package init(_ piece: Piece) {
        id = piece.row.id
        start = piece.row.start.wholeMilliseconds
        shift = piece.shift
    }

    /// The two path components behind `media`; nil for anything that `path` does not write.
    package init?(segment: some StringProtocol, file: some StringProtocol) {
        let fields = segment.split(separator: ".", omittingEmptySubsequences: false)
        guard fields.count == 3, let session = Int64(fields[0]), let counter = Int64(fields[1]),
            let milliseconds = Int64(fields[2]), file.hasSuffix(".mp4"), let shift = Int64(file.dropLast(4))
        else { return nil }
        id = SegmentID(session: session, counter: counter)
        start = WallTime(microseconds: milliseconds.multipliedSaturated(1000))
        self.shift = TimeSpan(microseconds: shift)
        guard session > 0, counter >= 0, path == "media/\(segment)/\(file)" else { return nil }
    }

    /// Relative to the asset.
    package var path: String {
        "media/\(id.session).\(id.counter).\(start.microseconds / 1000)/\(shift.microseconds).mp4"
    }
}
