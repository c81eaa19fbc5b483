import CLinux
package import Recording

/// What time it is for a server; tests have their own.
package struct ServerClock: Sendable {
    package var now: @Sendable () -> WallTime
    package var monotonic: @Sendable () -> MonotonicTime

    package init(
        now: @escaping @Sendable () -> WallTime, monotonic: @escaping @Sendable () -> MonotonicTime
    ) {
        self.now = now
        self.monotonic = monotonic
    }

    package static let system = ServerClock(
        now: { WallTime(microseconds: cvr_clock_microseconds(CLOCK_REALTIME)) },
        monotonic: { MonotonicTime(microseconds: cvr_clock_microseconds(CLOCK_BOOTTIME)) })
}
