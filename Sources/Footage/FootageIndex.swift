package import Catalog
package import Recording

/// Where the rows about footage come from: the catalog, a cache without one, or a store.
///
/// Every call blocks. Ranges are `from ..< to`, nil bounds are open; rows overlap the range, and come by place.
package protocol FootageIndex: Sendable {
    /// Every camera that anything is known of.
    func knownCameras() throws -> [CameraName]

    /// At most `limit` rows, after `after`.
    func segments(
        _ camera: CameraName, from: WallTime?, to: WallTime?, after: SegmentPlace?, limit: Int
    ) throws -> [SegmentRow]

    /// As `segments`, of what coverage asks.
    func extents(
        _ camera: CameraName, from: WallTime?, to: WallTime?, after: SegmentPlace?, limit: Int
    ) throws -> [SegmentExtent]

    func gaps(_ camera: CameraName, from: WallTime?, to: WallTime?) throws -> [GapRow]

    /// The first moment that anything is known of.
    func firstKnown(_ camera: CameraName) throws -> WallTime?

    /// Whether there is footage in a range.
    func hasFootage(_ camera: CameraName, from: WallTime, to: WallTime) throws -> Bool

    /// The first and the last moment of what there is footage of; nil when there is none.
    func footage(_ camera: CameraName) throws -> (first: WallTime, last: WallTime)?

    /// Calls `body` with the id, start and end of each segment of a range that there is footage of, by start.
    func eachFootage(
        _ camera: CameraName, from: WallTime, to: WallTime, _ body: (SegmentID, WallTime, WallTime) -> Void
    ) throws
}

extension Catalog: FootageIndex {}
