import CLinux
import Catalog
import Glibc
package import Messages
package import Recording
import SegmentStore

/// The half of cvr-sync that works on local disks only: surveys, evicts, answers; the store cannot hold it up.
///
/// Owns the heartbeat: workers free space by themselves when it stops (I7), so it is touched by the very loop that
/// surveys and evicts, between two pieces of its work.
package actor CacheKeeper {
    private static let budgetInterval = TimeSpan.seconds(5)

    private let executor = BlockingExecutor("cache")
    private let progress: Progress
    private var work: Workspace
    private var cacheBytes: [CameraName: Int64] = [:]
    private var lastBeat: MonotonicTime?
    private var lastBudget: MonotonicTime?

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    package init(work: Workspace, progress: Progress) {
        self.work = work
        self.progress = progress
    }

    package func configure(_ work: Workspace) {
        self.work = work
        cacheBytes = [:]
        lastBudget = nil
    }

    /// One turn of the loop; called every second.
    package func tick() throws {
        beat()
        try onFullDisk { try makeRoom() }
        for ballast in Ballast.all(work.settings) { ballast.refill() }
    }

    /// Tries again with the ballast let go.
    ///
    /// On a full disk nothing can be written down, and what is not written down must not go (I3).
    private func onFullDisk<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            guard Ballast.helps(error) else { throw error }
            for ballast in Ballast.all(work.settings) { ballast.release() }
            try work.catalog.boundWAL(to: 0)
            return try body()
        }
    }

    private func makeRoom() throws {
        let now = work.clock.monotonic()
        if lastBudget.map({ now - $0 >= Self.budgetInterval }) ?? true { try keepBudgets() }
        try CacheEviction(work: work).keepFree(cacheBytes)
    }

    /// Measures the caches and brings each under its budget.
    package func keepBudgets() throws {
        lastBudget = work.clock.monotonic()
        let cameras = try work.cachedCameras()
        cacheBytes = cacheBytes.filter { cameras.contains($0.key) }
        for camera in cameras { try keepBudget(camera) }
    }

    package func keepBudget(_ camera: CameraName) throws {
        beat()
        do {
            let cache = try CacheDirectory(path: work.settings.cachePath(camera), camera: camera)
            cacheBytes[camera] = try CacheEviction(work: work).keepBudget(camera, bytes: try cache.totals().bytes)
        } catch let error as SegmentStoreError {
            blame(error)  // One camera's disk; the others have theirs.
        }
    }

    /// Brings the catalog up to what all caches hold, letting questions in between two cameras.
    package func surveyAll() async throws {
        for camera in try work.cachedCameras() {
            do { try refresh(camera) } catch let error as SegmentStoreError { blame(error) }
            await Task.yield()
        }
    }

    @discardableResult
    private func refresh(_ camera: CameraName) throws -> Survey.Result {
        beat()
        let survey = Survey(work: work, camera: camera, progressed: { self.assumeIsolated { $0.beat() } })
        let result = try onFullDisk { try survey.run() }
        cacheBytes[camera] = result.bytes
        if let fault = result.fault { progress.update { $0.lastError = fault.fault } }
        return result
    }

    private func blame(_ error: SegmentStoreError) {
        let fault = SyncError(error).fault
        progress.update { $0.lastError = fault }
    }

    private func beat() {
        let now = work.clock.monotonic()
        guard lastBeat.map({ now - $0 >= .milliseconds(500) }) ?? true else { return }
        lastBeat = now
        let path = work.settings.heartbeatPath
        guard utimensat(AT_FDCWD, path, nil, 0) != 0 else { return }
        let descriptor = cvr_open(path, O_WRONLY | O_CREAT, 0o640)
        if descriptor >= 0 {
            close(descriptor)
        } else {
            let fault = SyncError(
                .failed, "touch \(path): \(String(cString: strerror(errno)))",
                nextStep: "let the service's user write the runtime directory"
            ).fault
            progress.update { $0.lastError = fault }
        }
    }
}

extension CacheKeeper {
    /// What the disk says at the time of asking, then a page at a time.
    package func answers(_ camera: CameraName) throws -> Answers {
        let isCached = try work.cachedCameras().contains(camera)
        let isKnown = try isCached || work.catalog.knownCameras().contains(camera)
        guard isKnown else {
            throw SyncError(.notFound, "no camera '\(camera)' was ever recorded here", nextStep: "see cvrctl cameras")
        }
        let growing = isCached ? try refresh(camera).open : []
        return try Answers(work: work, camera: camera, open: growing)
    }

    package func caches() throws -> [SyncInterface.CacheState] {
        try cacheBytes.sorted { $0.key < $1.key }.map { camera, bytes in
            let holdings = try work.catalog.holdings(camera)
            return SyncInterface.CacheState(
                name: camera.text, cacheBytes: bytes, pendingSegments: holdings.pendingSegments,
                pendingBytes: holdings.pendingBytes, oldestLocal: holdings.oldestLocal?.rfc3339)
        }
    }

    /// Seconds that the oldest closed segment has waited for its upload.
    package func lag() throws -> Double {
        let now = work.clock.now()
        let waiting = try work.cachedCameras().compactMap { try work.catalog.holdings($0).oldestPending }
        return waiting.min().map { max(0, (now - $0).seconds) } ?? 0
    }
}
