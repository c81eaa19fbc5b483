import FragmentedMP4
import Recording
import Testing

@Suite struct SegmentInfoTests {
    @Test("everything that an info box says reads back")
    func roundTrip() throws {
        var info = try SegmentInfo.sample
        info.quality = .unsynchronised
        info.cameraClockOffset = TimeSpan(microseconds: -1_234_567)
        info.gapBefore = Gap(
            from: WallTime(microseconds: 1_795_427_270_000_001), to: info.anchor, reason: .networkLoss, detail: "")
        let encoder = SegmentEncoder(tracks: [try .audio()], info: info)
        let reader = try SegmentReader(encoder.initPart)
        #expect(reader.info == info)
    }

    @Test("the box holds the lines that the format names")
    func text() throws {
        var info = try SegmentInfo.sample
        info.cameraClockOffset = TimeSpan(microseconds: 42)
        info.gapBefore = Gap(from: .earliest, to: info.anchor, reason: .diskFull, detail: "not kept here")
        let bytes = SegmentEncoder(tracks: [try .audio()], info: info).initPart
        let text = """
            version 1
            camera front
            session 7
            counter 3
            anchor 2026-11-23T09:48:00.123456Z
            source system
            quality synchronised
            camera-clock 42
            gap-before 0000-01-01T00:00:00.000000Z 2026-11-23T09:48:00.123456Z diskFull

            """
        #expect(Array(bytes.dropLast(4).suffix(text.utf8.count)) == Array(text.utf8))
    }

    @Test("an open gap is left to the journal")
    func openGap() throws {
        var info = try SegmentInfo.sample
        info.gapBefore = Gap(from: info.anchor, to: nil, reason: .stopped, detail: "")
        let reader = try SegmentReader(SegmentEncoder(tracks: [try .audio()], info: info).initPart)
        #expect(reader.info.gapBefore == nil)
    }

    @Test("a later version of the format is refused by name")
    func laterVersion() throws {
        var info = try SegmentInfo.sample
        info.version = 2
        let bytes = SegmentEncoder(tracks: [try .audio()], info: info).initPart
        let error = #expect(throws: MP4Error.self) { try SegmentReader(bytes) }
        #expect(error?.nextStep.contains("newer") == true)
    }
}
