/// One access unit or audio frame on its way into a fragment.
package struct Sample: Hashable, Sendable {
    /// Index into the segment's tracks.
    package var track: Int
    /// In the track's timescale, from the session's first sample; not negative.
    package var decodeTime: Int64
    package var duration: Int64
    package var compositionOffset: Int64
    package var isSync: Bool
    package var data: [UInt8]

    package init(
        track: Int, decodeTime: Int64, duration: Int64, compositionOffset: Int64 = 0, isSync: Bool, data: [UInt8]
    ) {
        self.track = track
        self.decodeTime = decodeTime
        self.duration = duration
        self.compositionOffset = compositionOffset
        self.isSync = isSync
        self.data = data
    }
}

/// Turns samples into the bytes of one segment.
///
/// A value: a caller whose write may fail encodes with a copy and keeps the copy once the bytes are on disk, so that
/// the trailer never names a fragment that was cut off.
package struct SegmentEncoder: Sendable {
    package let tracks: [Track]
    package let info: SegmentInfo
    /// `ftyp`, `moov` and the info box: the file's first bytes.
    package let initPart: [UInt8]

    private var fragments: UInt32 = 0
    private var length: Int64
    private var points: [RandomAccessPoint] = []

    /// Video first: the trailer and the reader's `frames` and `duration` are of the first track.
    ///
    /// Tracks beyond the sixteenth are left out: no reader of ours would take more.
    package init(tracks: [Track], info: SegmentInfo) {
        let tracks = Array(tracks.prefix(MovieBox.trackLimit))
        self.tracks = tracks
        self.info = info
        initPart = InitPart(tracks: tracks, info: info).bytes
        length = Int64(initPart.count)
    }

    /// The whole next fragment; empty without samples.
    ///
    /// Samples of one track are in decoding order and touch: the file keeps the first one's decode time and then
    /// durations. Samples of an unknown track are left out. The caller bounds them: a second of media is far below
    /// the format's limits (2 GiB, a million samples).
    package mutating func fragment(_ samples: [Sample]) -> [UInt8] {
        let byTrack = tracks.indices.map { index in samples.filter { $0.track == index } }
        let runs = byTrack.enumerated().compactMap { TrackFragment(track: $0, samples: $1) }
        guard !runs.isEmpty else { return [] }
        fragments += 1
        let fragment = Fragment(sequence: fragments, runs: runs)
        if let point = fragment.randomAccess(offset: length) { points.append(point) }
        let bytes = fragment.bytes(samples: byTrack)
        length += Int64(bytes.count)
        return bytes
    }

    /// The `mfra` that closes the file.
    package func trailer() -> [UInt8] { SegmentTrailer.bytes(points) }
}
