package import Recording

/// Keeps a store that is away from being asked again and again: one for the whole box.
package struct Breaker: Hashable, Sendable {
    package enum State: String, Sendable {
        case closed, open, halfOpen
    }

    /// What a failure says of the store as a whole.
    package enum Weight: Hashable, Sendable {
        /// A folder that is not there: a disk is mounted again within seconds, and a look at it costs nothing.
        case folder
        /// One answer of a service, which may be its only bad one.
        case passing
        /// A service that will not answer otherwise in a moment: no name, no certificate, no permission, no bucket.
        case lasting
    }

    /// Failures of a service, without a success in between, that open it.
    private static let patience: Int64 = 5
    /// A service is asked once in this time, or less: its probes are billed.
    private static let interval = TimeSpan.seconds(60)

    package private(set) var state = State.closed
    /// Since the last success.
    package private(set) var failures: Int64 = 0
    /// No try before this, except when an operator asks; nil while it is closed.
    package private(set) var retryAt: MonotonicTime?
    /// Times that it opened since the last success.
    private var openings: Int64 = 0

    package init() {}

    package mutating func succeeded() { self = Breaker() }

    /// True when it opened by this failure and was closed before; `jitter` is in 0..<1.
    @discardableResult
    package mutating func failed(_ weight: Weight, at now: MonotonicTime, jitter: Double) -> Bool {
        failures = failures.addingSaturated(1)
        let wasClosed = openings == 0
        guard state != .closed || weight != .passing || failures >= Self.patience else { return false }
        openings = openings.addingSaturated(1)
        state = .open
        retryAt = now + pause(weight, jitter: jitter)
        return wasClosed
    }

    /// For a folder full jitter below a time that doubles from a second; for a service a minute and up to a quarter
    /// more, so that boxes do not come back in step.
    private func pause(_ weight: Weight, jitter: Double) -> TimeSpan {
        let (least, jittered) =
            weight == .folder
            ? (TimeSpan.zero, min(Self.interval, .seconds(1 << min(openings - 1, 6))))
            : (Self.interval, TimeSpan(microseconds: Self.interval.microseconds / 4))
        return least + TimeSpan(microseconds: Int64(Double(jittered.microseconds) * jitter))
    }

    /// True when the store may be tried now; while it was away the try is a probe, of one request.
    package mutating func permits(at now: MonotonicTime, isAsked: Bool) -> Bool {
        guard let retryAt else { return true }
        guard isAsked || now >= retryAt else { return false }
        state = .halfOpen
        return true
    }
}
