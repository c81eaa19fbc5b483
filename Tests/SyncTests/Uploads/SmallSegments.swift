import Foundation
import FragmentedMP4
import Recording
import SegmentStore

/// A worker's part: segments of any size with a real journal, as of any time.
final class SmallSegments {
    /// Of one fragment's media, at most.
    private static let piece = 1 << 20

    let camera: CameraName
    private let bytes: Int
    private let track: Track
    private let cache: CacheDirectory
    private let journal: Journal
    private(set) var session: Int64 = 0
    private var counter: Int64 = 0
    private var anchor = WallTime.earliest
    /// From the anchor to the end of what was recorded.
    private var position = TimeSpan.zero

    /// Each segment has so many `bytes` of media.
    init(cache path: String, camera: CameraName, bytes: Int) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let identity = "{\"uuid\": \"\(UUID())\", \"camera\": \"\(camera)\", \"version\": 1}\n"
        try Data(identity.utf8).write(to: URL(filePath: path + "/identity.json"))
        (self.camera, self.bytes) = (camera, bytes)
        cache = try CacheDirectory(path: path, camera: camera)
        journal = try Journal(in: cache, now: OutageBox.now)
        track = try Track(stream: StreamDescription(codec: .alaw, clockRate: 8000, channels: 1, sampleRate: 8000))
    }

    /// The next session.
    func begin(at time: WallTime) throws {
        if session > 0 {
            try journal.append(.sessionEnd(session: session, end: anchor + position, reason: .stopped), at: time)
        }
        (session, counter, anchor, position) = (session + 1, 0, time, .zero)
        try journal.append(
            .sessionStart(session: session, anchor: anchor, quality: .synchronised, codecs: "alaw"), at: time)
    }

    /// What comes next begins at `time`, or where the last one ended if that is later.
    func skip(to time: WallTime) { position = max(position, time - anchor) }

    /// Closes one segment, and returns its bytes.
    @discardableResult
    func record(lasting length: TimeSpan) throws -> Int64 {
        let (start, id) = (anchor + position, SegmentID(session: session, counter: counter))
        var encoder = SegmentEncoder(
            tracks: [track],
            info: SegmentInfo(camera: camera, id: id, anchor: anchor, quality: .synchronised, gapBefore: nil))
        let file = try SegmentAppender(
            in: cache, start: start, id: id, initPart: encoder.initPart, journal: journal, now: start)
        let noise = (0..<min(bytes, Self.piece)).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ Int(counter) &* 3) }
        let pieces = Int64((bytes + Self.piece - 1) / Self.piece)
        let ticks = length.microseconds * 8 / 1000
        for piece in 0..<pieces {
            let sample = Sample(
                track: 0, decodeTime: position.microseconds * 8 / 1000 + ticks * piece / pieces,
                duration: ticks * (piece + 1) / pieces - ticks * piece / pieces, compositionOffset: 0, isSync: true,
                data: Array(noise.prefix(bytes - Int(piece) * Self.piece)))
            try file.append(encoder.fragment([sample]))
        }
        let trailer = encoder.trailer()
        _ = try file.close(trailer: trailer)
        let written = file.length + Int64(trailer.count)
        try journal.append(.segmentClosed(id, start: start, duration: length, bytes: written), at: start + length)
        counter += 1
        position = position + length
        return written
    }
}
