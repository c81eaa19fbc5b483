import Catalog
package import Messages
import ObjectStore
import Recording
import Synchronization

/// The half of cvr-sync that waits for the store: one upload pass at a time.
package actor StoreKeeper {
    private let executor = BlockingExecutor("store")
    private let progress: Progress
    private let stop: StopSwitch

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    package init(progress: Progress, stop: StopSwitch) {
        self.progress = progress
        self.stop = stop
    }

    /// Uploads what waits, unless the store is away and it is not time to try it again; `limit` ends it early.
    ///
    /// `isAsked`: an operator wants it now, and hears when the store is away. Throws else only errors of the catalog.
    package func pass(_ work: Workspace, isAsked: Bool, limit: StopSwitch) throws -> SyncInterface.PassReport {
        var report = UploadPass.Report()
        try attempt(work, isAsked: isAsked) {
            try UploadPass(work: work, progress: progress, isStopping: { [stop] in stop.isOn || limit.isOn })
                .run(&report)
        }
        return SyncInterface.PassReport(uploaded: report.uploaded, failed: report.failed)
    }

    /// Looks whether the places are still the folders that the process shut itself into; a store that hangs holds up
    /// nobody but its keeper.
    package func isOutside(_ sandbox: SyncSandbox) -> Bool { sandbox.isMoved }

    /// Runs `body`, which tells the breaker how the store did, if the breaker lets it.
    private func attempt(_ work: Workspace, isAsked: Bool, _ body: () throws -> Void) throws {
        let now = work.clock.monotonic()
        guard progress.update({ $0.breaker.permits(at: now, isAsked: isAsked) }) else { return }
        do {
            try body()
            progress.clear(.store)
        } catch let error as ObjectStoreError {
            progress.blame(.store, error)
            if isAsked { throw error }
        } catch is CancellationError {
            // Told to stop: what is left is done by the next pass.
        }
    }
}

/// Tells a pass on another thread to end: after the object that is under way, or in the midst of a long one.
package final class StopSwitch: Sendable {
    private let deadline = Mutex<ContinuousClock.Instant?>(nil)

    package init() {}

    package var isOn: Bool { deadline.withLock { $0.map { ContinuousClock.now >= $0 } ?? false } }

    /// At `moment` at the latest; an earlier one that was set stays.
    package func set(at moment: ContinuousClock.Instant) {
        deadline.withLock { $0 = min($0 ?? moment, moment) }
    }
}
