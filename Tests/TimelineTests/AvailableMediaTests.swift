import Recording
import Testing
import Timeline

/// The vectors of Live Video Analytics' documentation, and its rules.
@Suite("Timeline: available media")
struct AvailableMediaTests {
    private func ranges(
        _ precision: String, _ start: String?, _ end: String?, _ footage: FootageQuestions
    ) throws -> [String] {
        try AvailableMedia(precision: precision, startTime: start, endTime: end).answer(footage).timeRanges
            .map { "\($0.start)/\($0.end)" }
    }

    private let day = ("2019-12-21T00:00:00.000Z", "2019-12-22T00:00:00Z")

    @Test("a full day without a gap is one range")
    func wholeDay() throws {
        let footage = questions(("2019-12-20T10:00:00Z", "2019-12-23T10:00:00Z"))
        #expect(
            try ranges("full", day.0, day.1, footage) == ["2019-12-21T00:00:00.000Z/2019-12-22T00:00:00.000Z"])
    }

    @Test("a gap of two seconds parts ranges at full precision")
    func shortGap() throws {
        let footage = questions(
            ("2019-12-20T10:00:00Z", "2019-12-21T04:01:08Z"), ("2019-12-21T04:01:10Z", "2019-12-23T10:00:00Z"))
        #expect(
            try ranges("full", day.0, day.1, footage) == [
                "2019-12-21T00:00:00.000Z/2019-12-21T04:01:08.000Z",
                "2019-12-21T04:01:10.000Z/2019-12-22T00:00:00.000Z",
            ])
    }

    @Test("a gap of eight hours parts ranges at full precision")
    func longGap() throws {
        let footage = questions(
            ("2019-12-20T10:00:00Z", "2019-12-21T04:00:00Z"), ("2019-12-21T12:00:00Z", "2019-12-23T10:00:00Z"))
        #expect(
            try ranges("full", day.0, day.1, footage) == [
                "2019-12-21T00:00:00.000Z/2019-12-21T04:00:00.000Z",
                "2019-12-21T12:00:00.000Z/2019-12-22T00:00:00.000Z",
            ])
    }

    @Test("months with any footage follow each other as one range")
    func months() throws {
        let footage = questions(
            ("2018-11-05T00:00:00Z", "2019-06-18T00:00:00Z"), ("2019-09-06T00:00:00Z", "2020-02-01T00:00:00Z"))
        #expect(
            try ranges("month", "2019-01", "2019-12", footage) == ["2019-01/2019-06", "2019-09/2019-12"])
    }

    @Test("days end with the last that has footage")
    func days() throws {
        let footage = questions(
            ("2019-01-01T00:00:00Z", "2019-06-17T23:00:00Z"), ("2019-09-06T00:00:00Z", "2019-12-31T00:00:00Z"))
        #expect(try ranges("day", "2019-06-01", "2019-06-30", footage) == ["2019-06-01/2019-06-17"])
    }

    @Test("a camera that records on weekdays has a range a week")
    func weekdays() throws {
        let weekdays = [3...7, 10...14, 17...21, 24...28].flatMap { Array($0) }.filter { $0 != 17 }
        let footage = questions(
            weekdays.map { day in
                let date = "2020-02-\(padded(day, 2))"
                return (
                    WallTime(rfc3339: "\(date)T09:00:00Z") ?? .earliest,
                    WallTime(rfc3339: "\(date)T17:00:00Z") ?? .earliest
                )
            })
        #expect(
            try ranges("day", "2020-02-01", "2020-02-29", footage) == [
                "2020-02-03/2020-02-07", "2020-02-10/2020-02-14", "2020-02-18/2020-02-21", "2020-02-24/2020-02-28",
            ])
    }

    @Test(
        "years without bounds begin and end with the recording",
        arguments: [
            (nil, nil, ["2018/2019", "2021/2022"]), ("2019", nil, ["2019/2019", "2021/2022"]),
            (nil, "2021", ["2018/2019", "2021/2021"]), ("0000", "9999", ["2018/2019", "2021/2022"]),
            ("2020", "2020", []), ("2030", nil, []), (nil, "2000", []),
        ] as [(String?, String?, [String])])
    func years(_ start: String?, _ end: String?, _ expected: [String]) throws {
        let footage = questions(
            ("2018-03-01T00:00:00Z", "2019-03-01T00:00:00Z"), ("2021-12-31T23:00:00Z", "2022-01-01T01:00:00Z"))
        #expect(try ranges("year", start, end, footage) == expected)
        #expect(try ranges("year", start, end, questions([])) == [])
    }

    @Test("footage that ends with a year, a month or a day is none of the next")
    func midnight() throws {
        let footage = questions(("2019-12-31T00:00:00Z", "2020-01-01T00:00:00Z"))
        #expect(try ranges("year", nil, nil, footage) == ["2019/2019"])
        #expect(try ranges("month", "2019-12", "2020-11", footage) == ["2019-12/2019-12"])
        #expect(try ranges("day", "2019-12-30", "2020-01-02", footage) == ["2019-12-31/2019-12-31"])
        #expect(try ranges("full", "2020-01-01T00:00:00Z", "2020-01-01T01:00:00Z", footage) == [])
    }

    @Test("the calendar's ends are no trap")
    func calendarEnds() throws {
        let all = questions([(.earliest, .latest)])
        #expect(try ranges("year", nil, nil, all) == ["0000/9999"])
        #expect(try ranges("month", "9999-01", "9999-12", all) == ["9999-01/9999-12"])
        #expect(try ranges("day", "9999-12-01", "9999-12-31", all) == ["9999-12-01/9999-12-31"])
    }

    @Test(
        "the longest ranges are answered, and longer ones with the maximum",
        arguments: [
            ("month", "2019-01", "2019-12", "2020-01", "12 months"),
            ("month", "2019-06", "2020-05", "2020-06", "12 months"),
            ("day", "2019-01-01", "2019-01-31", "2019-02-01", "31 days"),
            ("full", "2019-01-01T00:00:00Z", "2019-01-02T01:00:00Z", "2019-01-02T01:00:00.001Z", "25 hours"),
        ])
    func limits(_ precision: String, _ start: String, _ longest: String, _ tooLong: String, _ maximum: String) throws {
        _ = try ranges(precision, start, longest, questions([]))
        let mistake = #expect(throws: RequestMistake.self) { try ranges(precision, start, tooLong, questions([])) }
        #expect(mistake?.code == "rangeTooLong" && mistake?.message.contains(maximum) == true)
    }

    @Test(
        "a mistake says what is wrong and how to ask",
        arguments: [
            (nil, nil, nil, "missingParameter", "year, month, day and full"),
            ("hour", nil, nil, "invalidParameter", "year, month, day and full"),
            ("month", "2019-01", nil, "missingParameter", "YYYY-MM"),
            ("day", nil, "2019-01-01", "missingParameter", "YYYY-MM-DD"),
            ("full", nil, nil, "missingParameter", "YYYY-MM-DDThh:mm:ss.sssZ"),
            ("year", "2019-01", nil, "invalidParameter", "YYYY"),
            ("year", "19", nil, "invalidParameter", "YYYY"),
            ("month", "2019-13", "2019-12", "invalidParameter", "YYYY-MM"),
            ("month", "2019", "2019-12", "invalidParameter", "YYYY-MM"),
            ("day", "2019-02-29", "2019-03-01", "invalidParameter", "YYYY-MM-DD"),
            ("full", "2019-02-01", "2019-03-01", "invalidParameter", "YYYY-MM-DDThh:mm:ss.sssZ"),
            ("full", "2019-02-01T00:00:00Z", "2019-02-01T00:00:00Z", "invalidRange", "start comes first"),
            ("day", "2019-02-02", "2019-02-01", "invalidRange", "start comes first"),
            ("year", "2020", "2019", "invalidRange", "start comes first"),
        ] as [(String?, String?, String?, String, String)])
    func mistakes(_ precision: String?, _ start: String?, _ end: String?, _ code: String, _ next: String) {
        let mistake = #expect(throws: RequestMistake.self) {
            try AvailableMedia(precision: precision, startTime: start, endTime: end)
        }
        #expect(mistake?.code == code && mistake?.nextStep.contains(next) == true, "\(String(describing: mistake))")
    }
}
