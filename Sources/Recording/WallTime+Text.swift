/// A UTC calendar date and time of day, proleptic Gregorian.
package struct CivilTime: Hashable, Sendable {
    package var year: Int
    package var month: Int
    package var day: Int
    package var hour: Int
    package var minute: Int
    package var second: Int
    package var microsecond: Int
}

extension WallTime {
    /// The UTC date and time of day; days to civil date after Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    package var civil: CivilTime {
        let dayLength: Int64 = 86_400_000_000
        let timeOfDay = floorModulo(microseconds, dayLength)
        let days = (microseconds - timeOfDay) / dayLength + 719_468
        let era = (days - floorModulo(days, 146_097)) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return CivilTime(
            year: Int(yearOfEra + era * 400 + (month <= 2 ? 1 : 0)), month: Int(month),
            day: Int(dayOfYear - (153 * shifted + 2) / 5 + 1), hour: Int(timeOfDay / 3_600_000_000),
            minute: Int(timeOfDay / 60_000_000 % 60), second: Int(timeOfDay / 1_000_000 % 60),
            microsecond: Int(timeOfDay % 1_000_000))
    }

    /// Nil when a field is out of its range, the year outside 0...9999, or the day not in that month.
    package init?(_ civil: CivilTime) {
        guard (0...9999).contains(civil.year), (1...12).contains(civil.month), (1...31).contains(civil.day),
            (0...23).contains(civil.hour), (0...59).contains(civil.minute), (0...60).contains(civil.second),
            (0...999_999).contains(civil.microsecond)
        else { return nil }
        let year = Int64(civil.month <= 2 ? civil.year - 1 : civil.year)
        let era = (year - floorModulo(year, 400)) / 400
        let yearOfEra = year - era * 400
        let month = Int64(civil.month)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + Int64(civil.day) - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        let seconds = Int64(civil.hour * 3600 + civil.minute * 60 + civil.second)
        self.init(microseconds: (days * 86_400 + seconds) * 1_000_000 + Int64(civil.microsecond))
        let back = self.civil
        guard civil.second == 60 || (back.day == civil.day && back.month == civil.month) else { return nil }
    }

    /// RFC 3339, UTC, milliseconds: `2026-11-23T09:48:00.123Z`.
    package var rfc3339: String { "\(dateAndSeconds).\(padded(civil.microsecond / 1000, 3))Z" }

    /// RFC 3339, UTC, microseconds, as segments and journals keep it: `2026-11-23T09:48:00.123456Z`.
    package var rfc3339Microseconds: String { "\(dateAndSeconds).\(padded(civil.microsecond, 6))Z" }

    private var dateAndSeconds: String {
        let civil = civil
        return "\(padded(civil.year, 4))-\(padded(civil.month, 2))-\(padded(civil.day, 2))T"
            + "\(padded(civil.hour, 2)):\(padded(civil.minute, 2)):\(padded(civil.second, 2))"
    }

    /// RFC 3339 with any offset and up to nine decimals; nil for anything else.
    package init?(rfc3339 text: some StringProtocol) {
        var digits = DigitReader(text.utf8)
        guard let year = digits.number(4), digits.skip("-"), let month = digits.number(2), digits.skip("-"),
            let day = digits.number(2), digits.skip("Tt "), let hour = digits.number(2), digits.skip(":"),
            let minute = digits.number(2), digits.skip(":"), let second = digits.number(2),
            let microsecond = digits.fraction(), let offset = digits.offset(), digits.isAtEnd,
            let local = WallTime(
                CivilTime(
                    year: year, month: month, day: day, hour: hour, minute: minute, second: second,
                    microsecond: microsecond))
        else { return nil }
        self = local - offset
    }
}

package func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

/// Reads fixed-width decimal fields off the front of ASCII text.
private struct DigitReader {
    private var rest: [UInt8].SubSequence

    init(_ bytes: some Sequence<UInt8>) { rest = Array(bytes.prefix(64))[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ anyOf: String) -> Bool {
        guard let next = rest.first, anyOf.utf8.contains(next) else { return false }
        rest.removeFirst()
        return true
    }

    mutating func number(_ width: Int) -> Int? {
        guard rest.count >= width else { return nil }
        var value = 0
        for byte in rest.prefix(width) {
            guard (48...57).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 48)
        }
        rest.removeFirst(width)
        return value
    }

    /// Microseconds of an optional `.fff` part; 0 without one.
    mutating func fraction() -> Int? {
        guard skip(".") else { return 0 }
        var value = 0
        var count = 0
        while let digit = number(1) {
            if count < 6 { value = value * 10 + digit }
            count += 1
        }
        guard (1...9).contains(count) else { return nil }
        for _ in min(count, 6)..<6 { value *= 10 }
        return value
    }

    mutating func offset() -> TimeSpan? {
        if skip("Zz") { return .zero }
        let sign: Int64 = rest.first == UInt8(ascii: "-") ? -1 : 1
        guard skip("+-"), let hours = number(2), skip(":"), let minutes = number(2), hours < 24, minutes < 60 else {
            return nil
        }
        return .seconds(sign * Int64(hours * 3600 + minutes * 60))
    }
}
