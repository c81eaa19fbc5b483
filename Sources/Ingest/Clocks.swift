internal import CLinux
internal import Glibc
package import Recording

/// What tells the time: durations from one, names and anchors from the other, and whether the other is to be believed.
package struct Clocks {
    /// CLOCK_BOOTTIME: goes on while the box sleeps, never steps.
    package var monotonic: () -> MonotonicTime
    package var wall: () -> WallTime
    /// The kernel says that the wall clock is disciplined.
    package var isSynchronised: () -> Bool

    package init(
        monotonic: @escaping () -> MonotonicTime, wall: @escaping () -> WallTime, isSynchronised: @escaping () -> Bool
    ) {
        self.monotonic = monotonic
        self.wall = wall
        self.isSynchronised = isSynchronised
    }

    package static func system() -> Clocks {
        Clocks(
            monotonic: {
                let time = reading(CLOCK_BOOTTIME)
                return MonotonicTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
            },
            wall: {
                let time = reading(CLOCK_REALTIME)
                return WallTime(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
            },
            isSynchronised: { cvr_clock_synchronised() == 1 })
    }

    private static func reading(_ clock: Int32) -> timespec {
        var time = timespec()
        clock_gettime(clock, &time)
        return time
    }
}
