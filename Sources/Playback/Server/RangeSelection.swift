import Footage
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
    func file(_ reader: FootageReader) async throws -> FootageFile {
        let key = RecentFiles.Key(camera: camera.name, from: from, to: to, skipsGaps: skipsGaps)
        if let known = reader.files[key] { return known }
        let scan = try await RangeScan.of(self, reader)
        guard scan.formats.count == 1 else { throw Refusal.codecChange(camera.name, scan.ranges) }
        if scan.isClosed, scan.layout.weight < 1 << 20 { reader.files.remember(scan.file, key) }
        return scan.file
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
