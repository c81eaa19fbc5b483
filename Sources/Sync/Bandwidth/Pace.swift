package import Recording
import Synchronization

/// What may be sent to the store at this moment, for all cameras and connections together.
///
/// Goes by the plan, the hour and the link, which are looked at again once a second, also in the midst of a pass.
package final class Pace: Sendable {
    private struct State {
        var plan = BandwidthPlan()
        var allowance = BandwidthPlan.Allowance.everything
        var bucket = TokenBucket()
        var lookedAt: MonotonicTime?
    }

    private static let interval = TimeSpan.seconds(1)

    private let clock: SyncClock
    private let interfaces: @Sendable () -> Set<String>
    private let state = Mutex(State())

    /// `interfaces` are those that lead out of the box.
    package init(
        clock: SyncClock = .system, interfaces: @escaping @Sendable () -> Set<String> = { DefaultRoutes.current() }
    ) {
        self.clock = clock
        self.interfaces = interfaces
    }

    package func follow(_ plan: BandwidthPlan) {
        state.withLock { state in
            guard state.plan != plan else { return }
            state.plan = plan
            state.lookedAt = nil
        }
    }

    package var allowance: BandwidthPlan.Allowance {
        state.withLock { state in
            refresh(&state, at: clock.monotonic())
            return state.allowance
        }
    }

    /// Asked before bytes go to the store.
    ///
    /// Zero: they are counted, and may go. Otherwise how long to wait before asking again.
    /// What is under way when a pause begins is finished at the rate of before: cut off it would be sent twice.
    package func delay(for bytes: Int) -> TimeSpan {
        state.withLock { state in
            let now = clock.monotonic()
            refresh(&state, at: now)
            return state.bucket.take(bytes, at: now)
        }
    }

    private func refresh(_ state: inout State, at now: MonotonicTime) {
        if let lookedAt = state.lookedAt, now - lookedAt < Self.interval { return }
        state.lookedAt = now
        let wall = clock.now()
        let links = state.plan.metered == nil ? [] : interfaces()
        state.allowance = state.plan.allowance(at: wall + clock.zone(wall), over: links)
        guard !state.allowance.isPause else { return }
        let rate = state.allowance.bytesPerSecond
        if rate != state.bucket.bytesPerSecond { state.bucket.setRate(rate, at: now) }
    }
}
