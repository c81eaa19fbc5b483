import Glibc
import Messages
import Recording
import Synchronization

/// Whom events are delivered to, one after the other.
protocol EventReceiver: Sendable {
    var condition: Condition { get }

    /// Returns up to which it took them, the first at least; waits for it while it is away.
    ///
    /// `events` are not empty. Throws when the caller waits no more.
    func deliver(_ events: [Admin.StoredEvent]) async throws -> Int64
}

/// How a receiver is, for `status`.
final class Condition: Sendable {
    private enum State { case connecting, ready, away(Admin.Fault) }

    private let state: Mutex<State>

    /// Ready until it says otherwise, or not yet.
    init(isConnecting: Bool = false) { state = Mutex(isConnecting ? .connecting : .ready) }

    func isReady() { state.withLock { $0 = .ready } }

    func isAway(code: String, _ message: String, nextStep: String) {
        let fault = Admin.Fault(code: code, message: message, nextStep: nextStep, time: Self.now())
        state.withLock { $0 = .away(fault) }
    }

    private static func now() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec)).rfc3339
    }

    func consumer(_ name: String) -> GatewayInterface.Consumer {
        switch state.withLock({ $0 }) {
        case .connecting: GatewayInterface.Consumer(name: name, state: "connecting")
        case .ready: GatewayInterface.Consumer(name: name, state: "ready")
        case .away(let fault): GatewayInterface.Consumer(name: name, state: "away", lastError: fault)
        }
    }
}

/// How long to wait before the next attempt: twice as long after each that failed, up to a minute, spread by chance.
struct Backoff: Sendable {
    private static let first = 0.25
    private static let longest = 60.0

    private var limit = Backoff.first

    mutating func succeeded() { limit = Self.first }

    mutating func failed() -> Duration {
        defer { limit = min(limit * 2, Self.longest) }
        return .seconds(Double.random(in: limit / 2...limit))
    }
}
