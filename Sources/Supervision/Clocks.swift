import CLinux
import Recording

extension MonotonicTime {
    /// CLOCK_BOOTTIME: goes on while the machine sleeps.
    static var now: MonotonicTime { MonotonicTime(microseconds: cvr_clock_microseconds(CLOCK_BOOTTIME)) }
}

extension WallTime {
    static var now: WallTime { WallTime(microseconds: cvr_clock_microseconds(CLOCK_REALTIME)) }
}

extension Duration {
    init(_ span: TimeSpan) { self = .microseconds(span.microseconds) }
}
