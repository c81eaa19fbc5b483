import Testing
import YAMLConfiguration

@Suite("Configuration: store.bandwidth")
struct BandwidthConfigurationTests {
    private func bandwidth(_ text: String) throws -> BandwidthConfiguration {
        try box("store: { url: file:///s, bandwidth: \(text) }").store.bandwidth
    }

    private func found(_ text: String) -> [String] {
        mistakes("store: { url: file:///s, bandwidth: \(text) }").map { mistake in
            mistake.split(separator: "store.bandwidth", maxSplits: 1).last.map(String.init) ?? mistake
        }
    }

    @Test("rates, hours and links are read, and say nothing where nothing is said")
    func whole() throws {
        let all = try bandwidth(
            """
            { limit: 20Mbps, schedule: [
              { days: [mon, Tue], from: "08:00", to: 17:30, limit: 512kbps, lanes: live }, { from: "22:00", limit: none },
              { days: [sun], limit: 0 } ], metered: { interfaces: [wwan0, ppp0], limit: 1.5Mbps, lanes: live } }
            """)
        #expect(all.limit.bitsPerSecond == 20_000_000)
        let (work, night, sunday) = (all.schedule[0], all.schedule[1], all.schedule[2])
        #expect(work.days == [.mon, .tue] && work.from == 480 && work.to == 1050 && work.lanes == .live)
        #expect(work.limit.bitsPerSecond == 512_000)
        #expect(night.days.count == 7 && night.from == 1320 && night.to == 1440 && night.lanes == .all)
        #expect(night.limit.bitsPerSecond == nil && sunday.limit.bitsPerSecond == 0)
        #expect(all.metered?.interfaces == ["wwan0", "ppp0"] && all.metered?.limit.bitsPerSecond == 1_500_000)
        #expect(all.metered?.lanes == .live)
        #expect(try box("store: { url: file:///s }").store.bandwidth == bandwidth("{}"))
        let usual = try bandwidth("{ limit: 2Gbps, schedule: [{ lanes: live }] }")
        #expect(usual.schedule.map(\.limit.bitsPerSecond) == [2_000_000_000])
    }

    @Test(
        "a mistake is named with its key",
        arguments: [
            ("{ limt: 1Mbps }", ".limt: unknown key; did you mean limit?"),
            ("{ limit: 20 MB }", ".limit: not a rate such as 20Mbps or 500kbps, 0 or none"),
            ("{ limit: -1Mbps }", ".limit: not a rate such as 20Mbps or 500kbps, 0 or none"),
            ("{ limit: infMbps }", ".limit: not a rate such as 20Mbps or 500kbps, 0 or none"),
            ("{ schedule: {} }", ".schedule: is a mapping, expected a list, as in [a, b]"),
            ("{ schedule: [{ day: [mon] }] }", ".schedule[0].day: unknown key; did you mean days?"),
            (
                "{ schedule: [{}, { days: [montag] }] }",
                ".schedule[1].days: expected mon or tue or wed or thu or fri or sat or sun"
            ),
            (
                "{ schedule: [{ from: 8 }] }",
                ".schedule[0].from: not a time of day between 00:00 and 24:00, such as 08:00"
            ),
            (
                "{ schedule: [{ to: \"24:01\" }] }",
                ".schedule[0].to: not a time of day between 00:00 and 24:00, such as 08:00"
            ),
            (
                "{ schedule: [{ from: \"09:00\", to: \"09:00\" }] }",
                ".schedule[0].from: begins and ends at the same time; nothing is in between"
            ),
            ("{ metered: { limit: 1Mbps } }", ".metered: names no link; add interfaces: [wwan0]"),
            ("{ metered: { interfaces: wwan0 } }", ".metered.interfaces: is one value, expected a list, as in [a, b]"),
            (
                "{ metered: { interfaces: [a/b] } }",
                ".metered.interfaces: not the name of a network interface such as wwan0"
            ),
        ])
    func mistake(text: String, message: String) { #expect(found(text) == [message]) }
}
