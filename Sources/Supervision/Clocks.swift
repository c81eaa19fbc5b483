import CLinux
import Recording

extension MonotonicTime {
    /// CLOCK_BOOTTIME: goes on while the machine sleeps.
    static var now: MonotonicTime { MonotonicTime(microseconds: cvr_clock_microseconds(CLOCK_BOOTTIME)) }
}

extension WallTime {
    static var now: WallTime { WallTime(microseconds: cvr_clock_microseconds(CLOCK_REALTIME)) }
}

extension Supervisor {
    /// True while the kernel says that somebody disciplines the clock.
    static func isClockSynchronised() -> Bool { cvr_clock_synchronised() == 1 }
}

extension Duration {
    init(_ span: TimeSpan) { self = .microseconds(span.microseconds) }
}
