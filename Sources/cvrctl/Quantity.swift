import Glibc
import Recording

/// Numbers as a tired operator reads them: two or three digits and a unit.
enum Quantity {
    /// `0.1s`, `42s`, `4m12s`, `3h12m`, `2d4h`.
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite else { return "–" }
        if seconds < 0 { return "0s" }
        if seconds < 10, seconds != seconds.rounded() { return decimal(seconds, places: 1) + "s" }
        let whole = Int64(min(seconds, 1e12))
        let (minutes, hours, days) = (whole / 60, whole / 3600, whole / 86_400)
        if minutes == 0 { return "\(whole)s" }
        if hours == 0 { return pair(minutes, "m", whole % 60, "s") }
        if days == 0 { return pair(hours, "h", minutes % 60, "m") }
        return days > 99 ? "\(days)d" : pair(days, "d", hours % 24, "h")
    }

    /// `812M`, `2.0G`; binary.
    static func bytes(_ count: Int64) -> String { scaled(Double(count), by: 1024, ["", "K", "M", "G", "T", "P"]) }

    /// `4.1Mb/s`; decimal.
    static func rate(_ bitsPerSecond: Double) -> String {
        guard bitsPerSecond.isFinite, bitsPerSecond > 0 else { return "–" }
        return scaled(bitsPerSecond, by: 1000, ["b/s", "kb/s", "Mb/s", "Gb/s"])
    }

    /// Rounded down: 99.999 % is not 100.
    static func percent(_ value: Double) -> String { decimal((value * 100).rounded(.down) / 100, places: 2) + " %" }

    static func decimal(_ value: Double, places: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "–" }
        var scale: Int64 = 1
        for _ in 0..<places { scale *= 10 }
        let scaled = Int64((abs(value) * Double(scale)).rounded())
        let fraction = String(scaled % scale)
        let sign = value < 0 && scaled > 0 ? "-" : ""
        let zeros = String(repeating: "0", count: max(0, places - fraction.utf8.count))
        return places == 0 ? "\(sign)\(scaled)" : "\(sign)\(scaled / scale).\(zeros)\(fraction)"
    }

    static func now() -> WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
    }

    /// How long ago a time was; `–` for what is none.
    static func age(_ text: String?, at now: WallTime) -> String {
        guard let text, let time = WallTime(rfc3339: text) else { return "–" }
        return duration(max(0, (now - time).seconds.rounded(.down)))
    }

    /// Seconds between two times; nil when one is none.
    static func length(_ from: String, _ to: String) -> Double? {
        guard let from = WallTime(rfc3339: from), let to = WallTime(rfc3339: to) else { return nil }
        return (to - from).seconds
    }

    private static func pair(_ large: Int64, _ unit: String, _ small: Int64, _ smallUnit: String) -> String {
        small == 0 ? "\(large)\(unit)" : "\(large)\(unit)\(small)\(smallUnit)"
    }

    private static func scaled(_ value: Double, by step: Double, _ units: [String]) -> String {
        var (value, index) = (max(0, value), 0)
        while value.rounded() >= step, index < units.count - 1 {
            value /= step
            index += 1
        }
        let shown = index == 0 || value >= 9.95 ? decimal(value, places: 0) : decimal(value, places: 1)
        return shown + units[index]
    }
}
