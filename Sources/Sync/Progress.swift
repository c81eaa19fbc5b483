package import Messages
import ObjectStore
package import Recording
import Synchronization

/// cvr-sync's counters and faults, shared by its two halves and whoever asks for its status.
package final class Progress: Sendable {
    /// What a fault is about; it lasts until that very thing went well.
    package enum Origin: Hashable, Sendable {
        case caches, passes, filing, heartbeat, clock, store, rebuild
        case survey(CameraName), budget(CameraName), watermark(CameraName), uploads(CameraName), retention(CameraName)
        case summaries(CameraName), audit(CameraName), files(CameraName)
    }

    package struct Numbers: Hashable, Sendable {
        /// Objects written.
        package var writes: Int64 = 0
        /// Uploads begun again after an unknown or a bad outcome.
        package var retries: Int64 = 0
        package var isRunning = false
        /// Of each camera, how often something of it was entered.
        var entered: [CameraName: Int64] = [:]
        /// By an operator.
        var isPaused = false
        package var breaker = Breaker()
        /// When retention was last done for a camera.
        var retained: [CameraName: MonotonicTime] = [:]
        var audit = SampledAudit.Credit()
        var retryBudget = RetryBudget()
        /// Nothing is asked of the store before this: it said so.
        var restsUntil: MonotonicTime?
        /// Of the store as a whole.
        var lastFailure: ObjectStoreError?
        var refusals = Refusals()
        /// Of each camera, what is known to be in the store.
        var uploads: [CameraName: RateMeter] = [:]
        package var forecasts: [CameraName: Forecast] = [:]
        /// The newest last.
        fileprivate var faults: [Known] = []

        package var lastError: Admin.Fault? { faults.last?.fault }

        /// What was seen of one store is not true of another.
        mutating func forgetStore() {
            (breaker, retryBudget, restsUntil, lastFailure, uploads) = (Breaker(), RetryBudget(), nil, nil, [:])
            refusals = Refusals()
        }

        /// Why nothing may be sent to the store or asked of it now; nil when it may.
        func hold(_ pace: Pace) -> SyncError? {
            if isPaused {
                return SyncError(.paused, "uploads are paused", nextStep: "run cvrctl sync resume")
            }
            guard pace.allowance.isPause else { return nil }
            return SyncError(
                .paused, "uploads are paused by store.bandwidth",
                nextStep: "none: they go on at the hour or the link that permits them; or change store.bandwidth")
        }
    }

    fileprivate struct Known: Hashable, Sendable {
        var origin: Origin
        var fault: Admin.Fault
    }

    private let numbers = Mutex(Numbers())
    /// Rung when a thread of a pass that found nothing to take may find something.
    let turns = Bell()
    private let report: @Sendable (SyncError) -> Void

    /// `report` is called with each fault that is new, from whatever thread finds it.
    package init(report: @escaping @Sendable (SyncError) -> Void = { _ in }) { self.report = report }

    package var current: Numbers { numbers.withLock { $0 } }

    func update<Value: Sendable>(_ change: @Sendable (inout Numbers) -> Value) -> Value {
        numbers.withLock { change(&$0) }
    }

    /// Something of a camera was entered: a pass that is under way looks again.
    package func noteNews(_ camera: CameraName) {
        update { $0.entered[camera, default: 0] += 1 }
        turns.ring()
    }

    func blame(_ origin: Origin, _ error: any Error) {
        let error = SyncError(error)
        let known = Known(origin: origin, fault: error.fault)
        let isNew = numbers.withLock { numbers in
            guard !numbers.faults.contains(known) else { return false }
            numbers.faults.removeAll { $0.origin == origin }
            numbers.faults.append(known)
            return true
        }
        if isNew { report(error) }
    }

    func clear(_ origin: Origin) { numbers.withLock { $0.faults.removeAll { $0.origin == origin } } }

    func has(_ origin: Origin) -> Bool { numbers.withLock { $0.faults.contains { $0.origin == origin } } }
}
