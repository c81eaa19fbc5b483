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

    /// Refuses a range without footage (404), and one that no single file can hold, as its codec changes (409).
    func map(_ reader: FootageReader) async throws -> ByteMap {
        var selection = try await selection(reader)
        guard let first = selection.pieces.first else { throw Refusal.noFootage(camera.name, from, to) }
        let formats = selection.formats
        guard formats.count == 1 else { throw Refusal.codecChange(camera.name, Self.ranges(formats)) }
        // The earliest sample is at 0.
        let earliest = try await (first.row.isLocal ? reader.threads : reader.storeThreads).run {
            try first.earliestTime { try reader.archive.read(first.row, at: $0, count: $1) }
        }
        selection.move(by: .zero - earliest)
        return ByteMap(selection.pieces)
    }

    func selection(_ reader: FootageReader) async throws -> Selection {
        let rows = try await reader.rows(camera.name, from: from, to: to)
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

extension Piece {
    /// The earliest decode time, as it is served, of any track of its first fragment.
    fileprivate func earliestTime(read: (_ offset: Int64, _ count: Int) throws -> [UInt8]) throws -> TimeSpan {
        let prefix = try read(bytes.lowerBound, FragmentShift.prefix)
        guard let length = FragmentShift.headLength(prefix), case let head = try read(bytes.lowerBound, length),
            let times = FragmentShift.decodeTimes(head)
        else { throw Refusal.gone }
        let tracks = row.media.tracks
        let starts = times.compactMap { track, time in
            tracks.indices.contains(track)
                ? TimeSpan(microseconds: time.scaled(by: 1_000_000, over: tracks[track].timescale)) + shift : nil
        }
        guard let earliest = starts.min() else { throw Refusal.gone }
        return earliest
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
