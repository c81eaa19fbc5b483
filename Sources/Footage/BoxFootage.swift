import Catalog
import Foundation
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
        return Archive.View(index: catalog, news: try tail(camera).news(catalog, now: now))
    }

    func tail(_ camera: Archive.Camera) -> CacheTail {
        tails.withLock { tails in
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
        let cache = try tail.index(now: now)
        let news = try tail.news(cache, now: now)
        guard let stored else { return Archive.View(index: cache, news: news) }
        if let reason = try stored.trouble(asking: camera.asset) {
            let starts = [try cache.footage(camera.name)?.first, news.first?.start, now]
            let unknown = starts.compactMap(\.self).min().map { UnknownPast(before: $0, reason: reason) }
            return Archive.View(index: cache, news: news, unknown: unknown)
        }
        return Archive.View(index: JoinedIndex(cache: cache, store: stored.index(camera)), news: news)
    }
}
