/// Durations of ISO 8601 §5.5.2: `PT30S`, `PT0M30S`, `P30D`, `-PT1.0S`.
package enum ISO8601Duration {
    /// Nil for anything else; years (of 365 days) and months (of 30) count only for who takes them.
    package static func span(of text: String, takesYears: Bool) -> TimeSpan? {
        let years: [(Character, Int64)] = takesYears ? [("Y", 31_536_000), ("M", 2_592_000)] : []
        guard text.utf8.count <= 40 else { return nil }
        var rest = text[...]
        let isNegative = rest.hasPrefix("-")
        if isNegative || rest.hasPrefix("+") { rest = rest.dropFirst() }
        guard rest.hasPrefix("P") else { return nil }
        let halves = rest.dropFirst().split(separator: "T", maxSplits: 1, omittingEmptySubsequences: false)
        guard let date = halves.first, let days = sum(date, years + [("W", 604_800), ("D", 86_400)]) else { return nil }
        let clock = halves.count > 1 ? halves[1] : ""
        guard let time = sum(clock, [("H", 3600), ("M", 60), ("S", 1)]), !(date.isEmpty && clock.isEmpty),
            halves.count == 1 || !clock.isEmpty
        else { return nil }
        return isNegative ? .zero - (days + time) : days + time
    }

    /// In whole hours, minutes or seconds, as LVA's samples have them.
    package static func text(_ span: TimeSpan) -> String {
        let length = span.magnitude.microseconds
        let (seconds, fraction) = length.quotientAndRemainder(dividingBy: 1_000_000)
        let sign = span < .zero ? "-" : ""
        if fraction == 0 && seconds > 0 && seconds % 3600 == 0 { return "\(sign)PT\(seconds / 3600)H" }
        if fraction == 0 && seconds > 0 && seconds % 60 == 0 { return "\(sign)PT\(seconds / 60)M" }
        return "\(sign)PT\(seconds)\(fraction == 0 ? "" : "." + padded(Int(fraction), 6))S"
    }

    /// The sum of `1H30M`-like parts, each unit at most once and in the given order; nil for anything else.
    private static func sum(_ text: Substring, _ units: [(letter: Character, seconds: Int64)]) -> TimeSpan? {
        var rest = text
        var total = TimeSpan.zero
        for unit in units {
            let number = rest.prefix { $0.isASCII && ($0.isWholeNumber || $0 == ".") }
            guard rest.dropFirst(number.count).first == unit.letter else { continue }
            guard let span = scaled(number, by: unit.seconds) else { return nil }
            total = total + span
            rest = rest.dropFirst(number.count + 1)
        }
        return rest.isEmpty ? total : nil
    }

    private static func scaled(_ number: Substring, by seconds: Int64) -> TimeSpan? {
        let halves = number.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(halves.count), let first = halves.first, let whole = Int64(first) else { return nil }
        let decimals = halves.dropFirst().first ?? "0"
        // Past the microsecond nothing here can tell.
        guard !decimals.isEmpty, let fraction = Int64(decimals.prefix(6)) else { return nil }
        let microseconds = (min(decimals.count, 6)..<6).reduce(fraction) { value, _ in value * 10 }
        return TimeSpan.seconds(whole) * seconds + TimeSpan(microseconds: microseconds) * seconds
    }
}
