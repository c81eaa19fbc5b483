import CLinux
import Catalog
import Glibc
package import Messages
package import Recording
import SegmentStore

/// What the cache of a camera that nobody is to record has that the catalog does not know, as of a length of its
/// journal.
struct CacheRemains {
    var journalLength: Int64
    /// Segments that are not closed.
    var open: Int64
}

/// What is left to do of each cache.
extension CacheKeeper {
    package func caches() throws -> [SyncInterface.CacheState] {
        let forecasts = progress.current.forecasts
        return try cacheBytes.sorted { $0.key < $1.key }.map { camera, bytes in
            let isRecorded = work.settings.isRecorded(camera)
            let left = try isRecorded ? 0 : remaining(camera)
            let holdings = try work.catalog.holdings(camera)
            let stored = try work.catalog.storedThrough(camera)
            return SyncInterface.CacheState(
                name: camera.text, cacheBytes: bytes,
                pendingSegments: holdings.pendingSegments.addingSaturated(left),
                pendingBytes: holdings.pendingBytes, oldestLocal: holdings.oldestLocal?.rfc3339,
                evictionIn: forecasts[camera]?.evictionIn?.seconds,
                storedThrough: stored.map { SyncInterface.StoredThrough(session: $0.session, counter: $0.counter) },
                filedThrough: try work.catalog.filedThrough(camera), recorded: isRecorded)
        }
    }

    package func outcome(
        _ camera: CameraName, of sessions: ClosedRange<Int64>
    ) throws -> SyncInterface.Outcome {
        let found = try work.catalog.outcome(camera, of: sessions)
        return SyncInterface.Outcome(
            stored: found.isStored, waiting: found.waiting, unfiled: found.unfiled, files: found.files,
            over: found.isOver)
    }

    /// Enters what closed last of cameras that nobody is to record; true when there was something.
    package func enterRest() throws -> Bool {
        var isNew = false
        for camera in cacheBytes.keys where !work.settings.isRecorded(camera) {
            let before = remains[camera]?.journalLength
            let length = journalLength(camera)
            if before != length { isNew = try enterNews(camera) || isNew }
            // Read before it was entered: what was added meanwhile is seen by the next turn.
            if remains[camera]?.open != 0 || before != length {
                remains[camera] = CacheRemains(journalLength: length, open: open(camera))
            }
        }
        return isNew
    }

    /// Enters what closed lately, and which sessions ended, of cameras whose sessions become files.
    package func enterNewsOfFiles() throws {
        for camera in cacheBytes.keys {
            if try work.policy(camera).files != nil { try enterNews(camera) }
        }
    }

    /// Of a camera that nobody is to record: segments that are not closed, or not entered.
    private func remaining(_ camera: CameraName) throws -> Int64 {
        if remains[camera]?.journalLength != journalLength(camera) { _ = try enterRest() }
        return try (remains[camera]?.open ?? 0).addingSaturated(work.catalog.unsettled(camera))
    }

    private func journalLength(_ camera: CameraName) -> Int64 {
        var status = stat()
        return stat(work.settings.cachePath(camera) + "/journal", &status) == 0 ? Int64(status.st_size) : 0
    }

    private func open(_ camera: CameraName) -> Int64 {
        do {
            let cache = try CacheDirectory(path: work.settings.cachePath(camera), camera: camera)
            return Int64(try cache.names().count { $0.stage == .partial })
        } catch {
            progress.blame(.survey(camera), error)
            return 0
        }
    }
}
