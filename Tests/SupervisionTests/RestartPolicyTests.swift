import Recording
import Supervision
import Testing

private func at(_ seconds: Double) -> MonotonicTime { MonotonicTime(microseconds: Int64(seconds * 1_000_000)) }

/// A policy brought into a state by a list of events.
private func policy(after events: [(RestartPolicy.Event, at: Double)], jitter: Double = 0.5) -> RestartPolicy {
    var policy = RestartPolicy()
    for (event, time) in events { _ = policy.handle(event, at: at(time), jitter: jitter) }
    return policy
}

@Suite("Supervision: restart policy")
struct RestartPolicyTests {
    typealias Event = RestartPolicy.Event
    typealias State = RestartPolicy.State
    typealias Action = RestartPolicy.Action

    struct Row: Sendable, CustomStringConvertible {
        let before: [(Event, at: Double)]
        let event: Event
        let time: Double
        let state: State
        let actions: [Action]

        var description: String { "\(before.map { "\($0.0)" }) × \(event)" }
    }

    static let stopped: [(Event, at: Double)] = []
    static let running: [(Event, at: Double)] = [(.start, 0)]
    static let stopping: [(Event, at: Double)] = [(.start, 0), (.stop, 1)]
    static let restarting: [(Event, at: Double)] = [(.start, 0), (.restart, 1)]
    /// Crashed at 1 s, started, crashed at 2 s; due at 2.5 s with a jitter of 0.5.
    static let waiting: [(Event, at: Double)] = [(.start, 0), (.ended(.crashed), 1), (.ended(.crashed), 2)]
    static let refused: [(Event, at: Double)] = [(.start, 0), (.ended(.refused), 1)]

    static let table: [Row] = [
        Row(before: stopped, event: .start, time: 5, state: .running(since: at(5)), actions: [.spawn]),
        Row(before: stopped, event: .restart, time: 5, state: .running(since: at(5)), actions: [.spawn]),
        Row(before: stopped, event: .adopted, time: 5, state: .running(since: at(5)), actions: []),
        Row(before: stopped, event: .stop, time: 5, state: .stopped, actions: []),
        Row(before: stopped, event: .due, time: 5, state: .stopped, actions: []),
        Row(before: stopped, event: .ended(.crashed), time: 5, state: .stopped, actions: []),

        Row(before: running, event: .start, time: 5, state: .running(since: at(0)), actions: []),
        Row(before: running, event: .adopted, time: 5, state: .running(since: at(0)), actions: []),
        Row(before: running, event: .due, time: 5, state: .running(since: at(0)), actions: []),
        Row(before: running, event: .stop, time: 5, state: .stopping(then: .stay), actions: [.stop]),
        Row(before: running, event: .restart, time: 5, state: .stopping(then: .start), actions: [.stop]),
        Row(before: running, event: .ended(.crashed), time: 1, state: .running(since: at(1)), actions: [.spawn]),
        Row(before: running, event: .ended(.killed), time: 1, state: .running(since: at(1)), actions: [.spawn]),
        Row(before: running, event: .ended(.killed), time: 9, state: .running(since: at(9)), actions: [.spawn]),
        Row(before: running, event: .ended(.refused), time: 1, state: .refused, actions: []),

        Row(before: stopping, event: .ended(.crashed), time: 2, state: .stopped, actions: []),
        Row(before: stopping, event: .ended(.refused), time: 2, state: .stopped, actions: []),
        Row(before: stopping, event: .start, time: 2, state: .stopping(then: .start), actions: []),
        Row(before: stopping, event: .restart, time: 2, state: .stopping(then: .start), actions: []),
        Row(before: stopping, event: .stop, time: 2, state: .stopping(then: .stay), actions: []),
        Row(before: stopping, event: .due, time: 2, state: .stopping(then: .stay), actions: []),
        Row(before: restarting, event: .ended(.killed), time: 2, state: .running(since: at(2)), actions: [.spawn]),
        Row(before: restarting, event: .stop, time: 2, state: .stopping(then: .stay), actions: []),

        Row(before: waiting, event: .due, time: 2.5, state: .running(since: at(2.5)), actions: [.spawn]),
        Row(before: waiting, event: .due, time: 2.4, state: .waiting(until: at(2.5)), actions: [.wake(at: at(2.5))]),
        Row(before: waiting, event: .start, time: 2.1, state: .waiting(until: at(2.5)), actions: []),
        Row(before: waiting, event: .restart, time: 2.1, state: .running(since: at(2.1)), actions: [.spawn]),
        Row(before: waiting, event: .stop, time: 2.1, state: .stopped, actions: []),
        Row(before: waiting, event: .ended(.crashed), time: 2.1, state: .waiting(until: at(2.5)), actions: []),

        Row(before: refused, event: .start, time: 9, state: .running(since: at(9)), actions: [.spawn]),
        Row(before: refused, event: .restart, time: 9, state: .running(since: at(9)), actions: [.spawn]),
        Row(before: refused, event: .stop, time: 9, state: .stopped, actions: []),
        Row(before: refused, event: .due, time: 9, state: .refused, actions: []),
    ]

