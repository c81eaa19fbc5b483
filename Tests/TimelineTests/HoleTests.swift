import Recording
import Testing
import Timeline

/// A camera that fell silent while its connection stayed: the session and its segment went on (I4).
@Suite("Timeline: holes inside of a segment")
struct HoleTests {
    /// 5 s, nothing for 8 s, and 5 s that begin in the middle of a group of pictures; then the session's next segment.
    private let rows: [SegmentRow] = [.silent(keyEvery: 2), .made(1, at: 18)]

    @Test("a hole parts what is played as a gap between segments does")
    func selection() {
        let selection = Selection(rows, 0, 100)
        #expect(selection.text == ["1.0[0..<5]@0.0", "1.0[5..<10]@13.0", "1.1[0..<10]@18.0"])
        #expect(selection.pieces.first?.end == epoch + .seconds(5))
        #expect(selection.stretches.map(\.count) == [1, 2] && selection.untilFirstGap.text == ["1.0[0..<5]@0.0"])
        // No byte is lost for it.
        #expect(ByteMap(selection.pieces).length == 21_000)
    }

    @Test(
        "a range that begins in a hole begins with the first key after it",
        arguments: [
            (7.0, 16.0, ["1.0[6..<8]@14.0"]), (6, 12, []), (4.5, 12, ["1.0[4..<5]@4.0"]),
            (4.5, 14, ["1.0[4..<5]@4.0", "1.0[5..<6]@13.0"]), (13.5, 14, []),
        ])
    func borders(_ from: Double, _ to: Double, _ expected: [String]) {
        #expect(Selection(rows, from, to).text == expected)
    }

    @Test("manifests tell the media's length and go on with a key")
    func manifests() {
        let list = ChunkList(Selection(rows, 0, 100, origin: WallTime(microseconds: 0)), as: .onDemand)
        #expect(list.chunks.map(\.piece.fragments) == [0..<5, 6..<10, 0..<6, 6..<10])
        let lines = HLSPlaylist(list).text.split(separator: "\n")
        let told = lines.filter { $0.hasPrefix("#EXTINF") || $0.hasPrefix("#EXT-X-D") || $0.hasPrefix("#EXT-X-PRO") }
        #expect(
            told == [
                "#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:00:00.000Z", "#EXTINF:5.000000,", "#EXT-X-DISCONTINUITY",
                "#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:00:14.000Z", "#EXTINF:4.000000,",
                "#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:00:18.000Z", "#EXTINF:6.000000,", "#EXTINF:4.000000,",
            ])
        let base = 1_767_322_800 * 90_000
        #expect(
            DASHManifest(list, now: epoch).text.split(separator: "\n").filter { $0.hasPrefix("<S ") } == [
                "<S t=\"\(base)\" d=\"450000\"/>", "<S t=\"\(base + 14 * 90_000)\" d=\"360000\"/>",
                "<S t=\"\(base + 18 * 90_000)\" d=\"540000\"/>", "<S t=\"\(base + 24 * 90_000)\" d=\"360000\"/>",
            ])
    }

    @Test("a live playlist's parts are never as long as a hole, and its chunks keep their numbers over it")
    func live() {
        var window = LiveWindow()
        var last: ChunkList?
        for count in 3...10 {
            let row = SegmentRow.silent(keyEvery: 2, growing: count)
            let list = window.list([row], from: epoch, to: epoch + .seconds(60))
            #expect(list.longestFragment == .milliseconds(1100) && list.longest == .seconds(8), "\(count)")
            #expect(list.chunks.map(\.piece.fragments) == (count <= 5 ? [] : [0..<5]), "\(count)")
            #expect(list.open?.piece.fragments == (count <= 5 ? 0..<count : count <= 6 ? nil : 6..<count), "\(count)")
            #expect(list.first.chunk == last?.first.chunk ?? list.first.chunk)
            #expect(!HLSPlaylist(list, hasParts: true).text.contains("DURATION=9"))
            last = list
        }
    }

    @Test("a hole without a key behind it parts its segment from the next one")
    func withoutKey() {
        let chunks = Selection([.silent(keyEvery: 5, growing: 9), .made(1, at: 17)], 0, 100).chunks(of: .seconds(6))
        #expect(chunks.map(\.startsStretch) == [false, true, false, false])
        let cut = Selection([.silent(keyEvery: 20), .made(1, at: 18)], 0, 100).chunks(of: .seconds(6))
        #expect(
            cut.map(\.piece.fragments) == [0..<5, 0..<6, 6..<10] && cut.map(\.startsStretch) == [false, true, false])
    }

    @Test("a camera of a picture every five seconds has no holes")
    func slow() {
        var row = SegmentRow.made(0, at: 0)
        row.duration = .seconds(50)
        for index in row.media.fragments.indices {
            row.media.fragments[index].decodeTime = Int64(index) * 5 * 90_000
        }
        #expect(Selection([row], 0, 100).text == ["1.0[0..<10]@0.0"])
    }
}

extension SegmentRow {
    /// 10 fragments, with a hole of 8 s before the sixth; `growing`: as when so many of them were written.
    fileprivate static func silent(keyEvery: Int, growing: Int? = nil) -> SegmentRow {
        var row = SegmentRow.made(0, at: 0, seconds: growing ?? 10, keyEvery: keyEvery)
        for index in row.media.fragments.indices where index >= 5 {
            row.media.fragments[index].decodeTime += 8 * 90_000
        }
        if growing ?? 10 > 5 { row.duration = row.duration + .seconds(8) }
        if growing != nil { row.state = .recording }
        return row
    }
}
