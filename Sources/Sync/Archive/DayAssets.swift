import Catalog
import ObjectStore
import Recording

/// The assets that a camera's day is in, each of which has a summary of its own.
///
/// What belongs to no segment, such as the gaps between activations of a signal gate, is told by the one that is not an
/// activation's, if need be by that of the camera.
struct DayAssets {
    /// Those with segments, by name.
    let segments: [String]
    /// Of all else.
    let rest: String

    private let work: Workspace
    private let camera: CameraName

    init(_ work: Workspace, _ camera: CameraName, of day: WallTime) throws {
        (self.work, self.camera) = (work, camera)
        segments = try work.catalog.folders(camera, of: day).compactMap { folder in
            folder.split(separator: "/").dropFirst().first.map { String($0) }
        }
        rest = try segments.first { !ActivationAsset.isNamed($0) } ?? work.policy(camera).asset
    }

    var all: [String] { segments.contains(rest) ? segments : segments + [rest] }

    func asset(of row: SegmentRow) -> String { ObjectKey(row.key)?.asset ?? rest }

    /// In the store, as the catalog names them.
    func folders(of asset: String) -> Set<String> {
        asset == rest ? ["\(work.settings.site)/\(asset)/", ""] : ["\(work.settings.site)/\(asset)/"]
    }

    /// A silence within an activation is its asset's.
    func asset(of row: GapRow) throws -> String {
        guard all.count > 1, let key = try work.catalog.key(camera, ofSession: row.session, after: row.gap.from),
            let asset = ObjectKey(key)?.asset, ActivationAsset.isNamed(asset), segments.contains(asset)
        else { return rest }
        return asset
    }
}