    @Test("state × event", arguments: table)
    func transition(row: Row) {
        var policy = policy(after: row.before)
        #expect(policy.handle(row.event, at: at(row.time), jitter: 0.5) == row.actions)
        #expect(policy.state == row.state)
    }

    /// Crashes `lives` seconds after each start; the waits before the following starts.
    private func waits(lives: [Double], ending: RestartPolicy.Ending = .crashed, jitter: Double) -> [TimeSpan] {
        var policy = policy(after: [(.start, 0)])
        var now = at(0)
        return lives.map { life in
            now = now + TimeSpan(microseconds: Int64(life * 1_000_000))
            let actions = policy.handle(.ended(ending), at: now, jitter: jitter)
            guard case .wake(let time) = actions.first else { return .zero }
            let wait = time - now
            now = time
            _ = policy.handle(.due, at: now, jitter: jitter)
            return wait
        }
    }

    /// A crash a second, each followed by a start.
    private static func crashes(_ count: Int) -> [(Event, at: Double)] {
        [(.start, 0)] + (1...count).flatMap { [(.ended(.crashed), Double($0)), (.due, Double($0))] }
    }

    @Test("the first restart is at once, then full jitter below 1, 2, 4, … 60 s")
    func backoff() {
        // 20 s of life: never five within a minute, never a minute of health.
        let longest = waits(lives: Array(repeating: 20, count: 10), jitter: 1)
        #expect(longest.map(\.seconds) == [0, 1, 2, 4, 8, 16, 32, 60, 60, 60])
        #expect(waits(lives: Array(repeating: 20, count: 10), jitter: 0).allSatisfy { $0 == .zero })
    }

    @Test("five crashes within a minute are flapping: at most one start in 30 s from then on, and never given up")
    func flapping() {
        for jitter in [0.0, 0.4, 1] {
            let found = waits(lives: Array(repeating: 0.1, count: 100), jitter: jitter)
            #expect(found.prefix(4).allSatisfy { $0 <= .seconds(4) })
            #expect(found.dropFirst(4).allSatisfy { $0 >= .seconds(30) && $0 <= .seconds(60) })
        }
        var policy = policy(after: Self.crashes(5), jitter: 0)
        #expect(policy.isFlapping)
        #expect(policy.state == .waiting(until: at(35)))
        _ = policy.handle(.due, at: at(100), jitter: 0)
        #expect(policy.isFlapping)
        _ = policy.handle(.ended(.crashed), at: at(161), jitter: 0)
        #expect(!policy.isFlapping)
        #expect(policy.state == .running(since: at(161)))
    }

    @Test("a minute of health forgives, and so does the operator")
    func forgiveness() {
        #expect(waits(lives: [1, 1, 61, 1], jitter: 1).map(\.seconds) == [0, 1, 0, 1])
        var policy = policy(after: Self.crashes(6), jitter: 0)
        #expect(policy.isFlapping)
        #expect(policy.handle(.restart, at: at(7), jitter: 0.5) == [.spawn])
        #expect(!policy.isFlapping)
    }

    @Test("a worker that is killed while it works is replaced at once, however often; one killed at birth backs off")
    func killed() {
        #expect(waits(lives: Array(repeating: 5, count: 50), ending: .killed, jitter: 1).allSatisfy { $0 == .zero })
        #expect(
            waits(lives: Array(repeating: 1, count: 6), ending: .killed, jitter: 1).map(\.seconds) == [
                0, 1, 2, 4, 60, 60,
            ])
    }
}
