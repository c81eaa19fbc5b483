import Catalog
import Recording

/// What an index tells of one activation's asset, which is a part of its camera's time.
struct AssetPart: FootageIndex {
    private static let page = 1000

    private let all: any FootageIndex
    /// Those that were recorded into it.
    private let sessions: Set<Int64>
    /// The starts of its first and last segment; nil when nobody tells.
    private let bounds: (first: WallTime, last: WallTime)?

    init(_ all: any FootageIndex, sessions: Set<Int64>, bounds: (first: WallTime, last: WallTime)?) {
        (self.all, self.sessions, self.bounds) = (all, sessions, bounds)
    }

    func knownCameras() throws -> [CameraName] { try all.knownCameras() }

    func segments(
        _ camera: CameraName, from: WallTime?, to: WallTime?, after: SegmentPlace?, limit: Int
    ) throws -> [SegmentRow] {
        try page(from, to, after, \.place) { try all.segments(camera, from: $0, to: $1, after: $2, limit: limit) }
    }

    func extents(
        _ camera: CameraName, from: WallTime?, to: WallTime?, after: SegmentPlace?, limit: Int
    ) throws -> [SegmentExtent] {
        try page(from, to, after, \.place) { try all.extents(camera, from: $0, to: $1, after: $2, limit: limit) }
    }

    /// Those between its first and its last segment.
    func gaps(_ camera: CameraName, from: WallTime?, to: WallTime?) throws -> [GapRow] {
        guard let (first, last) = try footage(camera) else { return [] }
        return try all.gaps(camera, from: max(from ?? .earliest, first), to: min(to ?? .latest, last))
    }

    func firstKnown(_ camera: CameraName) throws -> WallTime? {
        try extents(camera, from: nil, to: nil, after: nil, limit: Self.page).first?.place.start
    }

    func hasFootage(_ camera: CameraName, from: WallTime, to: WallTime) throws -> Bool {
        var isThere = false
        try each(camera, from, to) { _ in isThere = true }
        return isThere
    }

    func footage(_ camera: CameraName) throws -> (first: WallTime, last: WallTime)? {
        var ends: (first: WallTime, last: WallTime)?
        try each(camera, nil, nil) { extent in
            ends = (ends?.first ?? extent.place.start, max(ends?.last ?? extent.end, extent.end))
        }
        return ends
    }

    func eachFootage(
        _ camera: CameraName, from: WallTime, to: WallTime, _ body: (SegmentID, WallTime, WallTime) -> Void
    ) throws {
        try each(camera, from, to) { body($0.place.id, $0.place.start, $0.end) }
    }

    private func each(
        _ camera: CameraName, _ from: WallTime?, _ to: WallTime?, _ body: (SegmentExtent) -> Void
    ) throws {
        var last: SegmentPlace?
        while true {
            let extents = try extents(camera, from: from, to: to, after: last, limit: Self.page)
            for extent in extents where extent.state != .evicted { body(extent) }
            guard let end = extents.last?.place else { return }
            last = end
        }
    }

    /// The next of all that are its own; none only when none follow.
    private func page<Row>(
        _ from: WallTime?, _ to: WallTime?, _ after: SegmentPlace?, _ place: (Row) -> SegmentPlace,
        _ ask: (WallTime?, WallTime?, SegmentPlace?) throws -> [Row]
    ) throws -> [Row] {
        let from = bounds.map { max(from ?? .earliest, $0.first) } ?? from
        let to = bounds.map { min(to ?? .latest, $0.last + TimeSpan(microseconds: 1)) } ?? to
        if let from, let to, from >= to { return [] }
        var last = after
        while !sessions.isEmpty {
            let rows = try ask(from, to, last)
            let own = rows.filter { sessions.contains(place($0).id.session) }
            guard own.isEmpty, let end = rows.last.map(place) else { return own }
            last = end
        }
        return []
    }
}
