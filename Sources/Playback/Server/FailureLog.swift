import Logging
import Recording
import Synchronization

/// Failures in the journal: of each code a few at once, then one a minute with the number of those that it stands for.
final class FailureLog: Sendable {
    private let lines = RateLimit(burst: 5, perSecond: 1.0 / 60)
    /// By code, of which there are few.
    private let unsaid = Mutex<[String: Int]>([:])

    func note(_ error: any Error, _ code: String, path: String, at now: MonotonicTime, in log: Logger) {
        guard lines.take(code, at: now) == nil else { return unsaid.withLock { $0[code, default: 0] += 1 } }
        let others = unsaid.withLock { $0.removeValue(forKey: code) ?? 0 }
        log.error("a request failed", metadata: ["path": "\(path)", "error": "\(error)", "others": "\(others)"])
    }
}
