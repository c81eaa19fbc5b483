import Catalog
package import Footage
package import Messages
import ObjectStore
package import Recording

/// How it is, and what there is of a camera.
extension SyncService {
    package func status() async throws -> SyncInterface.Status {
        let numbers = progress.current
        let caches = try await halves?.cache.caches() ?? []
        return SyncInterface.Status(
            state: numbers.hold(pace) != nil ? "paused" : numbers.isRunning ? "running" : "idle",
            writes: numbers.writes, retries: numbers.retries, lag: try await halves?.cache.lag() ?? 0,
            breaker: numbers.breaker.state.rawValue, lastError: numbers.lastError, caches: caches,
            sandbox: sandbox?.text, build: SyncProcess.build,
            store: halves?.work.watch.found.map { Admin.StoreCapabilities($0) })
    }

    /// Waits for a pass to rebuild a new catalog, unless the store is away: then it says what the caches know.
    package func answers(_ camera: CameraName) async throws -> Answers {
        let halves = try configured()
        if try !Rebuild.isDone(halves.work.catalog), !isStoreAway { try await rebuildPass() }
        return try await halves.cache.answers(camera)
    }

    /// What the catalog knows; waits for nothing.
    package func outcome(
        _ camera: CameraName, of sessions: ClosedRange<Int64>
    ) async throws -> SyncInterface.Outcome {
        try await configured().cache.outcome(camera, of: sessions)
    }

    /// Also while nothing may be asked of it.
    var isStoreAway: Bool {
        let numbers = progress.current
        return numbers.breaker.state != .closed || sandbox?.isWithoutStore == true || numbers.hold(pace) != nil
    }

    /// Waits for a pass, at once.
    func rebuildPass() async throws {
        nextPass = clock.monotonic()
        wake()
        try await passEnd()
    }

    /// Waits for the end of the pass that is under way or comes next.
    func passEnd() async throws {
        guard !stop.isOn else {
            throw SyncError(.notConfigured, "cvr-sync is about to end", nextStep: "try again in a moment")
        }
        await withCheckedContinuation { passWaiters.append($0) }
    }

    func workspace() throws(SyncError) -> Workspace { try configured().work }
}
