import Footage
import FragmentedMP4
import Recording
import Timeline

/// A camera's footage of a range, as it is asked for.
struct RangeSelection {
    let camera: Archive.Camera
    let from: WallTime
    let to: WallTime
    let skipsGaps: Bool

    /// Refuses what is empty or too long, and what this visitor may not see.
    func check(_ limits: ServerLimits, _ visitor: Visitor) throws {
        guard from < to, to - from <= limits.range else {
            throw Refusal.badRequest(
                "a range is longer than nothing and at most \(Int(limits.range.seconds / 86_400)) days",
                nextStep: "ask for its parts")
        }
        _ = try visitor.bounds(from: from, to: to)
    }

    /// Refuses a range without footage (404), and one that no single file can hold, as its codec changes (409).
    func map(_ reader: FootageReader) async throws -> ByteMap {
        var selection = try await selection(reader)
        guard let first = selection.pieces.first else { throw Refusal.noFootage(camera.name, from, to) }
        let formats = selection.formats
        guard formats.count == 1 else { throw Refusal.codecChange(camera.name, Self.ranges(formats)) }
        selection.startAtZero(try await reader.decodeTimes(first))
        return ByteMap(selection.pieces)
    }

    func selection(_ reader: FootageReader) async throws -> Selection {
        let rows = try await reader.rows(camera, from: from, to: to)
        let selection = Selection(rows, from: from, to: to, origin: from)
        return skipsGaps ? selection : selection.untilFirstGap
    }

    /// Ranges that select just these runs of pieces.
    static func ranges(_ formats: [ArraySlice<Piece>]) -> [Range<WallTime>] {
        formats.indices.compactMap { index in
            guard let first = formats[index].first, let last = formats[index].last else { return nil }
            let next = index + 1 < formats.count ? formats[index + 1].first?.start : nil
            let end = min(last.end, next ?? last.end)
            return first.start < end ? first.start..<end : nil
        }
    }
}

extension FootageReader {
    /// When the tracks of a piece's first fragment start, as they were recorded.
    fileprivate func decodeTimes(_ piece: Piece) async throws -> [Int: Int64] {
        try await (piece.row.isLocal ? threads : storeThreads).run {
            let head = try ServedBytes.head(of: piece.row, at: piece.bytes.lowerBound) {
                try archive.read($0, at: $1, count: $2)
            }
            guard let times = FragmentShift.decodeTimes(head) else { throw Refusal.gone }
            return times
        }
    }
}

extension Refusal {
    fileprivate static func codecChange(_ camera: CameraName, _ ranges: [Range<WallTime>]) -> Refusal {
        Refusal(
            409, "codecChange", "\(camera) changed its codec or picture format in this range: one file cannot hold it",
            nextStep: "ask for each of `ranges` by itself"
        ).with(ranges: ranges)
    }
}
