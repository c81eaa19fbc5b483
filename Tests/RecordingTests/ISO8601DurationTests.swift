import Recording
import Testing

/// ISO 8601 durations, in and out.
@Suite("durations")
struct ISO8601DurationTests {
    private func read(_ text: String) -> TimeSpan? { ISO8601Duration.span(of: text, takesYears: false) }

    @Test("those of LVA's samples and documentation")
    func samples() {
        let cases: [(String, TimeSpan)] = [
            ("PT30S", .seconds(30)), ("PT0M30S", .seconds(30)), ("-PT1.0S", .seconds(-1)), ("PT5M", .seconds(300)),
            ("P1DT2H3M4.5S", .milliseconds(93_784_500)), ("P2W", .seconds(1_209_600)),
            ("+PT1S", .seconds(1)), ("PT0.0000019S", TimeSpan(microseconds: 1)), ("PT1H", .seconds(3600)),
        ]
        for (text, span) in cases { #expect(read(text) == span, "\(text)") }
    }

    @Test(
        "nothing else",
        arguments: [
            "", "P", "PT", "-", "P1", "1S", "T1S", "PT1", "PTS", "PT1S1S", "PT1S1M", "PT1H1H", "P1Y", "P1M", "P1DT",
            "PT-1S", "PT1,5S", "PT1.S", "PT.5S", "PT1.1.1S", "--PT1S", "PT١S", "pt1s", "PT99999999999999999999S", "0",
            "00",
        ])
    func refused(text: String) { #expect(read(text) == nil) }

    @Test("years and months for who takes them")
    func years() {
        let span = ISO8601Duration.span(of: "P1Y2M3W", takesYears: true)
        #expect(span == .seconds(38_534_400))
        #expect(ISO8601Duration.span(of: "P2M1Y", takesYears: true) == nil)
    }

    @Test("the longest saturates and traps nothing")
    func longest() {
        #expect(read("P9223372036854775807W")?.microseconds == .max)
        #expect(read("-P9223372036854775807W") == TimeSpan(microseconds: -Int64.max))
    }

    @Test("what is written is read again")
    func text() {
        for microseconds: Int64 in [0, 1, 1_000_000, -1_000_000, 90_000_000, 3_600_000_000, 1_500_000, .max, -.max] {
            let span = TimeSpan(microseconds: microseconds)
            #expect(read(ISO8601Duration.text(span)) == span, "\(ISO8601Duration.text(span))")
        }
        #expect(ISO8601Duration.text(.seconds(-60)) == "-PT1M")
    }
}
