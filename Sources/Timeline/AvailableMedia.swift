package import Recording

/// A question after what is recorded, and its answer, as Live Video Analytics has them (`availableMedia`).
///
/// Bounds are inclusive and in UTC. Years, months and days that follow each other are one range; at full precision a
/// gap parts ranges. A range outside of the recording is no mistake: its answer is empty.
package struct AvailableMedia: Hashable, Sendable {
    package enum Precision: String, Sendable, CaseIterable { case year, month, day, full }

    /// As JSON shows it, in the precision that was asked for.
    package struct TimeRange: Hashable, Sendable, Codable {
        package let start: String
        package let end: String
    }

    package struct Answer: Hashable, Sendable, Codable {
        package let timeRanges: [TimeRange]
    }

    /// The longest range at full precision.
    package static let longest = TimeSpan.seconds(25 * 3600)

    package let precision: Precision
    /// Nil where the recording begins.
    let start: WallTime?
    /// Start of the last period, or the end at full precision; nil where the recording ends.
    let end: WallTime?

    package init(precision: String?, startTime: String?, endTime: String?) throws(RequestMistake) {
        let choices = "give one of year, month, day and full"
        guard let precision else { throw .missing("precision", nextStep: choices) }
        guard let known = Precision(rawValue: precision.lowercased()) else {
            throw .invalid("precision", precision, nextStep: choices)
        }
        self.precision = known
        start = try Self.time("startTime", startTime, known)
        end = try Self.time("endTime", endTime, known)
        if let start, let end { try check(start, end) }
    }

    /// It asks about what was before a moment.
    package func reaches(before moment: WallTime) -> Bool { start ?? .earliest < moment }

    package func answer(_ footage: FootageQuestions) throws -> Answer {
        guard precision != .full else {
            guard let start, let end else { return Answer(timeRanges: []) }
            let spans = try footage.clippedSpans(start, end)
            return Answer(timeRanges: spans.map { TimeRange(start: $0.start.rfc3339, end: $0.end.rfc3339) })
        }
        guard let known = try footage.firstAndLast() else { return Answer(timeRanges: []) }
        let last = CalendarPeriod(precision, known.1 - TimeSpan(microseconds: 1)).start
        var period = CalendarPeriod(precision, max(start ?? known.0, known.0))
        let final = min(end ?? last, last)
        var ranges: [TimeRange] = []
        var isOpen = false
        while period.start <= final {
            let end = period.end
            let isRecorded = try footage.hasFootage(period.start, end)
            if isRecorded {
                let start = isOpen ? ranges.popLast()?.start : nil
                ranges.append(TimeRange(start: start ?? period.text, end: period.text))
            }
            isOpen = isRecorded
            guard end > period.start, end < .latest else { break }
            period = CalendarPeriod(precision, end)
        }
        return Answer(timeRanges: ranges)
    }
}

extension AvailableMedia {
    private static func time(
        _ name: String, _ text: String?, _ precision: Precision
    ) throws(RequestMistake) -> WallTime? {
        guard let text else {
            guard precision != .year else { return nil }
            throw .missing(
                name, nextStep: "precision \(precision.rawValue) needs startTime and endTime, \(precision.form)")
        }
        guard let time = WallTime(rfc3339: text + precision.rest) else {
            throw .invalid(name, text, nextStep: "write it \(precision.form)")
        }
        return time
    }

    /// Each limit is LVA's.
    private func check(_ start: WallTime, _ end: WallTime) throws(RequestMistake) {
        guard start < end || precision != .full && start == end else {
            let order = precision == .full ? "before" : "not after"
            throw RequestMistake(
                "invalidRange", "startTime is not \(order) endTime", nextStep: "ask for a range whose start comes first"
            )
        }
        var last = start
        switch precision {
        case .year: return
        case .month: for _ in 0..<11 { last = CalendarPeriod(.month, last).end }
        case .day: last = start + .seconds(30 * 86_400)
        case .full: last = start + Self.longest
        }
        guard end > last else { return }
        let most = [Precision.month: "12 months", .day: "31 days"][precision] ?? "25 hours"
        throw RequestMistake(
            "rangeTooLong", "the range is longer than \(most), the maximum for precision \(precision.rawValue)",
            nextStep: "ask for at most \(most) at a time, or with a coarser precision")
    }
}

extension AvailableMedia.Precision {
    /// How a time is written.
    fileprivate var form: String {
        switch self {
        case .year: "as YYYY"
        case .month: "as YYYY-MM"
        case .day: "as YYYY-MM-DD"
        case .full: "in UTC as YYYY-MM-DDThh:mm:ss.sssZ"
        }
    }

    /// What makes a time of this precision a whole one.
    fileprivate var rest: String {
        switch self {
        case .year: "-01-01T00:00:00Z"
        case .month: "-01T00:00:00Z"
        case .day: "T00:00:00Z"
        case .full: ""
        }
    }

    fileprivate var textLength: Int { [.year: 4, .month: 7][self] ?? 10 }
}

/// A UTC year, month or day.
private struct CalendarPeriod {
    let precision: AvailableMedia.Precision
    let start: WallTime

    /// The one that holds a moment.
    init(_ precision: AvailableMedia.Precision, _ time: WallTime) {
        self.precision = precision
        var civil = time.civil
        (civil.hour, civil.minute, civil.second, civil.microsecond) = (0, 0, 0, 0)
        if precision != .day { civil.day = 1 }
        if precision == .year { civil.month = 1 }
        start = WallTime(civil) ?? time
    }

    /// Start of the next one; of the calendar's last, its end.
    var end: WallTime {
        var civil = start.civil
        switch precision {
        case .year: civil.year += 1
        case .month: (civil.year, civil.month) = civil.month == 12 ? (civil.year + 1, 1) : (civil.year, civil.month + 1)
        default: return start + .seconds(86_400)
        }
        return WallTime(civil) ?? .latest
    }

    var text: String { String(start.rfc3339.prefix(precision.textLength)) }
}
