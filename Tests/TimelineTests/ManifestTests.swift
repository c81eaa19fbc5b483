import Glibc
import Recording
import Testing
import Timeline

@Suite("Timeline: manifests")
struct ManifestTests {
    private let unix = WallTime(microseconds: 0)

    /// A gap, and then another format.
    private let rows: [SegmentRow] = [
        .made(0, at: 0), .made(1, at: 10), .made(session: 2, 0, at: 30, since: 30),
        .made(session: 3, 0, at: 40.5, since: 40.5, format: 8),
    ]

    static let wholePlaylist = """
        #EXTM3U
        #EXT-X-VERSION:7
        #EXT-X-TARGETDURATION:6
        #EXT-X-PLAYLIST-TYPE:VOD
        #EXT-X-MEDIA-SEQUENCE:0
        #EXT-X-INDEPENDENT-SEGMENTS
        #EXT-X-MAP:URI="media/1.0.1767322800000/1767322800000000.mp4?token=t",BYTERANGE="1000@0"
        #EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:00:06.000Z
        #EXTINF:4.000000,
        #EXT-X-BYTERANGE:4000@7000
        media/1.0.1767322800000/1767322800000000.mp4?token=t
        #EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:00:10.000Z
        #EXTINF:6.000000,
        #EXT-X-BYTERANGE:6000@1000
        media/1.1.1767322810000/1767322800000000.mp4?token=t
        #EXTINF:4.000000,
        #EXT-X-BYTERANGE:4000@7000
        media/1.1.1767322810000/1767322800000000.mp4?token=t
        #EXT-X-DISCONTINUITY
        #EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:00:30.000Z
        #EXTINF:6.000000,
        #EXT-X-BYTERANGE:6000@1000
        media/2.0.1767322830000/1767322830000000.mp4?token=t
        #EXTINF:4.000000,
        #EXT-X-BYTERANGE:4000@7000
        media/2.0.1767322830000/1767322830000000.mp4?token=t
        #EXT-X-DISCONTINUITY
        #EXT-X-MAP:URI="media/3.0.1767322840500/1767322840500000.mp4?token=t",BYTERANGE="1000@0"
        #EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:00:40.500Z
        #EXTINF:5.000000,
        #EXT-X-BYTERANGE:5000@1000
        media/3.0.1767322840500/1767322840500000.mp4?token=t
        #EXT-X-ENDLIST

        """

    @Test("an HLS playlist marks gaps, formats and times; its chunks are byte ranges")
    func playlist() {
        let text = HLSPlaylist(
            ChunkList(Selection(rows, 6.5, 45, origin: unix), as: .onDemand), suffix: "?token=t"
        ).text
        #expect(text == Self.wholePlaylist)
    }

