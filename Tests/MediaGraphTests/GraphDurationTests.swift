import MediaGraph
import Recording
import TestSupport
import Testing

/// ISO 8601 durations, in and out.
@Suite("durations of graphs")
struct GraphDurationTests {
    @Test("those of LVA's samples and documentation")
    func samples() {
        let cases: [(String, TimeSpan)] = [
            ("PT30S", .seconds(30)), ("PT0M30S", .seconds(30)), ("-PT1.0S", .seconds(-1)), ("PT5M", .seconds(300)),
            ("0", .zero), ("P1DT2H3M4.5S", .milliseconds(93_784_500)), ("P2W", .seconds(1_209_600)),
            ("+PT1S", .seconds(1)), ("PT0.0000019S", TimeSpan(microseconds: 1)), ("PT1H", .seconds(3600)),
        ]
        for (text, span) in cases { #expect(GraphDuration.span(of: text) == span, "\(text)") }
    }

    @Test(
        "nothing else",
        arguments: [
            "", "P", "PT", "-", "P1", "1S", "T1S", "PT1", "PTS", "PT1S1S", "PT1S1M", "PT1H1H", "P1Y", "P1M", "P1DT",
            "PT-1S", "PT1,5S", "PT1.S", "PT.5S", "PT1.1.1S", "--PT1S", "PT١S", "pt1s", "PT99999999999999999999S", "00",
        ])
    func refused(text: String) { #expect(GraphDuration.span(of: text) == nil) }

    @Test("the longest saturates and traps nothing")
    func longest() {
        #expect(GraphDuration.span(of: "P9223372036854775807W")?.microseconds == .max)
        #expect(GraphDuration.span(of: "-P9223372036854775807W") == TimeSpan(microseconds: -Int64.max))
    }

    @Test("what is written is read again")
    func text() {
        for microseconds: Int64 in [0, 1, 1_000_000, -1_000_000, 90_000_000, 3_600_000_000, 1_500_000, .max, -.max] {
            let span = TimeSpan(microseconds: microseconds)
            #expect(GraphDuration.span(of: GraphDuration.text(span)) == span, "\(GraphDuration.text(span))")
        }
        #expect(GraphDuration.text(.seconds(-60)) == "-PT1M")
    }

    @Test("names hold the times of their recordings")
    func names() {
        let pattern = NamePattern([.text("a-"), .dateTime, .text("-"), .preciseDateTime])
        #expect(pattern.hasTime)
        #expect(pattern.resolve(at: someTime) == "a-20210419T192249Z-20210419T192249.296Z")
        #expect(!NamePattern([.text("a")]).hasTime)
        #expect(pattern.resolve(at: .earliest).hasPrefix("a-00000101T000000Z"))
    }
}
