import Catalog
import Recording

/// One camera's footage in a store: of all assets that it was recorded into, one after the other.
///
/// The others are looked for only where the camera's own does not tell all: who asks a moment of it need not wait until
/// the camera of every asset is known.
struct AssetsIndex: FootageIndex {
    private static let page = 10_000

    private let footage: StoreFootage
    private let camera: Archive.Camera
    private let own: StoreIndex

    init(_ footage: StoreFootage, _ camera: Archive.Camera) {
        (self.footage, self.camera) = (footage, camera)
        own = StoreIndex(footage, camera)
    }

    /// One of each asset, its own first.
    private func parts() throws -> [StoreIndex] {
        let others = try footage.assets(of: camera.name).filter { $0 != camera.asset }
        return [own] + others.map { StoreIndex(footage, Archive.Camera(name: camera.name, asset: $0)) }
    }

    func knownCameras() throws -> [CameraName] { [camera.name] }

    func segments(
        _ name: CameraName, from: WallTime?, to: WallTime?, after: SegmentPlace?, limit: Int
    ) throws -> [SegmentRow] {
        let rows = try own.segments(name, from: from, to: to, after: after, limit: limit)
        if try isWhole(rows, from, to, after, limit) { return rows }
        return try merged(limit, \.place) {
            try $0.segments(name, from: from, to: to, after: after, limit: limit)
        }
    }

    func extents(
        _ name: CameraName, from: WallTime?, to: WallTime?, after: SegmentPlace?, limit: Int
    ) throws -> [SegmentExtent] {
        try merged(limit, \.place) {
            try $0.extents(name, from: from, to: to, after: after, limit: limit)
        }
    }

    /// A gap that one asset leaves open ends with what another has after it; both tell of the one between them.
    func gaps(_ name: CameraName, from: WallTime?, to: WallTime?) throws -> [GapRow] {
        let parts = try parts()
        guard parts.count > 1 else { return try own.gaps(name, from: from, to: to) }
        var gaps: [WallTime: GapRow] = [:]
        for row in try parts.flatMap({ try $0.gaps(name, from: from, to: to) }) {
            let start = row.gap.from.wholeMilliseconds
            if gaps[start]?.gap.to == nil { gaps[start] = row }
        }
        return try gaps.values.map { row in
            guard row.gap.to == nil else { return row }
            var row = row
            row.gap.to = try extents(name, from: row.gap.from, to: nil, after: nil, limit: 16)
                .first { $0.place.start > row.gap.from }?.place.start
            return row
        }
        .filter { ($0.gap.to ?? .latest) > (from ?? .earliest) }
        .sorted { $0.gap.from < $1.gap.from }
    }

    func firstKnown(_ name: CameraName) throws -> WallTime? {
        try parts().compactMap { try $0.firstKnown(name) }.min()
    }

    func hasFootage(_ name: CameraName, from: WallTime, to: WallTime) throws -> Bool {
        if try own.hasFootage(name, from: from, to: to) { return true }
        return try parts().dropFirst().contains { try $0.hasFootage(name, from: from, to: to) }
    }

    func footage(_ name: CameraName) throws -> (first: WallTime, last: WallTime)? {
        let known = try parts().compactMap { try $0.footage(name) }
        guard let first = known.map(\.first).min(), let last = known.map(\.last).max() else { return nil }
        return (first, last)
    }

    func eachFootage(
        _ name: CameraName, from: WallTime, to: WallTime, _ body: (SegmentID, WallTime, WallTime) -> Void
    ) throws {
        guard try parts().count > 1 else { return try own.eachFootage(name, from: from, to: to, body) }
        var last: SegmentPlace?
        while true {
            let extents = try extents(name, from: from, to: to, after: last, limit: Self.page)
            for extent in extents where extent.state != .evicted {
                body(extent.place.id, extent.place.start, extent.end)
            }
            guard let end = extents.last?.place else { return }
            last = end
        }
    }
}

extension AssetsIndex {
    /// The first `limit` of all parts, of which each gives its own first ones.
    private func merged<Row>(
        _ limit: Int, _ place: (Row) -> SegmentPlace, _ ask: (StoreIndex) throws -> [Row]
    ) throws -> [Row] {
        let parts = try parts()
        guard parts.count > 1 else { return try ask(own) }
        let rows = try parts.flatMap(ask).sorted { left, right in
            let (left, right) = (place(left), place(right))
            return (left.start, left.id) < (right.start, right.id)
        }
        return Array(rows.prefix(limit))
    }

    /// A page of its own asset leaves no time for another: a camera is recorded into one at a time.
    private func isWhole(
        _ rows: [SegmentRow], _ from: WallTime?, _ to: WallTime?, _ after: SegmentPlace?, _ limit: Int
    ) throws -> Bool {
        guard let to, var end = try after.map({ try self.end(of: $0) }) ?? from else { return false }
        for row in rows {
            guard row.start - end < Gap.least else { return false }
            end = max(end, row.end)
        }
        return end >= to || rows.count >= limit
    }

    /// Of a segment of its own asset.
    private func end(of place: SegmentPlace) throws -> WallTime? {
        try own.extents(camera.name, from: place.start, to: place.start + .milliseconds(1), after: nil, limit: 16)
            .first { $0.place == place }?.end
    }
}
