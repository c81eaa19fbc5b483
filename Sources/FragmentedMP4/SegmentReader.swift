/// One track's part of a fragment.
package struct TrackRun: Hashable, Sendable {
    /// Index into the segment's tracks.
    package var track: Int
    package var baseDecodeTime: Int64
    package var duration: Int64
    package var samples: Int
}

/// Where decoding can start in the segment's first track.
package struct RandomAccessPoint: Hashable, Sendable {
    /// Presentation time in the track's timescale.
    package var time: Int64
    /// Of the `moof`, from the start of the file.
    package var moofOffset: Int64
    /// Position in its run, from 1.
    package var sample: Int
}

/// One whole fragment as a reader found it.
package struct FragmentSummary: Hashable, Sendable {
    /// Of its checksum box, from the start of the file.
    package var offset: Int64
    /// With its checksum box.
    package var length: Int64
    /// Playback can start here: its first video sample is a sync sample, or the segment has no video.
    package var startsWithKey: Bool
    /// The first sync sample of the first track in it.
    package var randomAccess: RandomAccessPoint?
    package var perTrack: [TrackRun]
}

/// What is in a segment's bytes up to the last whole fragment, whatever follows.
package struct SegmentReader: Sendable {
    package let info: SegmentInfo
    package let tracks: [Track]
    package let initLength: Int64
    package private(set) var fragments: [FragmentSummary] = []
    /// End of the last whole fragment; `initLength` without one.
    package private(set) var mediaEnd: Int64
    /// Exactly the trailer follows the last fragment: the file was closed.
    package private(set) var isComplete = false

    /// Reads a segment of `length` bytes; the file may be growing.
    ///
    /// `read` answers with the bytes at an offset, fewer at the end of the file; its errors are passed on. Throws
    /// `MP4Error` when there is no whole init part of ours, never for what follows it. Without `verifyChecksums` the
    /// box structure is trusted and no `mdat` is read: right for files that were closed.
    package init(
        length: Int64, verifyChecksums: Bool = true, read: (_ offset: Int64, _ count: Int) throws -> [UInt8]
    ) throws {
        throw MP4Error("read", "segment", nextStep: "")
    }

    /// Takes up what was appended since; `length` is the file's length now.
    package mutating func extend(
        length: Int64, verifyChecksums: Bool = true, read: (_ offset: Int64, _ count: Int) throws -> [UInt8]
    ) throws {
    }

    /// The `mfra` that closes the file at `mediaEnd`: the bytes that its encoder would have written.
    package func trailer() -> [UInt8] {
        []
    }

    /// Samples in the first track.
    package var frames: Int { 0 }

    /// First to last tick of the first track, in its timescale.
    package var duration: Int64 { 0 }
}
