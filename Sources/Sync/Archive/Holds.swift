import Catalog
import Foundation
import ObjectStore
import Recording
import SegmentStore

/// The legal holds of one camera: in the store the word of law, in the catalog for every delete to look at, in the cache
/// for its worker and for a catalog that is begun anew.
struct Holds {
    /// As the store keeps it, in `<site>/<asset>/holds/<id>.json`.
    ///
    /// Times are RFC 3339.
    struct Document: Codable {
        var id: String
        var camera: String
        var from: String
        var to: String
        var reason: String
        var created: String
    }

    let work: Workspace
    /// Nil for whichever a hold names.
    let camera: CameraName?

    /// Makes the catalog know what the store holds now; to be called before anything of the camera is deleted.
    ///
    /// A hold is read once: none ever changes. One that cannot be read throws, for it may be about anything.
    func refresh() throws {
        guard let camera else { return }
        let known = try work.catalog.holds(camera)
        let assets = Set(known.map(\.asset) + [try work.policy(camera).asset])
        var found: Set<String> = []
        for asset in assets where ObjectKey.isSafe(asset) {
            for key in try work.store.documents(in: "\(work.settings.site)/\(asset)/holds") {
                guard case .hold(let asset, let id) = key.kind else { continue }
                found.insert(id)
                if !known.contains(where: { $0.id == id }) { try enter(key, asset) }
            }
        }
        // A store that went away has none.
        if work.store.canVanish { try StoreIdentity(work: work).prepare() }
        for hold in known where !found.contains(hold.id) { try work.catalog.removeHold(hold.id) }
        try publish()
    }

    /// Enters a hold that is in the store.
    func enter(_ key: DocumentKey, _ asset: String) throws {
        guard let document = try work.store.document(key) else { return }  // Removed a moment ago.
        guard let read = try? JSONDecoder().decode(Document.self, from: Data(document.bytes)),  // Damaged: told below.
            let hold = HoldRow(read, asset: asset), DocumentKey(.hold(asset: asset, id: hold.id), of: key.site) == key
        else {
            throw ObjectStoreError(
                "read", key.text, detail: "it is not a hold",
                nextStep: "correct or remove it; nothing of this camera is deleted until then", scope: .object)
        }
        try work.catalog.save(hold)
    }

    /// Tells the cache, for its worker, which drops by itself when this process is away, and for the time after this
    /// catalog.
    func publish() throws {
        guard let camera, try CacheIdentity.check(camera, work.settings) else { return }
        let cache = try CacheDirectory(path: work.settings.cachePath(camera), camera: camera)
        try HeldRanges.publish(try work.catalog.holds(camera).map { $0.from..<$0.to }, in: cache)
    }
}

extension HoldRow {
    /// Nil for a document that no build of ours writes.
    init?(_ document: Holds.Document, asset: String) {
        guard let camera = CameraName(document.camera), let from = WallTime(rfc3339: document.from),
            let to = WallTime(rfc3339: document.to), from < to, let created = WallTime(rfc3339: document.created),
            ObjectKey.isSafe(document.id)
        else { return nil }
        self.init(
            id: document.id, camera: camera, asset: asset, from: from, to: to, reason: document.reason,
            created: created)
    }

    var document: Holds.Document {
        Holds.Document(
            id: id, camera: camera.text, from: from.rfc3339, to: to.rfc3339, reason: reason, created: created.rfc3339)
    }
}
