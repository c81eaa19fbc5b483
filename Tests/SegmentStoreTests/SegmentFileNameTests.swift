import Recording
import SegmentStore
import Testing

@Suite("SegmentFileName")
struct SegmentFileNameTests {
    @Test(
        "writes and reads back what ARCHITECTURE.md shows",
        arguments: [
            (SegmentFileName.Stage.closed, "2026-11-23/09/48-00.123Z.7.12.mp4"),
            (.partial, "2026-11-23/09/48-00.123Z.7.12.mp4.partial"),
            (.suspect, "2026-11-23/09/48-00.123Z.7.12.mp4.suspect"),
        ])
    func roundTrip(stage: SegmentFileName.Stage, path: String) {
        let start = WallTime(microseconds: 1_795_427_280_123_456)
        let name = SegmentFileName(start: start, id: SegmentID(session: 7, counter: 12), stage: stage)
        #expect(name.relativePath == path)
        #expect(SegmentFileName(relativePath: path) == name)
        #expect(name.start == start.wholeMilliseconds)
        #expect(name.isPartial == (stage == .partial))
    }

    @Test(
        "refuses what it would not write itself",
        arguments: [
            "", "journal", "lock.a", "2026-11-23/09", "2026-11-23/09/48-00.123Z.7.12", "2026-11-23/09/48-00.123Z.7.mp4",
            "2026-11-23/09/48-00.123Z.07.12.mp4", "2026-11-23/09/48-00.123Z.0.12.mp4",
            "2026-11-23/09/48-00.123Z.7.-1.mp4", "2026-11-23/09/48-00.123Z.7.+1.mp4",
            "2026-11-23/24/48-00.123Z.7.1.mp4",
            "2026-02-30/09/48-00.123Z.7.12.mp4", "2026-11-23/09/48-00.1234Z.7.12.mp4",
            "2026-11-23/09/48-00.123Z.7.12.mp4.tmp", "2026-11-23/09/48:00.123Z.7.12.mp4",
            "2026-11-23/09/48-00.123Z.99999999999999999999.1.mp4", "/2026-11-23/09/48-00.123Z.7.12.mp4",
            "../2026-11-23/09/48-00.123Z.7.12.mp4", "2026-11-23/09/48-00.123+01:00.7.12.mp4",
        ])
    func refuses(path: String) {
        #expect(SegmentFileName(relativePath: path) == nil)
    }

    @Test("a clock gone wild still has names")
    func extremes() {
        for start in [WallTime.earliest, .latest, WallTime(microseconds: -1), WallTime(microseconds: 0)] {
            let name = SegmentFileName(start: start, id: SegmentID(session: 1, counter: 0))
            #expect(SegmentFileName(relativePath: name.relativePath) == name)
        }
    }
}
