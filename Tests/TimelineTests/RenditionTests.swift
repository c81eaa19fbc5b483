import Recording
import Testing
import Timeline

/// Playlists of HLS of one kind of track, and the one that names them.
@Suite("Timeline: renditions")
struct RenditionTests {
    private let unix = WallTime(microseconds: 0)

    /// With sound of a codec beside the picture.
    private static func row(_ counter: Int64, at: Double, sound: String?, codecs: String, format: UInt32) -> SegmentRow
    {
        var row = SegmentRow.made(counter, at: at, format: format)
        if let sound {
            row.media.tracks.append(MediaIndex.Track(codec: sound, timescale: 8000, baseDecodeTime: 0))
            row.media.codecs += "," + codecs
        }
        return row
    }

    private let rows: [SegmentRow] = [
        Self.row(0, at: 0, sound: "ulaw", codecs: "ulaw", format: 7),
        Self.row(1, at: 10, sound: "aac", codecs: "mp4a.40.2", format: 8),
        Self.row(2, at: 20, sound: nil, codecs: "", format: 9),
    ]

    private func list(_ rows: [SegmentRow]) -> ChunkList {
        ChunkList(Selection(rows, 0, 30, origin: unix), as: .onDemand)
    }

    @Test("sound is made AAC where it is G.711, its own track where it is not, and waited out where there is none")
    func sound() {
        let lines = HLSPlaylist(list(rows), suffix: "?token=t", tracks: .audio).text.split(separator: "\n").map(
            String.init)
        let sound = "sound/1.0.1767322800000/1767322800000000.mp4"
        #expect(lines[1] == "#EXT-X-VERSION:8")
        #expect(
            lines.filter { $0.hasPrefix("#EXT-X-MAP") } == [
                "#EXT-X-MAP:URI=\"\(sound)?from=1000&to=7000&part=init&token=t\"",
                "#EXT-X-MAP:URI=\"media/1.1.1767322810000/1767322800000000.1.mp4?token=t\",BYTERANGE=\"1000@0\"",
                "#EXT-X-MAP:URI=\"media/1.2.1767322820000/1767322800000000.mp4?token=t\",BYTERANGE=\"1000@0\"",
            ])
        #expect(
            lines.filter { !$0.hasPrefix("#") }.prefix(3) == [
                "\(sound)?from=1000&to=7000&part=media&token=t", "\(sound)?from=7000&to=11000&part=media&token=t",
                "media/1.1.1767322810000/1767322800000000.1.mp4?token=t",
            ])
        #expect(lines.filter { $0 == "#EXT-X-GAP" }.count == 2)
        let video = HLSPlaylist(list(rows), tracks: .video).text
        #expect(
            video.contains("/1767322800000000.0.mp4\n") && !video.contains("sound/") && !video.contains("#EXT-X-GAP"))
        // The chunks are the same, and so are their times.
        let times = { (text: String) in
            text.split(separator: "\n").filter {
                $0.hasPrefix("#EXTINF") || $0.hasPrefix("#EXT-X-DISC") || $0.hasPrefix("#EXT-X-PROG")
            }
        }
        #expect(times(video) == times(lines.joined(separator: "\n")))
    }

    @Test("a multivariant playlist names the picture and the sound, the codecs each once, and what they need at most")
    func multivariant() {
        #expect(list(rows).hasG711 && !list(Array(rows.dropFirst())).hasG711)
        let text = HLSMultivariant(list(rows), video: "v.m3u8", audio: "a.m3u8", size: (width: 640, height: 360)).text
        #expect(
            text == """
                #EXTM3U
                #EXT-X-VERSION:7
                #EXT-X-INDEPENDENT-SEGMENTS
                #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="Sound",DEFAULT=YES,AUTOSELECT=YES,URI="a.m3u8"
                #EXT-X-STREAM-INF:BANDWIDTH=72000,AVERAGE-BANDWIDTH=72000,CODECS="avc1.42c00a,mp4a.40.2",\
                RESOLUTION=640x360,FRAME-RATE=25.000,AUDIO="sound"
                v.m3u8

                """)
        var row = rows[0]
        row.media.tracks.removeFirst()
        row.media.codecs = "ulaw"
        let audio = HLSMultivariant(list([row]), video: "v.m3u8", audio: "a.m3u8", size: nil).text
        #expect(audio.hasSuffix("CODECS=\"mp4a.40.2\"\na.m3u8\n") && !audio.contains("EXT-X-MEDIA"))
    }

    @Test("a request for some tracks is understood as it is written")
    func references() throws {
        let times = "startTime=2026-01-02T03:00:00.000001Z,endTime=2026-01-02T04:00:00Z"
        for (text, tracks) in [
            ("manifest(format=m3u8-cmaf,\(times))", ManifestRequest.Tracks.video),
            ("Manifest(Format=m3u8-aapl)", .audio),
        ] {
            let asked = try ManifestRequest(text)
            let reference = asked.reference(to: tracks)
            #expect(!reference.contains(":"))
            let again = try ManifestRequest(reference.replacing("%3A", with: ":"))
            #expect(again.tracks == tracks && asked.tracks == nil)
            #expect(
                (again.format, again.startTime) == (asked.format, asked.startTime) && again.endTime == asked.endTime)
        }
    }

    @Test("sound that is still encoded ends a fragment before the picture, and hints at nothing")
    func parts() {
        var window = LiveWindow()
        var growing = Self.row(1, at: 10, sound: "alaw", codecs: "alaw", format: 7)
        growing.state = .recording
        let rows = [Self.row(0, at: 0, sound: "alaw", codecs: "alaw", format: 7), growing]
        let list = window.list(rows, from: epoch, to: epoch + .seconds(60))
        #expect(list.hasG711 && list.open?.piece.fragments == 6..<10 && list.followed.open?.piece.fragments == 6..<9)
        let text = HLSPlaylist(list.followed, base: "../", hasParts: true, tracks: .audio).text
        #expect(
            text.hasSuffix(
                "URI=\"../sound/1.1.1767322810000/1767322800000000.mp4?from=9000&to=10000&part=media\",INDEPENDENT=YES\n"
            ))
        #expect(!text.contains("PRELOAD-HINT") && !text.contains("BYTERANGE"))
        let next = list.first.chunk + Int64(list.chunks.count)
        #expect(list.holds(chunk: next, part: 3) && !list.followed.holds(chunk: next, part: 3))
    }
}
