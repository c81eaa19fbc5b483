import Catalog
package import ObjectStore
package import Recording
import Synchronization

/// All footage that a process can reach: one answer over catalog, caches and store, and the bytes.
///
/// On a box rows come from the catalog and, where that does not know yet, from the caches; without a readable catalog
/// from caches, journals and the store. Elsewhere from the store alone. Only ever reads. Every call blocks; calls may
/// come from several threads at once. What is remembered is bounded, however much is asked.
package final class Archive: Sendable {
    package struct Camera: Hashable, Sendable {
        package let name: CameraName
        /// Its folder in the store; one of an activation stands for that part of its footage alone.
        package let asset: String

        package init(name: CameraName, asset: String) {
            self.name = name
            self.asset = asset
        }

        var isActivation: Bool { ActivationAsset.isNamed(asset) }
    }

    /// Of one answer of rows: longer ranges are read by pages.
    package static let rowLimit = 10_000

    let site: SiteName
    let store: (any ObjectStore)?
    /// Nil where there is no box.
    let box: BoxFootage?
    /// Nil without a store.
    let stored: StoreFootage?
    let memory = MediaMemory()
    let now: @Sendable () -> WallTime

    /// The footage of a box: its caches below `cachePath`, its catalog in `statePath`, and what it brought to `store`.
    ///
    /// `cameras` are those of the configuration; of others it tells what the catalog and the caches know.
    package init(
        site: SiteName, cachePath: String, statePath: String, store: (any ObjectStore)?, cameras: [Camera],
        now: @escaping @Sendable () -> WallTime = WallTime.current
    ) {
        self.site = site
        self.store = store
        self.now = now
        box = BoxFootage(
            site: site, cachePath: cachePath, catalog: CatalogReader(path: statePath + "/sync/catalog.sqlite"),
            cameras: cameras)
        stored = store.map { StoreFootage(site: site, store: $0, now: now) }
    }

    /// What a site's boxes brought to a store, wherever they are.
    package init(
        site: SiteName, store: any ObjectStore, now: @escaping @Sendable () -> WallTime = WallTime.current
    ) {
        self.site = site
        self.store = store
        self.now = now
        box = nil
        stored = StoreFootage(site: site, store: store, now: now)
    }

    /// Goes on with other configured cameras of its box.
    package func take(_ cameras: [Camera]) { box?.take(cameras) }

    /// By name; an asset that names no camera of ours is not listed.
    package func cameras() throws -> [Camera] {
        if let box { return try box.cameras() }
        return try asking { try stored?.cameras() ?? [] }
    }

    package func camera(named name: CameraName) throws -> Camera? {
        // Nearly always its asset has its name: while that goes on, the others need not be asked for.
        if let camera = box?.configured.first(where: { $0.name == name }) { return camera }
        if box == nil, let camera = try camera(ofAsset: name.text), camera.name == name,
            try asking({ try stored?.isInUse(camera.asset) ?? false })
        {
            return camera
        }
        return try cameras().first { $0.name == name }
    }

    package func camera(ofAsset asset: String) throws -> Camera? {
        guard ObjectKey.isSafe(asset) else { return nil }
        if let box {
            if let camera = try (box.configured + box.cameras()).first(where: { $0.asset == asset }) { return camera }
            return try box.camera(recordedInto: asset)
        }
        return try asking {
            try stored?.camera(ofAsset: asset, isNew: true) ?? stored?.cameras().first { $0.asset == asset }
        }
    }

    /// An error of the store as one of ours, which says what to do.
    func asking<Answer>(_ body: () throws -> Answer) throws -> Answer {
        do { return try body() } catch let error as ObjectStoreError { throw ArchiveError(error) }
    }
}
