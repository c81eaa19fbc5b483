import Recording
import Testing
import Timeline

@Suite("Timeline: manifest requests")
struct ManifestRequestTests {
    @Test(
        "names and formats are taken in any case, fields in any order",
        arguments: [
            ("manifest(format=m3u8-aapl).m3u8", ManifestRequest.Format.hlsForApple, false, false),
            ("manifest(format=m3u8-cmaf)", .hls, false, false),
            ("Manifest(Format=MPD-time-CMAF).MPD", .dash, false, false),
            ("manifest(format=mpd-time-cmaf,startTime=2019-12-21T14:00:00.000Z)", .dash, true, false),
            (
                "manifest(starttime=2019-12-21T14:00:00Z,endtime=2019-12-21T18:00:00.000Z,format=m3u8-cmaf).m3u8", .hls,
                true, true
            ),
            ("manifest( format = m3u8-cmaf , startTime = 2019-12-21T14:00:00Z )", .hls, true, false),
        ])
    func grammar(_ text: String, _ format: ManifestRequest.Format, _ hasStart: Bool, _ hasEnd: Bool) throws {
        let request = try ManifestRequest(text)
        #expect(request.format == format)
        #expect(request.startTime == (hasStart ? WallTime(rfc3339: "2019-12-21T14:00:00Z") : nil))
        #expect(request.endTime == (hasEnd ? WallTime(rfc3339: "2019-12-21T18:00:00Z") : nil))
    }

    @Test(
        "anything else is a mistake that says how to ask",
        arguments: [
            ("manifest", "invalidParameter"), ("manifest()", "invalidParameter"), ("", "invalidParameter"),
            ("manifest(format=m3u8-cmaf", "invalidParameter"), ("index.m3u8", "invalidParameter"),
            ("manifest(format=m3u8-cmaf).mpd", "invalidParameter"),
            ("manifest(format=m3u8-cmaf)/../x", "invalidParameter"),
            ("manifest(format=m3u8-v3)", "invalidParameter"),
            ("manifest(startTime=2019-12-21T14:00:00Z)", "missingParameter"),
            ("manifest(format=m3u8-cmaf,format=m3u8-cmaf)", "invalidParameter"),
            ("manifest(format=m3u8-cmaf,filter=x)", "invalidParameter"),
            ("manifest(format=m3u8-cmaf,startTime=yesterday)", "invalidParameter"),
            ("manifest(format=m3u8-cmaf,endTime=2019-12-21T14:00:00Z)", "missingParameter"),
            (
                "manifest(format=m3u8-cmaf,startTime=2019-12-21T14:00:00Z,endTime=2019-12-21T14:00:00Z)", "invalidRange"
            ),
            (
                "manifest(format=m3u8-cmaf,startTime=2019-12-21T14:00:00Z,endTime=2019-12-22T14:00:00.001Z)",
                "rangeTooLong"
            ),
            ("manifest(format=" + String(repeating: "x", count: 5000) + ")", "invalidParameter"),
        ])
    func mistakes(_ text: String, _ code: String) {
        let mistake = #expect(throws: RequestMistake.self) { try ManifestRequest(text) }
        #expect(
            mistake?.code == code && mistake?.nextStep.isEmpty == false
                && mistake.map { $0.message.utf8.count < 120 } == true)
    }

    private static let recorded: [(Double, Double)] = [(0.0, 3600.0), (7200, 14_400), (40 * 3600, 50 * 3600)]

    private func plan(_ start: Double?, _ end: Double?, isLive: Bool) throws -> String? {
        func time(_ seconds: Double) -> WallTime { epoch + TimeSpan(seconds: seconds) }
        let fields = [("startTime", start), ("endTime", end)].compactMap { name, value in
            value.map { ",\(name)=\(time($0).rfc3339)" }
        }
        let request = try ManifestRequest("manifest(format=m3u8-cmaf\(fields.joined()))")
        let footage = questions(Self.recorded.map { (time($0.0), time($0.1)) })
        return try request.plan(isLive: isLive, footage).map { plan in
            "\((plan.from - epoch).seconds)-\((plan.to - epoch).seconds)"
                + (plan.isLive ? plan.isSliding ? " sliding" : " live" : "")
        }
    }

    @Test(
        "each row of LVA's table",
        arguments: [
            // Neither: the newest four hours.
            (nil, nil, false, "165600.0-180000.0"), (nil, nil, true, "165600.0-180000.0 sliding"),
            // A start: everything newer, if that is a day or less; snapped to the nearest media.
            (42 * 3600, nil, false, "151200.0-180000.0"), (42 * 3600, nil, true, "151200.0-180000.0 live"),
            (20 * 3600, nil, true, "144000.0-180000.0 live"), (60 * 3600, nil, true, nil),
            // Both: what exists, as video on demand even of an asset that is being written.
            (3000, 8000, true, "3000.0-8000.0"), (3700, 8000, false, "7200.0-8000.0"),
            (3000, 5000, false, "3000.0-3600.0"), (-7200, 20_000, false, "0.0-14400.0"),
            (3700, 7100, false, nil), (-900, -100, false, nil), (50 * 3600, 60 * 3600, true, nil),
            (49 * 3600, 60 * 3600, true, "176400.0-180000.0"),
        ] as [(Double?, Double?, Bool, String?)])
    func table(_ start: Double?, _ end: Double?, _ isLive: Bool, _ expected: String?) throws {
        #expect(try plan(start, end, isLive: isLive) == expected)
    }

    @Test("LVA's own example: 10:00 to 13:00 of media from 12:00 is 12:00 to 13:00; both bounds in a hole are nothing")
    func hole() throws {
        let day = { (hour: Int) in "2019-12-21T\(hour):00:00.000Z" }
        let footage = questions((day(12), day(20)))
        let request = { (from: Int, to: Int) in
            try ManifestRequest("manifest(format=mpd-time-cmaf,startTime=\(day(from)),endTime=\(day(to)))")
        }
        let plan = try #require(try request(10, 13).plan(isLive: true, footage))
        #expect([plan.from.rfc3339, plan.to.rfc3339] == [day(12), day(13)] && !plan.isLive)
        #expect(try request(10, 12).plan(isLive: true, footage) == nil)
        #expect(try request(20, 23).plan(isLive: true, footage) == nil)
    }

    @Test("more than a day since the start is a mistake that names the maximum")
    func tooLong() {
        let mistake = #expect(throws: RequestMistake.self) { try plan(0, nil, isLive: true) }
        #expect(mistake?.code == "rangeTooLong" && mistake?.message.contains("24 hours") == true)
    }

    @Test("a camera without footage has nothing to list")
    func empty() throws {
        let request = try ManifestRequest("manifest(format=m3u8-cmaf)")
        #expect(try request.plan(isLive: true, questions([])) == nil)
    }
}
