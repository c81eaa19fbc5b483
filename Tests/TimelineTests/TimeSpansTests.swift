import Recording
import Testing
import Timeline

@Suite("Timeline: MediaMTX's questions")
struct TimeSpansTests {
    private let footage = questions(
        ("2026-01-02T03:00:00.5Z", "2026-01-02T04:00:00Z"), ("2026-01-02T05:00:00Z", "2026-01-02T05:00:10.25Z"))

    @Test("spans come with where to get them")
    func list() throws {
        let spans = try TimeSpans(path: "front", start: nil, end: nil)
        let entries = try spans.entries(footage, base: "http://box:8480", suffix: "&token=t", longest: .seconds(3600))
        #expect(
            entries.map(\.url) == [
                "http://box:8480/get?path=front&start=2026-01-02T03:00:00.500000Z&duration=3599.5&token=t",
                "http://box:8480/get?path=front&start=2026-01-02T05:00:00.000000Z&duration=10.25&token=t",
            ])
        #expect(entries.map(\.duration) == [3599.5, 10.25])
        #expect(entries.map(\.start) == ["2026-01-02T03:00:00.500000Z", "2026-01-02T05:00:00.000000Z"])
    }

    @Test("bounds clip spans")
    func clipped() throws {
        let spans = try TimeSpans(path: "front", start: "2026-01-02T04:30:00+01:00", end: "2026-01-02T05:00:01Z")
        #expect(try spans.entries(footage, base: "", longest: .seconds(3600)).map(\.duration) == [1800, 1])
        let none = try TimeSpans(path: "front", start: "2027-01-01T00:00:00Z", end: nil)
        #expect(try none.entries(footage, base: "", longest: .seconds(3600)).isEmpty)
    }

    @Test(
        "durations are seconds or as Go writes them",
        arguments: [
            ("5", 5.0), ("0.25", 0.25), ("1m30s", 90), ("1h15m30.5s", 4530.5), ("300ms", 0.3), ("1500us", 0.0015),
            ("2h", 7200),
        ])
    func durations(_ text: String, _ seconds: Double) throws {
        let clip = try ClipRequest(path: "front", start: "2026-01-02T03:00:00Z", duration: text, format: nil)
        #expect(clip.duration == TimeSpan(seconds: seconds) && clip.format == .fmp4 && clip.gap == .stop)
        #expect(clip.end == clip.start + clip.duration)
    }

    @Test(
        "anything else is a mistake",
        arguments: [
            (nil, "2026-01-02T03:00:00Z", "5", nil, nil), ("", "2026-01-02T03:00:00Z", "5", nil, nil),
            ("../etc", "2026-01-02T03:00:00Z", "5", nil, nil), ("front", nil, "5", nil, nil),
            ("front", "5", "5", nil, nil),
            ("front", "2026-01-02T03:00:00Z", nil, nil, nil), ("front", "2026-01-02T03:00:00Z", "0", nil, nil),
            ("front", "2026-01-02T03:00:00Z", "-5", nil, nil), ("front", "2026-01-02T03:00:00Z", "nan", nil, nil),
            ("front", "2026-01-02T03:00:00Z", "inf", nil, nil), ("front", "2026-01-02T03:00:00Z", "0x10", nil, nil),
            ("front", "2026-01-02T03:00:00Z", "5 s", nil, nil), ("front", "2026-01-02T03:00:00Z", "1e9", nil, nil),
            ("front", "2026-01-02T03:00:00Z", "5x", nil, nil), ("front", "2026-01-02T03:00:00Z", "", nil, nil),
            ("front", "2026-01-02T03:00:00Z", "5", "avi", nil), ("front", "2026-01-02T03:00:00Z", "5", nil, "pad"),
        ] as [(String?, String?, String?, String?, String?)])
    func mistakes(_ path: String?, _ start: String?, _ duration: String?, _ format: String?, _ gap: String?) {
        let mistake = #expect(throws: RequestMistake.self) {
            try ClipRequest(path: path, start: start, duration: duration, format: format, gap: gap)
        }
        #expect(mistake?.nextStep.isEmpty == false)
    }

    @Test("a list's range has its start first")
    func order() {
        let start = "2026-01-02T03:00:00Z"
        #expect(throws: RequestMistake.self) { try TimeSpans(path: "front", start: start, end: start) }
    }

    @Test("where a segment's media is served is read as it is written, and as nothing else")
    func addresses() {
        let piece = Piece(.made(session: 7, 3, at: 1.25), 0..<10, shift: .seconds(-4))
        let address = MediaAddress(piece)
        #expect(address.path == "media/7.3.1767322801250/-4000000.mp4")
        #expect(MediaAddress(segment: "7.3.1767322801250", file: "-4000000.mp4") == address)
        // Of two boxes' segments of one number the catalog keeps one under another, which is negative.
        let other = MediaAddress(Piece(.made(session: -1_099_511_627_769, 3, at: 1.25), 0..<10, shift: .zero))
        #expect(other.path == "media/-1099511627769.3.1767322801250/0.mp4")
        #expect(MediaAddress(segment: "-1099511627769.3.1767322801250", file: "0.mp4") == other)
        for (segment, file) in [
            ("-0.3.1", "0.mp4"), ("--7.3.1", "0.mp4"), ("-07.3.1", "0.mp4"), ("7.3", "0.mp4"), ("7.3.1.1", "0.mp4"),
            ("07.3.1", "0.mp4"), ("7.3.1", "+0.mp4"), ("7.3.1", "0.mp3"),
            ("7.-3.1", "0.mp4"), ("0.3.1", "0.mp4"), ("7.3.99999999999999999999", "0.mp4"), ("../7.3.1", "0.mp4"),
            ("7.3.9223372036854775807", "0.mp4"),
        ] { #expect(MediaAddress(segment: segment, file: file) == nil, "\(segment)/\(file)") }
    }
}
