import CLinux
import Catalog
package import Footage
import Glibc
package import Recording
import SegmentStore

/// The half of cvr-sync that works on local disks only: surveys, evicts, answers; the store cannot hold it up.
///
/// Owns the heartbeat: workers free space by themselves when it stops (I7), so it is touched by the very loop that
/// surveys and evicts, after each piece of its work, and not while it cannot make room.
package actor CacheKeeper {
    private static let budgetInterval = TimeSpan.seconds(5)
    private static let sweepInterval = TimeSpan.seconds(3600)

    private let executor = BlockingExecutor("cache")
    let progress: Progress
    var work: Workspace
    var cacheBytes: [CameraName: Int64] = [:]
    private var lastBeat: MonotonicTime?
    private var lastBudget: MonotonicTime?
    private var lastSweep: MonotonicTime?
    /// The last try to make room did what it could for every camera.
    private var keepsRoom = true
    private var alarms: [CameraName: HeadroomAlarm] = [:]
    var remains: [CameraName: CacheRemains] = [:]

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    package init(work: Workspace, progress: Progress) {
        self.work = work
        self.progress = progress
    }

    package func configure(_ work: Workspace) {
        self.work = work
        (cacheBytes, remains) = ([:], [:])
        lastBudget = nil
    }

    /// One turn of the loop; called every second.
    package func tick() throws {
        do { try onFullDisk { try makeRoom() } } catch {
            keepsRoom = false
            throw error
        }
        beat()
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
            // Makes more room; the ballast's own is enough for another try.
            try? work.catalog.boundWAL(to: 0)
            return try body()
        }
    }

    private func makeRoom() throws {
        let now = work.clock.monotonic()
        if lastBudget.map({ now - $0 >= Self.budgetInterval }) ?? true { try keepBudgets() }
        try CacheEviction(work: work).keepFree(cacheBytes)
        if lastSweep.map({ now - $0 >= Self.sweepInterval }) ?? true { try sweep() }
    }

    /// Removes the hours that workers and evictions left empty: each listing would open them for ever.
    private func sweep() throws {
        lastSweep = work.clock.monotonic()
        for camera in cacheBytes.keys {
            do { try CacheEviction(work: work).sweep(camera) } catch let error where error.concernsOneOnly {
                progress.blame(.budget(camera), error)
            }
        }
    }

    /// Measures the caches and brings each under its budget.
    package func keepBudgets() throws {
        lastBudget = work.clock.monotonic()
        let cameras = try work.cachedCameras()
        cacheBytes = cacheBytes.filter { cameras.contains($0.key) }
        var isKept = true
        for camera in cameras { isKept = try keepBudget(camera) && isKept }
        keepsRoom = isKept
        try Forecaster(work: work, progress: progress).run(cacheBytes, &alarms)
    }

    /// False when this camera's cache does not let it; the others have theirs.
    @discardableResult
    package func keepBudget(_ camera: CameraName) throws -> Bool {
        do {
            cacheBytes[camera] = try onFullDisk {
                let cache = try CacheDirectory(path: work.settings.cachePath(camera), camera: camera)
                // The pre-roll is a part of the budget, though it is its worker's to trim.
                let bytes = try cache.totals().bytes.addingSaturated(PreRollFolder.bytes(in: cache) ?? 0)
                return try CacheEviction(work: work).keepBudget(camera, bytes: bytes)
            }
            progress.clear(.budget(camera))
            beat()
            return true
        } catch let error where error.concernsOneOnly {
            progress.blame(.budget(camera), error)
            keepsRoom = false
            return false
        }
    }

    /// Brings the catalog up to what all caches hold, letting questions in between two cameras.
    package func surveyAll(isStopping: @Sendable () -> Bool = { false }) async throws {
        for (camera, trouble) in try work.caches() where !isStopping() {
            do {
                if let trouble { throw trouble }
                let open = try refresh(camera).open
                let abandoned = AbandonedCache(work: work, camera: camera)
                if try abandoned.isOpen(open) && abandoned.recover() { try refresh(camera) }
            } catch let error where error.concernsOneOnly {
                progress.blame(.survey(camera), error)
            }
            await Task.yield()
        }
    }

    /// Enters what has closed lately in all caches, so that a pass that is under way takes it along.
    package func enterNews() throws { for camera in try work.cachedCameras() { try enterNews(camera) } }

    /// True when there was something.
    @discardableResult
    package func enterNews(_ camera: CameraName) throws -> Bool {
        do {
            let survey = Survey(work: work, camera: camera, progressed: { self.assumeIsolated { $0.beat() } })
            guard try onFullDisk({ try survey.enterNews() }) else { return false }
            progress.noteNews(camera)
            return true
        } catch let error where error.concernsOneOnly {
            progress.blame(.survey(camera), error)
            return false
        }
    }

    @discardableResult
    func refresh(_ camera: CameraName) throws -> Survey.Result {
        let survey = Survey(work: work, camera: camera, progressed: { self.assumeIsolated { $0.beat() } })
        let result = try onFullDisk { try survey.run() }
        cacheBytes[camera] = result.bytes
        progress.noteNews(camera)
        if let fault = result.fault { progress.blame(.survey(camera), fault) } else { progress.clear(.survey(camera)) }
        beat()
        return result
    }

    private func beat() {
        let now = work.clock.monotonic()
        guard keepsRoom, lastBeat.map({ now - $0 >= .milliseconds(500) }) ?? true else { return }
        lastBeat = now
        let path = work.settings.heartbeatPath
        guard utimensat(AT_FDCWD, path, nil, 0) != 0 else { return progress.clear(.heartbeat) }
        let descriptor = cvr_open(path, O_WRONLY | O_CREAT, 0o640)
        if descriptor >= 0 {
            close(descriptor)
        } else {
            let error = SyncError(
                .failed, "touch \(path): \(String(cString: strerror(errno)))",
                nextStep: "make the runtime directory writable for the user cvr")
            progress.blame(.heartbeat, error)
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
        return Answers(
            work.catalog, camera, growing: isCached ? try growing(camera) : [], now: work.clock.now())
    }

    private func growing(_ camera: CameraName) throws -> [SegmentRow] {
        let open = try refresh(camera).open
        guard !open.isEmpty, let row = try work.catalog.camera(camera) else { return [] }
        let cache = try CacheDirectory(path: work.settings.cachePath(camera), camera: camera)
        return try GrowingSegments.rows(open, in: cache) { try work.key(row, start: $0, $1) }
    }

    /// Seconds that the oldest closed segment has waited for its upload.
    package func lag() throws -> Double {
        let now = work.clock.now()
        let waiting = try work.cachedCameras().compactMap { try work.catalog.oldestPending($0) }
        return waiting.min().map { max(0, (now - $0).seconds) } ?? 0
    }
}
