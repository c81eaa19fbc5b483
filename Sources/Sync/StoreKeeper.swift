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

    /// Reads into a new catalog what only the store knows; one that did so before has nothing left to do.
    package func rebuild(_ work: Workspace) throws {
        guard try !Rebuild.isDone(work.catalog) else { return }
        try attempt(work, isAsked: false) {
            try work.store.prepare()
            try Rebuild(work: work, isStopping: { [stop] in stop.isOn }).run()
            return true
        }
    }

    /// Uploads what waits, unless the store is away and it is not time to try it again.
    ///
    /// `isAsked`: an operator wants it now. Throws only errors of the catalog.
    package func pass(_ work: Workspace, isAsked: Bool) throws -> SyncInterface.PassReport {
        var report = UploadPass.Report()
        try attempt(work, isAsked: isAsked) {
            try UploadPass(work: work, progress: progress, isStopping: { [stop] in stop.isOn }).run(&report)
            return report.failed == 0
        }
        return SyncInterface.PassReport(uploaded: report.uploaded, failed: report.failed)
    }

    /// Runs `body` if the breaker lets it, which answers whether everything went well, and tells the breaker.
    private func attempt(_ work: Workspace, isAsked: Bool, _ body: () throws -> Bool) throws {
        let now = work.clock.monotonic()
        guard progress.update({ $0.breaker.permits(at: now, isAsked: isAsked) }) else { return }
        do {
            let isClean = try body()
            let failures = progress.update { numbers in
                defer { numbers.breaker.succeeded() }
                if isClean { numbers.lastError = nil }
                return numbers.breaker.failures
            }
            if failures > 0 { work.tell("storeBack", nil, "after \(failures) failed tries") }
        } catch let error as ObjectStoreError {
            storeFailed(error, work)
        } catch is CancellationError {
            // Told to stop: what is left is done by the next pass.
        }
    }

    private func storeFailed(_ error: ObjectStoreError, _ work: Workspace) {
        let now = work.clock.monotonic()
        let failures = progress.update { numbers in
            numbers.breaker.failed(at: now, jitter: .random(in: 0..<1))
            numbers.lastError = SyncError(error).fault
            numbers.retries += 1
            return numbers.breaker.failures
        }
        if failures == 1 { work.tell("storeAway", nil, "\(error)") }
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
