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
        now: {
            let time = read(CLOCK_REALTIME)
            return WallTime(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
        },
        monotonic: {
            let time = read(CLOCK_BOOTTIME)
            return MonotonicTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
        })

    private static func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        clock_gettime(clock, &time)
        return time
    }
}
