package import Recording

extension WallTime {
    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// As headers have it, in whole seconds: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 5.6.7).
    package var httpDate: String {
        let civil = civil
        let timeOfDay = floorModulo(microseconds, 86_400_000_000)
        // 1970-01-01 was a Thursday.
        let weekday = floorModulo((microseconds - timeOfDay) / 86_400_000_000 + 4, 7)
        let clock = [civil.hour, civil.minute, civil.second].map { padded($0, 2) }.joined(separator: ":")
        return "\(Self.days[Int(weekday)]), \(padded(civil.day, 2)) \(Self.months[civil.month - 1]) "
            + "\(padded(civil.year, 4)) \(clock) GMT"
    }

    /// Nil for what is not in that form; the day of the week is not looked at.
    package init?(httpDate text: String) {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let month = Self.months.firstIndex(of: String(parts[2])) else {
            return nil
        }
        self.init(rfc3339: "\(parts[3])-\(padded(month + 1, 2))-\(parts[1])T\(parts[4])Z")
    }
}
