import Catalog
import Recording

/// A cache, and before its first segment the store: what is known of a box whose catalog cannot be read.
///
/// The store is asked for no footage that the cache holds. While it is away the cache answers by itself (`UnknownPast`).
struct JoinedIndex: FootageIndex {
    let cache: any FootageIndex
    let store: any FootageIndex

    func knownCameras() throws -> [CameraName] { try cache.knownCameras() }

    func segments(
        _ camera: CameraName, from: WallTime?, to: WallTime?, after: SegmentPlace?, limit: Int
    ) throws -> [SegmentRow] {
        try page(camera, from, to, after) { index, to, after in
            try index.segments(camera, from: from, to: to, after: after, limit: limit)
        }
    }

    func extents(
        _ camera: CameraName, from: WallTime?, to: WallTime?, after: SegmentPlace?, limit: Int
    ) throws -> [SegmentExtent] {
        try page(camera, from, to, after) { index, to, after in
            try index.extents(camera, from: from, to: to, after: after, limit: limit)
        }
    }

    func gaps(_ camera: CameraName, from: WallTime?, to: WallTime?) throws -> [GapRow] {
        let seam = try seam(camera)
        let known = try cache.gaps(camera, from: from, to: to)
        guard reaches(from, nil, seam), let first = try cache.firstKnown(camera) else { return known }
        // What the journal still tells it tells better.
        let told = try store.gaps(camera, from: from, to: min(to ?? .latest, seam)).filter { $0.gap.from < first }
        return told + known
    }

    func firstKnown(_ camera: CameraName) throws -> WallTime? {
        [try cache.firstKnown(camera), try store.firstKnown(camera)].compactMap(\.self).min()
    }

    func hasFootage(_ camera: CameraName, from: WallTime, to: WallTime) throws -> Bool {
        if try cache.hasFootage(camera, from: from, to: to) { return true }
        let seam = try seam(camera)
        return try reaches(from, nil, seam) && store.hasFootage(camera, from: from, to: min(to, seam))
    }

    func footage(_ camera: CameraName) throws -> (first: WallTime, last: WallTime)? {
        let known = [try store.footage(camera), try cache.footage(camera)].compactMap(\.self)
        guard let first = known.map(\.first).min(), let last = known.map(\.last).max() else { return nil }
        return (first, last)
    }

    func eachFootage(
        _ camera: CameraName, from: WallTime, to: WallTime, _ body: (SegmentID, WallTime, WallTime) -> Void
    ) throws {
        let seam = try seam(camera)
        if reaches(from, nil, seam) { try store.eachFootage(camera, from: from, to: min(to, seam), body) }
        try cache.eachFootage(camera, from: from, to: to, body)
    }

    /// A page of the store as long as there is one before the seam, then of the cache.
    private func page<Row>(
        _ camera: CameraName, _ from: WallTime?, _ to: WallTime?, _ after: SegmentPlace?,
        _ ask: (_ index: any FootageIndex, _ to: WallTime?, _ after: SegmentPlace?) throws -> [Row]
    ) throws -> [Row] {
        let seam = try seam(camera)
        if reaches(from, after, seam) {
            let found = try ask(store, min(to ?? .latest, seam), after)
            if !found.isEmpty { return found }
        }
        return try ask(cache, to, behind(seam, after))
    }

    /// What begins before is the store's.
    private func seam(_ camera: CameraName) throws -> WallTime { try cache.footage(camera)?.first ?? .latest }

    private func reaches(_ from: WallTime?, _ after: SegmentPlace?, _ seam: WallTime) -> Bool {
        max(from ?? .earliest, after?.start ?? .earliest) < seam
    }

    /// Where a page of the cache goes on that a page of the store came before.
    private func behind(_ seam: WallTime, _ after: SegmentPlace?) -> SegmentPlace? {
        after.flatMap { $0.start < seam ? nil : $0 }
    }
}
