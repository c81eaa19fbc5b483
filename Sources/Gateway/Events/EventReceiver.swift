import CLinux
import Glibc
package import Messages
import Recording
import Synchronization

/// Whom events are delivered to, one after the other.
protocol EventReceiver: Sendable {
    var condition: Condition { get }

    /// Returns up to which it took them, the first at least, or that it never takes the first; waits while it is away.
    ///
    /// `events` are not empty. Throws when the caller waits no more.
    func deliver(_ events: [Admin.StoredEvent]) async throws -> GatewayInterface.Delivered
}

/// How a receiver is, for `status`.
package final class Condition: Sendable {
    private enum State { case connecting, ready, away(Admin.Fault) }

    private let state: Mutex<State>

    /// Ready until it says otherwise, or not yet.
    init(isConnecting: Bool = false) { state = Mutex(isConnecting ? .connecting : .ready) }

    func isReady() { state.withLock { $0 = .ready } }

    func isConnecting() { state.withLock { $0 = .connecting } }

    func isAway(code: String, _ message: String, nextStep: String) {
        let fault = Admin.Fault(code: code, message: message, nextStep: nextStep, time: WallTime.now.rfc3339)
        state.withLock { $0 = .away(fault) }
    }

    package func consumer(_ name: String) -> GatewayInterface.Consumer {
        switch state.withLock({ $0 }) {
        case .connecting: GatewayInterface.Consumer(name: name, state: "connecting")
        case .ready: GatewayInterface.Consumer(name: name, state: "ready")
        case .away(let fault): GatewayInterface.Consumer(name: name, state: "away", lastError: fault)
        }
    }
}

extension WallTime {
    static var now: WallTime { WallTime(microseconds: cvr_clock_microseconds(CLOCK_REALTIME)) }
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

/// For how long one event is tried that its receiver refuses for what it holds: those behind it wait meanwhile.
///
/// Kept for one event at a time, and begun anew by a process that is new.
package struct Refusals: Sendable {
    private let most: Int
    private let span: Duration
    private var first: (sequence: Int64, count: Int, since: ContinuousClock.Instant)?

    /// Both have to be reached: a receiver that is being mended loses nothing.
    package init(most: Int = 8, span: Duration = .seconds(600)) { (self.most, self.span) = (most, span) }

    /// It was refused again; true once it is to be given up.
    ///
    /// Not alone: it, or another with it, and the next try shows which.
    package mutating func refused(
        _ sequence: Int64, isAlone: Bool = true, at now: ContinuousClock.Instant = .now
    ) -> Bool {
        guard isAlone else {
            if !suspects(sequence) { first = (sequence, 0, now) }
            return false
        }
        let last = first.flatMap { $0.sequence == sequence ? $0 : nil }
        let count = (last?.count ?? 0) + 1
        first = (sequence, count, last?.since ?? now)
        return count >= most && now - (last?.since ?? now) >= span
    }

    /// Whether it was refused before.
    package func suspects(_ sequence: Int64) -> Bool { first?.sequence == sequence }
}
