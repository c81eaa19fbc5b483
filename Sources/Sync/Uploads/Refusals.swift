import Catalog
import Recording

/// Segments that the store refused without a reason that concerns all: what it takes meanwhile tells whose fault it is.
///
/// Of this process only: the next one finds out anew.
struct Refusals: Hashable, Sendable {
    enum Verdict: Hashable, Sendable {
        /// Nothing else was written since the last time, if there was one: the store may refuse all.
        case unclear
        /// Others were taken: it is this segment's.
        case own
        /// So often that it will never be taken.
        case final
    }

    private struct Segment: Hashable {
        var camera: CameraName
        var id: SegmentID
    }

    private struct Refusal: Hashable {
        var count: Int
        /// Objects that were written when it was refused last.
        var writes: Int64
    }

    /// Refusals of one segment, others being written between each and the next.
    private static let patience = 5
    /// Segments that are remembered: memory does not grow with a backlog.
    private static let most = 1000

    private var segments: [Segment: Refusal] = [:]

    /// Notes a refusal; `writes` counts the objects that this process wrote.
    mutating func note(_ row: SegmentRow, writes: Int64) -> Verdict {
        let segment = Segment(camera: row.camera, id: row.id)
        guard var refusal = segments[segment] else {
            // What went by other ways, as a worker's eviction, was not forgotten.
            if segments.count >= Self.most, let stale = segments.min(by: { $0.value.writes < $1.value.writes })?.key {
                segments[stale] = nil
            }
            segments[segment] = Refusal(count: 1, writes: writes)
            return .unclear
        }
        guard writes > refusal.writes else { return refusal.count > 1 ? .own : .unclear }
        refusal = Refusal(count: refusal.count + 1, writes: writes)
        segments[segment] = refusal
        guard refusal.count >= Self.patience else { return .own }
        forget(row)
        return .final
    }

    mutating func forget(_ row: SegmentRow) { segments[Segment(camera: row.camera, id: row.id)] = nil }

    func has(_ camera: CameraName, _ id: SegmentID) -> Bool { segments[Segment(camera: camera, id: id)] != nil }
}