    @Test("a DASH manifest has a Period a format, and jumps over gaps inside of it")
    func presentation() {
        let list = ChunkList(Selection(rows, 6.5, 45, origin: unix), as: .onDemand)
        let lines = DASHManifest(list, suffix: "?a=b&c=d", now: epoch).text.split(separator: "\n").map(String.init)
        #expect(
            lines.filter { $0.hasPrefix("<Period") } == [
                "<Period id=\"0\" start=\"PT0.000000S\">", "<Period id=\"1\" start=\"PT34.500000S\">",
            ])
        let base = 1_767_322_800 * 90_000
        #expect(
            lines.filter { $0.hasPrefix("<S ") } == [
                "<S t=\"\(base + 6 * 90_000)\" d=\"360000\"/>", "<S t=\"\(base + 10 * 90_000)\" d=\"540000\"/>",
                "<S t=\"\(base + 16 * 90_000)\" d=\"360000\"/>", "<S t=\"\(base + 30 * 90_000)\" d=\"540000\"/>",
                "<S t=\"\(base + 36 * 90_000)\" d=\"360000\"/>", "<S t=\"\(base + 3_645_000)\" d=\"450000\"/>",
            ])
        #expect(lines[1].contains("type=\"static\" mediaPresentationDuration=\"PT39.500000S\""))
        #expect(
            lines.filter { $0.hasPrefix("<SegmentURL") }.first == "<SegmentURL "
                + "media=\"media/1.0.1767322800000/1767322800000000.mp4?a=b&amp;c=d\" mediaRange=\"7000-10999\"/>")
        #expect(lines.filter { $0.hasPrefix("<SegmentURL") }.count == 6)
    }

    @Test("an audio track has an adaptation set of its own, whose files keep that track alone")
    func tracks() {
        var row = SegmentRow.made(0, at: 0)
        row.media.tracks.append(MediaIndex.Track(codec: "aac", timescale: 16_000, baseDecodeTime: 0))
        row.media.codecs += ",mp4a.40.2"
        let text = DASHManifest(ChunkList(Selection([row], 0, 10, origin: unix), as: .onDemand), now: epoch).text
        #expect(text.contains("contentType=\"audio\" mimeType=\"audio/mp4\"") && text.contains("codecs=\"mp4a.40.2\""))
        #expect(text.contains("/1767322800000000.0.mp4") && text.contains("/1767322800000000.1.mp4"))
        #expect(MediaAddress(segment: "1.0.1767322800000", file: "1767322800000000.1.mp4")?.track == 1)
        #expect(MediaAddress(segment: "1.0.1767322800000", file: "1767322800000000.-1.mp4") == nil)
        #expect(
            MediaAddress(segment: "1.0.1767322800000", file: "1767322800000000.2.mp4").flatMap { ByteMap($0, of: row) }
                == nil)
    }

    @Test("nothing in a range is an empty presentation")
    func empty() {
        let list = ChunkList(Selection([], 0, 10), as: .onDemand)
        #expect(HLSPlaylist(list).text.hasSuffix("#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-ENDLIST\n"))
        #expect(DASHManifest(list, now: epoch).text.contains("mediaPresentationDuration=\"PT0.000000S\""))
    }

    @Test("a list that goes on has no end, and leaves out what is still written")
    func event() {
        let rows = [SegmentRow.made(0, at: 0), .made(1, at: 10, state: .recording)]
        let list = ChunkList(Selection(rows, 0, 100, origin: unix), as: .event)
        #expect(list.chunks.map(\.piece.fragments) == [0..<6, 6..<10, 0..<6])
        let text = HLSPlaylist(list).text
        #expect(text.contains("#EXT-X-PLAYLIST-TYPE:EVENT") && !text.contains("ENDLIST"))
        #expect(text.contains("#EXT-X-TARGETDURATION:8\n"))
        let manifest = DASHManifest(list, now: epoch).text
        #expect(manifest.contains("type=\"dynamic\"") && manifest.contains("minimumUpdatePeriod"))
    }

    @Test("a live playlist lists the newest fragments, and a player that waits for one can be answered")
    func parts() {
        var window = LiveWindow()
        let rows = [SegmentRow.made(0, at: 0), .made(1, at: 10, seconds: 3, keyEvery: 2, state: .recording)]
        let list = window.list(rows, from: epoch, to: epoch + .seconds(60))
        let text = HLSPlaylist(list, base: "/assets/front/", hasParts: true).text
        #expect(text.contains("#EXT-X-PART-INF:PART-TARGET=1.100000\n") && text.contains("CAN-BLOCK-RELOAD=YES"))
        let url = "/assets/front/media/1.1.1767322810000/1767322800000000.mp4"
        #expect(
            text.hasSuffix(
                """
                #EXT-X-PART:DURATION=1.000000,URI="\(url)",BYTERANGE="1000@1000",INDEPENDENT=YES
                #EXT-X-PART:DURATION=1.000000,URI="\(url)",BYTERANGE="1000@2000"
                #EXT-X-PART:DURATION=1.000000,URI="\(url)",BYTERANGE="1000@3000",INDEPENDENT=YES
                #EXT-X-PRELOAD-HINT:TYPE=PART,URI="\(url)",BYTERANGE-START=4000

                """))
        let next = list.first.chunk + 2
        #expect(list.holds(chunk: next - 1, part: nil) && list.holds(chunk: next, part: 2))
        #expect(!list.holds(chunk: next, part: 3) && !list.holds(chunk: next, part: nil))
    }

    /// Sessions that end in gaps of 5 s, every third one in another format.
    private var sessions: [SegmentRow] {
        var rows: [SegmentRow] = []
        for session in 0..<12 {
            for counter in 0..<3 {
                let at = Double(session) * 50 + Double(counter) * 15
                rows.append(
                    .made(
                        session: Int64(session) + 1, Int64(counter), at: at, seconds: 15, since: Double(session) * 50,
                        format: session % 3 == 2 ? 8 : 7))
            }
        }
        return rows
    }

    @Test("while a live window moves on, every chunk keeps its number, its time and its address")
    func sliding() throws {
        let rows = sessions
        var timeline = LiveWindow()
        var numbers: [String: Int64] = [:]
        var stretches: [String: Int64] = [:]
        var last: ChunkList?
        for now in stride(from: 61.0, to: 590, by: 3.7) {
            let known = rows.filter { $0.start < epoch + TimeSpan(seconds: now) }.map { row in
                var row = row
                if row.end > epoch + TimeSpan(seconds: now) {
                    let count = Int(now - (row.start - epoch).seconds)
                    row.media.fragments = Array(row.media.fragments.prefix(count))
                    row.media.mediaEnd = 1000 + Int64(count) * 1000
                    row.duration = .seconds(Int64(count))
                    row.state = .recording
                }
                return row
            }
            let to = epoch + TimeSpan(seconds: now)
            let list = timeline.list(known, from: to - .seconds(60), to: to)
            var stretch = list.first.stretch
            for (index, chunk) in list.chunks.enumerated() {
                if index > 0, chunk.startsStretch { stretch += 1 }
                let key = MediaAddress(chunk.piece).path + "#\(chunk.piece.fragments)"
                let number = list.first.chunk + Int64(index)
                #expect(numbers[key] ?? number == number && stretches[key] ?? stretch == stretch, "\(key) at \(now)")
                (numbers[key], stretches[key]) = (number, stretch)
            }
            if let last { #expect(list.first.chunk >= last.first.chunk && list.first.format >= last.first.format) }
            #expect(HLSPlaylist(list).text.contains("#EXT-X-DISCONTINUITY-SEQUENCE:\(list.first.stretch)\n"))
            last = list
        }
        #expect(Set(numbers.values).count == numbers.count && numbers.count > 90)
        // A server that forgot goes on with no lower number.
        var other = LiveWindow()
        let again = other.list(rows, from: epoch + .seconds(540), to: epoch + .seconds(600))
        let first = try #require(last?.first)
        #expect(again.first.chunk >= first.chunk && again.first.stretch >= first.stretch)
        #expect(again.first.format >= first.format)
    }

    @Test("rows that were read earlier and are listed later change no number")
    func overtaken() {
        let rows = sessions
        func list(_ window: inout LiveWindow, _ now: Double) -> [String: Int64] {
            let to = epoch + TimeSpan(seconds: now)
            let list = window.list(rows.filter { $0.end <= to }, from: to - .seconds(200), to: to)
            let numbered = list.chunks.enumerated().map { index, chunk in
                ("\(MediaAddress(chunk.piece).path)#\(chunk.piece.fragments)", list.first.chunk + Int64(index))
            }
            return Dictionary(numbered) { $1 }
        }
        var (window, other) = (LiveWindow(), LiveWindow())
        // Each second request overtakes the one before it.
        for now in stride(from: 250.0, to: 500, by: 15) {
            let (early, late) = (list(&window, now), list(&window, now + 15))
            #expect(list(&other, now) == early && list(&other, now + 15) == late)
            #expect(list(&window, now) == early && list(&window, now + 15) == late)
        }
    }

    @Test("a live list that is ended is the same list with an end")
    func ended() {
        let rows = [SegmentRow.made(0, at: 0), .made(1, at: 10)]
        var window = LiveWindow()
        let live = window.list(rows, from: epoch, to: epoch + .seconds(20))
        let ended = window.list(rows, from: epoch, to: epoch + .seconds(20), isEnded: true)
        #expect(HLSPlaylist(ended).text == HLSPlaylist(live).text + "#EXT-X-ENDLIST\n")
        let selection = Selection(rows, 0, 20, origin: unix)
        let event = HLSPlaylist(ChunkList(selection, as: .event, isEnded: true)).text
        #expect(event == HLSPlaylist(ChunkList(selection, as: .event)).text + "#EXT-X-ENDLIST\n")
        let manifest = DASHManifest(ended, now: epoch).text
        #expect(manifest.contains("type=\"dynamic\"") && !manifest.contains("minimumUpdatePeriod"))
        #expect(manifest.contains("mediaPresentationDuration=\"PT1767322820.000000S\""))
    }

    @Test("a day of segments of 30 s is listed within 50 ms")
    func day() {
        let rows = (0..<2880).map { SegmentRow.made(Int64($0), at: Double($0) * 30, seconds: 30) }
        /// Of this thread's own: what else the machine does is not counted.
        func spent() -> TimeSpan {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return .seconds(Int64(time.tv_sec)) + TimeSpan(microseconds: Int64(time.tv_nsec) / 1000)
        }
        var lengths: Set<Int> = []
        func best(_ make: (ChunkList) -> String) -> TimeSpan {
            (0..<7).map { _ in
                let start = spent()
                let list = ChunkList(Selection(rows, 0, 86_400, origin: unix), as: .onDemand)
                lengths.insert(make(list).utf8.count)
                return spent() - start
            }.min() ?? .zero
        }
        let playlist = best { HLSPlaylist($0).text }
        let presentation = best { DASHManifest($0, now: epoch).text }
        print(
            "FIGURE a day's manifest: HLS \(playlist.seconds) s, DASH \(presentation.seconds) s, \(lengths.sorted()) bytes"
        )
        #expect(playlist < .milliseconds(50) && presentation < .milliseconds(50))
        #expect(lengths.count == 2)
    }
}
