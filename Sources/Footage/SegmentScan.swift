package import Catalog
package import FragmentedMP4
package import ObjectStore
package import Recording
package import SegmentStore

/// What a segment's own bytes say: the same row whether they lie in a cache or in the store (I6).
package struct SegmentScan {
    package let info: SegmentInfo
    package let start: WallTime
    package let duration: TimeSpan
    package let media: MediaIndex
    package let isComplete: Bool
    /// CRC-32C of the whole file; nil unless it is complete and every byte was checked.
    package let checksum: UInt32?
    /// Where playback can start: milliseconds from the segment's start, offset in the file.
    package let seek: [(milliseconds: Int64, offset: Int64)]

    /// More fragments than a power cut can tear.
    private static let unsynced = 8

    /// `name` is the start that the file's or object's name carries; the exact one is finer, never another.
    package init(_ reader: SegmentReader, named name: WallTime) {
        info = reader.info
        isComplete = reader.isComplete
        checksum = reader.checksum
        let timescale = max(1, reader.tracks.first?.timescale ?? 1)
        let base = reader.fragments.lazy.compactMap { $0.baseDecodeTime(track: 0) }.first ?? 0
        let exact = reader.info.anchor + TimeSpan(microseconds: base.scaled(by: 1_000_000, over: timescale))
        start = exact.wholeMilliseconds == name.wholeMilliseconds ? exact : name
        // Within the calendar, whatever a file claims (I9).
        duration = min(
            TimeSpan(microseconds: reader.duration.scaled(by: 1_000_000, over: timescale)), WallTime.latest - start)
        let tracks = reader.tracks.enumerated().map { index, track in
            MediaIndex.Track(
                codec: track.codec.rawValue, timescale: track.timescale,
                baseDecodeTime: reader.fragments.lazy.compactMap { $0.baseDecodeTime(track: index) }.first ?? 0)
        }
        let fragments = reader.fragments.map { fragment in
            MediaIndex.Fragment(
                offset: fragment.offset, isKey: fragment.startsWithKey,
                decodeTime: fragment.baseDecodeTime(track: 0) ?? fragment.perTrack.first?.baseDecodeTime ?? 0)
        }
        media = MediaIndex(
            initLength: reader.initLength, mediaEnd: reader.mediaEnd, fragments: fragments, tracks: tracks,
            frames: Int64(reader.frames), codecs: reader.tracks.map(\.codecString).joined(separator: ","),
            format: reader.format)
        seek = fragments.filter(\.isKey).map { fragment in
            (fragment.decodeTime.subtractingSaturated(base).scaled(by: 1000, over: timescale), fragment.offset)
        }
    }

    package func row(_ camera: CameraName, key: String, bytes: Int64, state: SegmentState, isLocal: Bool) -> SegmentRow
    {
        SegmentRow(
            camera: camera, id: info.id, key: key, start: start, duration: duration, bytes: bytes, media: media,
            state: state, isLocal: isLocal, isRead: true)
    }

    /// `gaps` are those on record that its session went on after, by start; its own silences are added.
    package func metadata(_ camera: CameraName, checksum: UInt32, gaps: [GapRow]) -> ObjectMetadata {
        let row = row(camera, key: "", bytes: 0, state: .closed, isLocal: true)
        let silences = gaps.completed(by: [row]).map(\.gap).filter { gap in
            gap.from >= start.startOfDay && gap.to.map { $0 <= row.end && $0 - gap.from >= Gap.least } ?? false
        }
        return ObjectMetadata(
            camera: camera, session: info.id.session, duration: duration, codecs: media.codecs,
            timescale: media.tracks.first?.timescale ?? 0, checksum: checksum, seek: seek, gaps: silences,
            day: start.startOfDay)
    }
}

extension FragmentSummary {
    fileprivate func baseDecodeTime(track: Int) -> Int64? { perTrack.first { $0.track == track }?.baseDecodeTime }
}

extension SegmentScan {
    /// Reads a local file's structure; with `checkingEveryByte` every fragment's checksum too.
    package static func local(
        _ name: SegmentFileName, in cache: CacheDirectory, checkingEveryByte: Bool
    ) throws -> (scan: SegmentScan, bytes: Int64) {
        let file = try cache.open(name)
        let length = try file.length()
        let reader = try SegmentReader(length: length, verifyChecksums: checkingEveryByte) { offset, count in
            try file.read(at: offset, count: count)
        }
        return (SegmentScan(reader, named: name.start), length)
    }

    /// What of a segment that still grows is there, or was left by a crash: up to its last whole fragment.
    package static func growing(_ name: SegmentFileName, in cache: CacheDirectory) throws -> SegmentScan {
        let file = try cache.open(name)
        return SegmentScan(try growing(file, length: try file.length()), named: name.start)
    }

    /// Only the end is read: what a worker has synced is as it wrote it, and it syncs at least every 4 s.
    static func growing(_ file: SegmentFile, length: Int64) throws -> SegmentReader {
        let read: SegmentReader.Read = { offset, count in try file.read(at: offset, count: count) }
        let whole = try SegmentReader(length: length, verifyChecksums: false, read: read)
        let synced = whole.fragments.dropLast(unsynced).last.map { $0.offset + $0.length } ?? whole.initLength
        var reader = try SegmentReader(length: synced, verifyChecksums: false, read: read)
        try reader.extend(length: length, read: read)
        return reader
    }
}
