import Footage
import FragmentedMP4
import Recording
import TestSupport
import Timeline

/// Segments of clips in memory, with the rows that a scan of them gives.
struct MadeFootage {
    private(set) var rows: [SegmentRow] = []
    private(set) var files: [String: [UInt8]] = [:]

    /// A session of a clip that begins `at` seconds after `epoch`, in segments of `length` seconds.
    mutating func add(
        _ clip: String, session: Int64, at: Double, from start: Double = 0, seconds: Double = 20, length: Double = 4
    ) async throws {
        let footage = try await ClipFootage(clip, from: start, seconds: seconds)
        let anchor = epoch + TimeSpan(seconds: at)
        let segments = try footage.segments(front, session: session, anchor: anchor, length: length)
        for (counter, segment) in segments.enumerated() {
            let key = "front/\(session).\(counter).mp4"
            let reader = try SegmentReader(length: Int64(segment.bytes.count), read: Self.reading(segment.bytes))
            let scan = SegmentScan(reader, named: segment.start)
            rows.append(
                scan.row(front, key: key, bytes: Int64(segment.bytes.count), state: .closed, isLocal: true))
            files[key] = segment.bytes
        }
    }

    func read(_ row: SegmentRow, _ offset: Int64, _ count: Int) throws -> [UInt8] {
        Self.reading(files[row.key] ?? [])(offset, count)
    }

    /// The bytes of a range of a map, read block by block.
    func bytes(_ map: ByteMap, _ range: Range<Int64>? = nil, blockSize: Int = 1 << 20) throws -> [UInt8] {
        var served = ServedBytes(map, range ?? 0..<map.length, blockSize: blockSize)
        var bytes: [UInt8] = []
        while let block = try served.next(read) { bytes += block }
        return bytes
    }

    private static func reading(_ bytes: [UInt8]) -> (Int64, Int) -> [UInt8] {
        { offset, count in
            let start = Int(clamping: offset)
            guard bytes.indices.contains(start) else { return [] }
            return Array(bytes[start..<min(bytes.count, start + count)])
        }
    }
}
