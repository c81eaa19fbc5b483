import Catalog
import ObjectStore
import Recording

/// What a store alone tells of a site's footage.
final class StoreIndex: FootageIndex {
    private let site: SiteName
    private let store: any ObjectStore
    private let now: @Sendable () -> WallTime

    init(site: SiteName, store: any ObjectStore, now: @escaping @Sendable () -> WallTime) {
        (self.site, self.store, self.now) = (site, store, now)
    }

    func cameras() throws -> [Archive.Camera] {
        try store.folders(in: site.text).compactMap { asset in
            CameraName(asset).map { Archive.Camera(name: $0, asset: asset) }
        }
    }

    func knownCameras() throws -> [CameraName] { try cameras().map(\.name) }

    func segments(
        _ camera: CameraName, from: WallTime?, to: WallTime?, after: SegmentPlace?, limit: Int
    ) throws -> [SegmentRow] { [] }

    func extents(
        _ camera: CameraName, from: WallTime?, to: WallTime?, after: SegmentPlace?, limit: Int
    ) throws -> [SegmentExtent] { [] }

    func gaps(_ camera: CameraName, from: WallTime?, to: WallTime?) throws -> [GapRow] { [] }

    func firstKnown(_ camera: CameraName) throws -> WallTime? { nil }

    func hasFootage(_ camera: CameraName, from: WallTime, to: WallTime) throws -> Bool { false }

    func footage(_ camera: CameraName) throws -> (first: WallTime, last: WallTime)? { nil }

    func eachFootage(
        _ camera: CameraName, from: WallTime, to: WallTime, _ body: (SegmentID, WallTime, WallTime) -> Void
    ) throws {}
}
