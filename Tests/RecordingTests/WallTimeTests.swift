import Recording
import Testing

@Suite("WallTime")
struct WallTimeTests {
    @Test(
        "formats and reads RFC 3339",
        arguments: [
            (Int64(0), "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (1_795_427_280_123_456, "2026-11-23T09:48:00.123Z"),
            (951_782_399_999_000, "2000-02-28T23:59:59.999Z"),
            (951_868_800_000_000, "2000-03-01T00:00:00.000Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999Z"),
            (-62_167_219_200_000_000, "0000-01-01T00:00:00.000Z"),
        ])
    func rfc3339(microseconds: Int64, text: String) {
        let time = WallTime(microseconds: microseconds)
        #expect(time.rfc3339 == text)
        #expect(WallTime(rfc3339: text) == time.wholeMilliseconds)
    }

    @Test("reads offsets and refuses what is not a time")
    func parsing() {
        #expect(WallTime(rfc3339: "2026-11-23T11:48:00+02:00")?.rfc3339 == "2026-11-23T09:48:00.000Z")
        for wrong in ["", "2026-11-23", "2026-02-30T00:00:00Z", "2026-11-23T25:00:00Z", "2026-11-23T09:48:00", "x"] {
            #expect(WallTime(rfc3339: wrong) == nil, "\(wrong)")
        }
    }

    @Test("saturates instead of trapping")
    func saturation() {
        #expect(WallTime(microseconds: .max) == .latest)
        #expect(WallTime(seconds: .min) == .earliest)
        #expect(WallTime.latest + TimeSpan(microseconds: .max) == .latest)
        #expect(TimeSpan.seconds(.max) * -2 == TimeSpan(microseconds: .min))
        #expect(Int64.max.scaled(by: 90_000, over: 1) == .max)
        #expect(Int64(-1).scaled(by: 1, over: 90_000) == -1)
    }

    @Test("every day of 400 years goes there and back")
    func civilRoundTrip() {
        for day in Int64(-25_567)..<(-25_567 + 146_097) {
            let time = WallTime(microseconds: day * 86_400_000_000)
            #expect(WallTime(time.civil) == time)
        }
    }
}
