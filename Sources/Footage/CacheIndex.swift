import Catalog
import Recording

/// One camera's cache as of a moment: its closed segments, and what its journal tells of gaps and losses.
struct CacheIndex: FootageIndex {
    /// As far as a segment reaches.
    private static let lookBack = TimeSpan.seconds(4 * 3600)

    private let camera: CameraName
    /// By place.
    private let rows: [SegmentRow]
    /// By place: those and what was given up.
    private let known: [SegmentExtent]
    private let gaps: [GapRow]

    /// Rows may come in any order.
    init(_ camera: CameraName, rows: [SegmentRow] = [], losses: [SegmentExtent] = [], gaps: [GapRow] = []) {
        self.camera = camera
        self.rows = rows.sorted { ($0.start, $0.id) < ($1.start, $1.id) }
        known = (losses + rows.map { SegmentExtent(place: $0.place, duration: $0.duration, state: $0.state) })
            .sorted { ($0.place.start, $0.place.id) < ($1.place.start, $1.place.id) }
        self.gaps = gaps.sorted { $0.gap.from < $1.gap.from }
    }

    func knownCameras() throws -> [CameraName] { [camera] }

    func segments(
        _ name: CameraName, from: WallTime?, to: WallTime?, after: SegmentPlace?, limit: Int
    ) throws -> [SegmentRow] {
        Array(overlapping(rows, \.place, \.end, from, to, after).prefix(limit))
    }

    func extents(
        _ name: CameraName, from: WallTime?, to: WallTime?, after: SegmentPlace?, limit: Int
    ) throws -> [SegmentExtent] {
        Array(overlapping(known, \.place, \.end, from, to, after).prefix(limit))
    }

    func gaps(_ name: CameraName, from: WallTime?, to: WallTime?) throws -> [GapRow] {
        gaps.filter { $0.gap.from < (to ?? .latest) && ($0.gap.to ?? .latest) > (from ?? .earliest) }
    }

    func firstKnown(_ name: CameraName) throws -> WallTime? {
        [known.first?.place.start, gaps.first?.gap.from].compactMap(\.self).min()
    }

    func hasFootage(_ name: CameraName, from: WallTime, to: WallTime) throws -> Bool {
        overlapping(rows, \.place, \.end, from, to, nil).first { _ in true } != nil
    }

    func footage(_ name: CameraName) throws -> (first: WallTime, last: WallTime)? {
        guard let first = rows.first?.start, let last = rows.map(\.end).max() else { return nil }
        return (first, last)
    }

    func eachFootage(
        _ name: CameraName, from: WallTime, to: WallTime, _ body: (SegmentID, WallTime, WallTime) -> Void
    ) throws {
        for row in overlapping(rows, \.place, \.end, from, to, nil) { body(row.id, row.start, row.end) }
    }

    /// `all` come by place.
    private func overlapping<Element>(
        _ all: [Element], _ place: (Element) -> SegmentPlace, _ end: @escaping (Element) -> WallTime, _ from: WallTime?,
        _ to: WallTime?, _ after: SegmentPlace?
    ) -> some Sequence<Element> {
        let first =
            after
            ?? SegmentPlace(
                start: (from ?? .earliest) - Self.lookBack, id: SegmentID(session: .min, counter: .min))
        var (low, high) = (0, all.count)
        while low < high {
            let middle = low + (high - low) / 2
            let at = place(all[middle])
            if (first.start, first.id) < (at.start, at.id) { high = middle } else { low = middle + 1 }
        }
        var (stop, beyond) = (low, all.count)
        while stop < beyond {
            let middle = stop + (beyond - stop) / 2
            if place(all[middle]).start < (to ?? .latest) { stop = middle + 1 } else { beyond = middle }
        }
        return all[low..<stop].lazy.filter { end($0) > (from ?? .earliest) }
    }
}
