import Catalog
import Foundation
import ObjectStore
import Recording
import SegmentStore
import Synchronization

/// The footage that is on a box: what its catalog says, and what its caches hold that the catalog does not know yet.
final class BoxFootage: Sendable {
    let site: SiteName
    let cachePath: String
    let catalog: CatalogReader
    private let told: Mutex<[Archive.Camera]>
    private let tails = Mutex<[CameraName: CacheTail]>([:])

    init(site: SiteName, cachePath: String, catalog: CatalogReader, cameras: [Archive.Camera]) {
        (self.site, self.cachePath, self.catalog) = (site, cachePath, catalog)
        told = Mutex(cameras)
    }

    /// The configuration has changed.
    func take(_ cameras: [Archive.Camera]) { told.withLock { $0 = cameras } }

    var configured: [Archive.Camera] { told.withLock(\.self) }

    /// The configured ones, and removed ones with footage.
    func cameras() throws -> [Archive.Camera] {
        var found = configured
        var names = Set(found.map(\.name))
        do {
            if let catalog = catalog.current() {
                for name in try catalog.knownCameras() where names.insert(name).inserted {
                    guard let row = try catalog.camera(name) else { continue }
                    found.append(Archive.Camera(name: name, asset: row.asset.isEmpty ? name.text : row.asset))
                }
            }
        } catch {
            catalog.passOver(error)
        }
        for name in cached() where names.insert(name).inserted {
            found.append(Archive.Camera(name: name, asset: name.text))
        }
        return found.sorted { $0.name < $1.name }
    }

    private func cached() -> [CameraName] {
        // A disk that is not mounted has no caches: what the catalog knows is still in the store.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: cachePath)) ?? []
        return names.compactMap { CameraName($0) }
            .filter { FileManager.default.fileExists(atPath: "\(cachePath)/\($0)/identity.json") }
    }

    /// Nil while there is no catalog that can be read.
    func view(_ camera: Archive.Camera, now: WallTime) throws -> Archive.View? {
        guard let catalog = catalog.current() else { return nil }
        let news = try tail(camera).news(catalog, now: now)
        guard isPart(camera) else { return Archive.View(index: catalog, news: news) }
        let sessions = try catalog.sessions(ofAsset: camera.asset)?.sessions ?? []
        let bounds = try sessions.isEmpty ? nil : catalog.bounds(camera.name, ofAsset: camera.asset)
        return Archive.View(
            index: AssetPart(catalog, sessions: sessions, bounds: bounds), news: news.filter { $0.isIn(camera.asset) })
    }

    /// Only an activation of the camera, not all that is recorded of it.
    func isPart(_ camera: Archive.Camera) -> Bool { camera.isActivation && !configured.contains(camera) }

    /// The camera that an asset is of which is an activation's, or was that of other sessions; nil for none.
    func camera(recordedInto asset: String) throws -> Archive.Camera? {
        do {
            guard let found = try catalog.current()?.sessions(ofAsset: asset) else { return nil }
            if ActivationAsset.isNamed(asset) { return Archive.Camera(name: found.camera, asset: asset) }
            return try cameras().first { $0.name == found.camera }
        } catch let error as CatalogError {
            catalog.passOver(error)
            return nil
        }
    }

    /// One for all that is recorded of a camera.
    func tail(_ asked: Archive.Camera) -> CacheTail {
        let camera = configured.first { $0.name == asked.name } ?? asked
        return tails.withLock { tails in
            if let known = tails[camera.name], known.camera == camera { return known }
            let tail = CacheTail(camera, site: site, path: "\(cachePath)/\(camera.name)")
            tails[camera.name] = tail
            return tail
        }
    }

    /// Bytes of a segment's file; nil when it is not in the cache any more.
    func read(_ row: SegmentRow, at offset: Int64, count: Int) throws -> [UInt8]? {
        let stage: SegmentFileName.Stage = row.state == .recording ? .partial : .closed
        let name = SegmentFileName(start: row.start, id: row.id, stage: stage)
        do {
            let cache = try CacheDirectory(path: "\(cachePath)/\(row.camera)", camera: row.camera)
            return try file(name, in: cache).read(at: offset, count: count)
        } catch {
            guard error.isNoSuchFile else { throw error }
            return nil
        }
    }
}

extension BoxFootage {
    /// A segment that has its trailer is whole, and has its final name only once that is synced: until then it is found
    /// under the one before.
    private func file(_ name: SegmentFileName, in cache: CacheDirectory) throws(SegmentStoreError) -> SegmentFile {
        do { return try cache.open(name) } catch {
            guard error.isNoSuchFile else { throw error }
            return try cache.open(name.with(stage: .partial))
        }
    }

    /// What the cache and its journal know, and before that the store, as long as it answers.
    func viewWithoutCatalog(_ camera: Archive.Camera, _ stored: StoreFootage?, now: WallTime) throws -> Archive.View {
        let tail = tail(camera)
        let (all, assets) = try tail.index(now: now)
        var (cache, news): (any FootageIndex, [SegmentRow]) = (all, try tail.news(all, now: now))
        if isPart(camera) {
            let sessions = Set(assets.filter { $0.value == camera.asset }.keys)
            (cache, news) = (AssetPart(all, sessions: sessions, bounds: nil), news.filter { $0.isIn(camera.asset) })
        }
        guard let stored else { return Archive.View(index: cache, news: news) }
        if let reason = try stored.trouble(asking: camera.asset) {
            let starts = [try cache.footage(camera.name)?.first, news.first?.start, now]
            let unknown = starts.compactMap(\.self).min().map { UnknownPast(before: $0, reason: reason) }
            return Archive.View(index: cache, news: news, unknown: unknown)
        }
        let store: any FootageIndex = isPart(camera) ? stored.part(camera) : stored.index(camera)
        return Archive.View(index: JoinedIndex(cache: cache, store: store), news: news)
    }
}

extension SegmentRow {
    /// Its object is, or would be, in this asset.
    func isIn(_ asset: String) -> Bool { ObjectKey(key)?.asset == asset }
}
