package import Messages
package import Recording
import Synchronization

/// cvr-sync's counters and faults, shared by its two halves and whoever asks for its status.
package final class Progress: Sendable {
    /// What a fault is about; it lasts until that very thing went well.
    package enum Origin: Hashable, Sendable {
        case caches, passes, heartbeat, clock, store, rebuild
        case survey(CameraName), budget(CameraName), watermark(CameraName), uploads(CameraName), retention(CameraName)
        case summaries(CameraName), audit(CameraName)
    }

    package struct Numbers: Hashable, Sendable {
        /// Objects written.
        package var writes: Int64 = 0
        /// Uploads begun again after an unknown or a bad outcome.
        package var retries: Int64 = 0
        package var isRunning = false
        package var breaker = Breaker()
        /// When retention was last done for a camera.
        var retained: [CameraName: MonotonicTime] = [:]
        var audit = SampledAudit.Credit()
        /// The newest last.
        fileprivate var faults: [Known] = []

        package var lastError: Admin.Fault? { faults.last?.fault }
    }

    fileprivate struct Known: Hashable, Sendable {
        var origin: Origin
        var fault: Admin.Fault
    }

    private let numbers = Mutex(Numbers())
    private let report: @Sendable (SyncError) -> Void

    /// `report` is called with each fault that is new, from whatever thread finds it.
    package init(report: @escaping @Sendable (SyncError) -> Void = { _ in }) { self.report = report }

    package var current: Numbers { numbers.withLock { $0 } }

    func update<Value: Sendable>(_ change: @Sendable (inout Numbers) -> Value) -> Value {
        numbers.withLock { change(&$0) }
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

/// Keeps a store that is away from being asked again and again.
///
/// Opens on the first failure that concerns the store as a whole; then one try after a pause that doubles up to a
/// minute, with full jitter, so that a fleet does not come back in step.
package struct Breaker: Hashable, Sendable {
    package enum State: String, Sendable {
        case closed, open, halfOpen
    }

    private static let longest = TimeSpan.seconds(60)

    package private(set) var state = State.closed
    package private(set) var failures: Int64 = 0
    /// No try before this, except when an operator asks.
    package private(set) var retryAt: MonotonicTime?

    package init() {}

    package mutating func succeeded() { self = Breaker() }

    /// `jitter` is in 0..<1.
    package mutating func failed(at now: MonotonicTime, jitter: Double) {
        failures += 1
        let ceiling = min(Self.longest, .seconds(1 << min(failures - 1, 6)))
        state = .open
        retryAt = now + TimeSpan(microseconds: Int64(Double(ceiling.microseconds) * jitter))
    }

    /// True when the store may be tried now; the try is then under way.
    package mutating func permits(at now: MonotonicTime, isAsked: Bool) -> Bool {
        guard let retryAt else { return true }
        guard isAsked || now >= retryAt else { return false }
        state = .halfOpen
        return true
    }
}
