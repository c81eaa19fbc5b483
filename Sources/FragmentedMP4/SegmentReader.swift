import Checksums
import Recording

/// One track's part of a fragment.
package struct TrackRun: Hashable, Sendable {
    /// Index into the segment's tracks.
    package let track: Int
    package let baseDecodeTime: Int64
    package let duration: Int64
    package let samples: Int
}

/// One whole fragment as a reader found it.
package struct FragmentSummary: Hashable, Sendable {
    /// Of its checksum box, from the start of the file.
    package let offset: Int64
    /// With its checksum box.
    package let length: Int64
    /// Playback can start here: its first video sample is a sync sample, or the segment has no video.
    package let startsWithKey: Bool
    /// The first sync sample of the first track in it.
    package let randomAccess: RandomAccessPoint?
    package let perTrack: [TrackRun]
}

/// What is in a segment's bytes up to the last whole fragment, whatever follows.
///
/// The file may be growing, torn, zero-filled at its end or not ours at all: every byte is taken as hostile (I9).
package struct SegmentReader: Sendable {
    /// Reads from the segment: the bytes at an offset, fewer at the end of the file.
    package typealias Read = (_ offset: Int64, _ count: Int) throws -> [UInt8]

    package let info: SegmentInfo
    package let tracks: [Track]
    package let initLength: Int64
    /// CRC-32C of the `moov` box: segments that share it play with one another's init part.
    package let format: UInt32
    package private(set) var fragments: [FragmentSummary] = []
    /// End of the last whole fragment; `initLength` without one.
    package private(set) var mediaEnd: Int64
    /// Exactly the trailer follows the last fragment: the file was closed.
    package private(set) var isComplete = false
    /// Of all up to `mediaEnd`; nil unless each byte of that was read.
    private var whole: CRC32C?
    /// Of the trailer.
    private var last = CRC32C()

    /// Fragments of 1 s for twelve days; bounds what a hostile file makes a reader hold.
    package static let fragmentLimit = 1 << 20
    private static let chunkSize = 256 << 10

    /// Reads a segment of `length` bytes.
    ///
    /// Throws `MP4Error` when there is no whole init part of ours, never for what follows it; errors of `read` are
    /// passed on. Without `verifyChecksums` the box structure is trusted and no `mdat` is read: right for files that
    /// were closed. Of more than `limit` fragments the first are taken up.
    package init(
        length: Int64, verifyChecksums: Bool = true, atMost limit: Int = fragmentLimit, read: Read
    ) throws {
        let start = try InitPart(length: length, read: read)
        info = start.info
        tracks = start.tracks
        initLength = start.size
        format = start.format
        mediaEnd = start.size
        whole = verifyChecksums ? CRC32C(try read(0, Int(clamping: start.size))) : nil
        try extend(length: length, verifyChecksums: verifyChecksums, atMost: limit, read: read)
    }

    /// Takes up what was appended since; `length` is the file's length now.
    package mutating func extend(
        length: Int64, verifyChecksums: Bool = true, atMost limit: Int = fragmentLimit, read: Read
    ) throws {
        while fragments.count < min(limit, Self.fragmentLimit),
            let next = try fragment(length: length, verifyChecksums: verifyChecksums, read: read)
        {
            fragments.append(next.summary)
            mediaEnd += next.summary.length
            if let checksum = next.checksum { whole?.append(checksum, count: next.summary.length) } else { whole = nil }
        }
        let trailer = trailer()
        let tail = length - mediaEnd == Int64(trailer.count) ? try read(mediaEnd, trailer.count) : []
        isComplete = tail == trailer
        last = CRC32C(tail)
    }

    /// CRC-32C of the whole file, when it is complete and every checksum in it was verified: no byte was read twice.
    package var checksum: UInt32? {
        guard isComplete, var whole else { return nil }
        whole.append(last, count: Int64(trailer().count))
        return whole.value
    }

    /// The `mfra` that closes the file at `mediaEnd`: the bytes that its encoder would have written.
    package func trailer() -> [UInt8] { SegmentTrailer.bytes(fragments.compactMap(\.randomAccess)) }

    /// Samples in the first track.
    package var frames: Int { mainRuns.reduce(0) { $0 + $1.samples } }

    /// First to last tick of the first track, in its timescale.
    package var duration: Int64 {
        let runs = mainRuns
        guard let first = runs.first, let last = runs.last else { return 0 }
        return max(0, last.baseDecodeTime + last.duration - first.baseDecodeTime)
    }

    private var mainRuns: [TrackRun] {
        fragments.flatMap(\.perTrack).filter { $0.track == 0 }
    }

    /// The fragment at `mediaEnd`, with the checksum of all its bytes if they were verified; nil where no whole one is.
    private func fragment(
        length: Int64, verifyChecksums: Bool, read: Read
    ) throws -> (summary: FragmentSummary, checksum: CRC32C?)? {
        let offset = mediaEnd
        let payload = offset + Int64(Fragment.checksumBoxSize)
        guard length - offset >= Int64(FragmentHeader.size), case let head = try read(offset, FragmentHeader.size),
            let header = FragmentHeader(head), header.payloadSize <= length - payload
        else { return nil }
        // The rest of the moof, and the header of the mdat.
        let boxes = try read(payload + 8, Int(header.moofSize))
        guard boxes.count == Int(header.moofSize) else { return nil }
        let dataSize = header.payloadSize - header.moofSize - 8
        var mdat = BoxReader(boxes.suffix(8))
        guard Int64(mdat.integer(UInt32.self)) == dataSize + 8, BoxType(code: mdat.integer()) == "mdat",
            let fragment = Fragment(moof: BoxReader(boxes.dropLast(8)), dataSize: dataSize),
            fragment.sequence == UInt32(fragments.count + 1), fragment.runs.allSatisfy({ tracks.indices ~= $0.track })
        else { return nil }
        let summary = summary(fragment, offset: offset, length: Int64(Fragment.checksumBoxSize) + header.payloadSize)
        guard verifyChecksums else { return (summary, nil) }
        guard let found = try checksum(from: payload, to: payload + header.payloadSize, read: read),
            found.value == header.checksum
        else { return nil }
        var all = CRC32C(head.prefix(Fragment.checksumBoxSize))
        all.append(found, count: header.payloadSize)
        return (summary, all)
    }

    /// Nil when the file ends before `end`.
    private func checksum(from start: Int64, to end: Int64, read: Read) throws -> CRC32C? {
        var checksum = CRC32C()
        var offset = start
        while offset < end {
            let chunk = try read(offset, min(Self.chunkSize, Int(end - offset)))
            guard !chunk.isEmpty, Int64(chunk.count) <= end - offset else { return nil }
            checksum.update(chunk)
            offset += Int64(chunk.count)
        }
        return checksum
    }

    private func summary(_ fragment: Fragment, offset: Int64, length: Int64) -> FragmentSummary {
        let main = fragment.runs.first { $0.track == 0 }
        let isAudioOnly = !tracks.contains(where: \.isVideo)
        return FragmentSummary(
            offset: offset, length: length, startsWithKey: isAudioOnly || main?.entries.first?.isSync == true,
            randomAccess: fragment.randomAccess(offset: offset),
            perTrack: fragment.runs.map {
                TrackRun(
                    track: $0.track, baseDecodeTime: $0.baseDecodeTime, duration: $0.duration,
                    samples: $0.entries.count)
            })
    }
}
