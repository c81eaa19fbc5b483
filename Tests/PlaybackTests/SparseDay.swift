import Catalog
import Foundation
import FragmentedMP4
import Glibc
import Recording
import SegmentStore
import Synchronization
import TestSupport

/// A day of a large camera, 24 GiB: 2,880 segments of 30 s in fragments of 3 s.
///
/// Their heads are real, with a mark behind each; the rest are holes.
struct SparseDay: Sendable {
    static let seconds: Int64 = 3
    private static let segments = 2880
    private static let parts = 10

    let fragments = segments * parts
    /// As it is served.
    let initPart: [UInt8]
    /// Of each on disk, and as it is served.
    let fragmentLength: Int64
    /// Of the first fragment, as it is on disk.
    private let head: [UInt8]
    /// The header of each `mdat`.
    private let mdat: [UInt8]

    init(in site: RecordedSite) async throws {
        let clip = try await EncodedClip(seconds: 1, hasSound: false)
        let camera = try RecordedSite.name("front")
        var sparse = try site.encoder(clip, camera, SegmentID(session: 1, counter: 0), RecordedSite.start)
        let samples = (0..<75).map { number in
            Sample(
                track: 0, decodeTime: Int64(number) * 3600, duration: 3600, isSync: number == 0,
                data: [UInt8](repeating: 0, count: 12_000))
        }
        let whole = sparse.fragment(samples)
        let length = FragmentShift.headLength(whole.prefix(FragmentShift.prefix)) ?? 0
        (head, mdat) = (Array(whole.prefix(length)), Array(whole[length..<length + 8]))
        (initPart, fragmentLength) = (sparse.initPart, Int64(whole.count))
        let start = sparse.initPart
        let format = try SegmentReader(length: Int64(start.count)) { Array(start.dropFirst(Int($0)).prefix($1)) }.format
        var rows: [SegmentRow] = []
        for counter in 0..<Self.segments {
            let id = SegmentID(session: 1, counter: Int64(counter))
            let start = RecordedSite.start + .seconds(Int64(counter) * 30)
            let name = SegmentFileName(start: start, id: id)
            let initPart = try site.encoder(clip, camera, id, RecordedSite.start).initPart
            try site.write(initPart, name, "front")
            let media = fill(site.path(name, "front"), from: Int64(initPart.count), counter: counter, format)
            rows.append(
                SegmentRow(
                    camera: camera, id: id, key: "plant/asset-front/\(counter).mp4", start: start,
                    duration: .seconds(30), bytes: media.mediaEnd, media: media, state: .closed, isLocal: true,
                    isRead: true))
        }
        try site.catalog.enter(rows)
    }

    /// Writes the heads of a segment's fragments, and a mark in each.
    private func fill(_ path: String, from: Int64, counter: Int, _ format: UInt32) -> MediaIndex {
        let file = open(path, O_WRONLY)
        defer { close(file) }
        var index: [MediaIndex.Fragment] = []
        for part in 0..<Self.parts {
            let number = counter * Self.parts + part
            let offset = from + Int64(part) * fragmentLength
            var bytes = served(number)
            bytes.replaceSubrange(4..<8, with: "uuid".utf8)
            _ = bytes.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, off_t(offset)) }
            index.append(.init(offset: offset, isKey: true, decodeTime: Int64(number) * Self.seconds * 90_000))
        }
        let end = from + Int64(Self.parts) * fragmentLength
        ftruncate(file, off_t(end))
        return MediaIndex(
            initLength: from, mediaEnd: end, fragments: index,
            tracks: [.init(codec: "h264", timescale: 90_000, baseDecodeTime: index[0].decodeTime)], frames: 750,
            codecs: "avc1.42c00b", format: format)
    }

    /// Bytes of the whole range as one file.
    var length: Int64 { Int64(initPart.count) + Int64(fragments) * fragmentLength }

    func offset(ofFragment number: Int) -> Int64 { Int64(initPart.count) + Int64(number) * fragmentLength }

    /// What of a fragment is no hole, as it is served: its head, the header of `mdat`, and a mark of our own.
    func served(_ number: Int) -> [UInt8] {
        var bytes = head
        _ = FragmentShift.shift(&bytes, by: [Int64(number) * Self.seconds * 90_000])
        return bytes + mdat + (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    /// What the served file has at `range`, from how it was made.
    func bytes(_ range: Range<Int64>) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(range.upperBound - range.lowerBound))
        func put(_ part: [UInt8], at offset: Int64) {
            let (from, to) = (max(offset, range.lowerBound), min(offset + Int64(part.count), range.upperBound))
            guard from < to else { return }
            bytes.replaceSubrange(
                Int(from - range.lowerBound)..<Int(to - range.lowerBound),
                with: part[Int(from - offset)..<Int(to - offset)])
        }
        put(initPart, at: 0)
        let first = max(0, (range.lowerBound - Int64(initPart.count)) / fragmentLength)
        for number in Int(first)..<fragments {
            let offset = offset(ofFragment: number)
            guard offset < range.upperBound else { break }
            put(served(number), at: offset)
        }
        return bytes
    }
}

/// Compares what comes of a served day with what must come, without holding it.
final class DayCheck: Sendable {
    struct State: Sendable {
        var position: Int64 = 0
        /// Where the block began that has the first wrong byte.
        var wrong: Int64?
    }

    private let day: SparseDay
    private let current = Mutex(State())

    init(_ day: SparseDay) { self.day = day }

    var state: State { current.withLock(\.self) }

    func take(_ more: UnsafeRawBufferPointer) {
        current.withLock { state in
            let expected = day.bytes(state.position..<state.position + Int64(more.count))
            if state.wrong == nil, let bytes = more.baseAddress, memcmp(expected, bytes, more.count) != 0 {
                state.wrong = state.position
            }
            state.position += Int64(more.count)
        }
    }
}
