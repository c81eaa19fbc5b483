package import Recording

/// When one process is started, stopped and started again: a pure state machine (design §5).
///
/// The first crash is answered at once; from the second on by full jitter below a bound that doubles to 60 s. Five
/// crashes within 60 s make the process flapping: from then on it is started at most once in 30 s, until it has lived
/// for 60 s. It is never given up. Being killed is not crashing: whoever kills a process that works gets a new one.
package struct RestartPolicy: Hashable, Sendable {
    package enum State: Hashable, Sendable {
        /// Not wanted.
        case stopped
        /// Ordered, or alive.
        case running(since: MonotonicTime)
        /// Told to end.
        case stopping(then: Next)
        /// Crashed; starts again at `until`.
        case waiting(until: MonotonicTime)
        /// Will not be started until the operator acts.
        case refused
    }

    package enum Next: Hashable, Sendable {
        case stay, start
    }

    package enum Event: Hashable, Sendable {
        case start, stop, restart
        /// It was found running.
        case adopted
        case ended(Ending)
        /// The time of a `wake` has come.
        case due
    }

    /// What the end of a process says about its next start.
    package enum Ending: Hashable, Sendable {
        case crashed
        /// Somebody else ended it.
        case killed
        /// Another start would end the same way.
        case refused
    }

    package enum Action: Hashable, Sendable {
        case spawn
        case stop
        case wake(at: MonotonicTime)
    }

    /// Living this long forgives every crash before.
    package static let healthy = TimeSpan.seconds(60)
    /// A process that is killed sooner may be killed by what it does.
    package static let settled = TimeSpan.seconds(5)
    package static let windowCrashes = 5
    package static let longestDelay = TimeSpan.seconds(60)
    package static let flappingDelay = TimeSpan.seconds(30)

    package private(set) var state = State.stopped
    /// Five crashes within a minute, and no minute of life since.
    package private(set) var isFlapping = false
    private var crashesInARow = 0
    private var recentCrashes: [MonotonicTime] = []

    package init() {}

    /// The next state and what is to be done; `jitter` is a random number in 0..<1.
    package mutating func handle(_ event: Event, at now: MonotonicTime, jitter: Double) -> [Action] {
        switch state {
        case .stopped, .refused: handleDown(event, now)
        case .running(let since): handleRunning(event, since: since, now, jitter)
        case .stopping(let next): handleStopping(event, next, now)
        case .waiting(let until): handleWaiting(event, until: until, now)
        }
    }

    private mutating func handleDown(_ event: Event, _ now: MonotonicTime) -> [Action] {
        switch event {
        case .start, .restart:
            forgive()
            return spawn(now)
        case .adopted: state = .running(since: now)
        case .stop: state = .stopped
        case .ended, .due: break
        }
        return []
    }

    private mutating func handleRunning(
        _ event: Event, since: MonotonicTime, _ now: MonotonicTime, _ jitter: Double
    ) -> [Action] {
        switch event {
        case .start, .adopted, .due: return []
        case .stop:
            state = .stopping(then: .stay)
            return [.stop]
        case .restart:
            state = .stopping(then: .start)
            return [.stop]
        case .ended(.refused):
            state = .refused
            return []
        case .ended(.killed) where now - since >= Self.settled: return spawn(now)
        case .ended:
            if now - since >= Self.healthy { forgive() }
            let delay = delayAfterCrash(now, jitter)
            guard delay > .zero else { return spawn(now) }
            state = .waiting(until: now + delay)
            return [.wake(at: now + delay)]
        }
    }

    private mutating func handleStopping(_ event: Event, _ next: Next, _ now: MonotonicTime) -> [Action] {
        switch event {
        case .start, .restart: state = .stopping(then: .start)
        case .stop: state = .stopping(then: .stay)
        case .adopted, .due: break
        case .ended:
            forgive()
            if next == .start { return spawn(now) }
            state = .stopped
        }
        return []
    }

    private mutating func handleWaiting(_ event: Event, until: MonotonicTime, _ now: MonotonicTime) -> [Action] {
        switch event {
        case .stop: state = .stopped
        case .restart:
            forgive()
            return spawn(now)
        case .due where now >= until: return spawn(now)
        case .due: return [.wake(at: until)]
        case .start, .adopted, .ended: break
        }
        return []
    }

    private mutating func spawn(_ now: MonotonicTime) -> [Action] {
        state = .running(since: now)
        return [.spawn]
    }

    private mutating func forgive() {
        isFlapping = false
        crashesInARow = 0
        recentCrashes = []
    }

    private mutating func delayAfterCrash(_ now: MonotonicTime, _ jitter: Double) -> TimeSpan {
        crashesInARow = min(crashesInARow + 1, 32)
        recentCrashes = recentCrashes.suffix(Self.windowCrashes - 1) + [now]
        if let first = recentCrashes.first, recentCrashes.count == Self.windowCrashes, now - first <= Self.healthy {
            isFlapping = true
        }
        let fraction = Int64(min(max(jitter, 0), 1) * 1000)
        if isFlapping {
            let spread = Self.longestDelay - Self.flappingDelay
            return Self.flappingDelay + TimeSpan(microseconds: spread.microseconds / 1000 * fraction)
        }
        if crashesInARow == 1 { return .zero }
        let bound = min(Self.longestDelay, TimeSpan.seconds(1 << min(Int64(crashesInARow) - 2, 6)))
        return TimeSpan(microseconds: bound.microseconds / 1000 * fraction)
    }
}
