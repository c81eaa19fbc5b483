/// A moment on the wall clock: microseconds since 1970-01-01T00:00:00Z, POSIX (no leap seconds).
///
/// Every value that formats is between years 0000 and 9999; arithmetic saturates there, so that a
/// clock gone wild cannot trap a process.
package struct WallTime: Hashable, Sendable, Comparable {
    package let microseconds: Int64

    package static let earliest = WallTime(microseconds: -62_167_219_200_000_000)
    package static let latest = WallTime(microseconds: 253_402_300_799_999_999)

    package init(microseconds: Int64) {
        self.microseconds = min(max(microseconds, -62_167_219_200_000_000), 253_402_300_799_999_999)
    }

    package init(seconds: Int64, nanoseconds: Int64 = 0) {
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        guard !overflow else {
            self = seconds < 0 ? .earliest : .latest
            return
        }
        self.init(microseconds: scaled.addingReportingOverflow(nanoseconds / 1000).partialValue)
    }

    package static func < (left: Self, right: Self) -> Bool { left.microseconds < right.microseconds }

    package static func + (time: Self, span: TimeSpan) -> WallTime {
        WallTime(microseconds: time.microseconds.addingSaturated(span.microseconds))
    }

    package static func - (time: Self, span: TimeSpan) -> WallTime {
        WallTime(microseconds: time.microseconds.subtractingSaturated(span.microseconds))
    }

    package static func - (left: Self, right: Self) -> TimeSpan {
        TimeSpan(microseconds: left.microseconds.subtractingSaturated(right.microseconds))
    }

    /// The same moment with its sub-millisecond part cut off, as file names and JSON show it.
    package var wholeMilliseconds: WallTime {
        WallTime(microseconds: microseconds - floorModulo(microseconds, 1000))
    }
}

/// A length of time in microseconds; signed, saturating.
package struct TimeSpan: Hashable, Sendable, Comparable {
    package let microseconds: Int64

    package static let zero = TimeSpan(microseconds: 0)

    package init(microseconds: Int64) { self.microseconds = microseconds }

    /// A number of seconds from outside: not a number is none, and what is too long saturates.
    package init(seconds: Double) {
        let microseconds = (seconds * 1_000_000).rounded()
        self.init(microseconds: Int64(exactly: microseconds) ?? (microseconds > 0 ? .max : 0))
    }

    package static func seconds(_ count: Int64) -> TimeSpan {
        TimeSpan(microseconds: count.multipliedSaturated(1_000_000))
    }

    package static func milliseconds(_ count: Int64) -> TimeSpan {
        TimeSpan(microseconds: count.multipliedSaturated(1000))
    }

    package var seconds: Double { Double(microseconds) / 1_000_000 }

    package static func < (left: Self, right: Self) -> Bool { left.microseconds < right.microseconds }

    package static func + (left: Self, right: Self) -> TimeSpan {
        TimeSpan(microseconds: left.microseconds.addingSaturated(right.microseconds))
    }

    package static func - (left: Self, right: Self) -> TimeSpan {
        TimeSpan(microseconds: left.microseconds.subtractingSaturated(right.microseconds))
    }

    package static func * (left: Self, factor: Int64) -> TimeSpan {
        TimeSpan(microseconds: left.microseconds.multipliedSaturated(factor))
    }

    package var magnitude: TimeSpan {
        microseconds == .min ? TimeSpan(microseconds: .max) : TimeSpan(microseconds: abs(microseconds))
    }
}

/// A reading of CLOCK_BOOTTIME: for durations only, meaningless after a reboot.
package struct MonotonicTime: Hashable, Sendable, Comparable {
    package let microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    package static func < (left: Self, right: Self) -> Bool { left.microseconds < right.microseconds }

    package static func + (time: Self, span: TimeSpan) -> MonotonicTime {
        MonotonicTime(microseconds: time.microseconds.addingSaturated(span.microseconds))
    }

    package static func - (left: Self, right: Self) -> TimeSpan {
        TimeSpan(microseconds: left.microseconds.subtractingSaturated(right.microseconds))
    }
}

extension Int64 {
    package func addingSaturated(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }

    package func subtractingSaturated(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }

    package func multipliedSaturated(_ factor: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? ((self < 0) != (factor < 0) ? .min : .max) : product
    }

    /// `self * multiplier / divisor`, rounded down, through 128 bits; saturates, and is 0 for a divisor of 0.
    package func scaled(by multiplier: Int64, over divisor: Int64) -> Int64 {
        guard divisor != 0 else { return 0 }
        let (small, overflow) = multipliedReportingOverflow(by: multiplier)
        // Nearly always: a tenth of the time.
        if !overflow, small >= 0, divisor > 0 { return small / divisor }
        let product = Int128(self) * Int128(multiplier)
        let (quotient, remainder) = product.quotientAndRemainder(dividingBy: Int128(divisor))
        let floored = remainder != 0 && (remainder < 0) != (divisor < 0) ? quotient - 1 : quotient
        return Int64(clamping: floored)
    }
}

package func floorModulo(_ value: Int64, _ modulus: Int64) -> Int64 {
    let remainder = value % modulus
    return remainder < 0 ? remainder + modulus : remainder
}
