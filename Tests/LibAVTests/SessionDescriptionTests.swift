import LibAV
import Recording
import Testing

@Suite("LibAVSource: what a camera says of itself, and what is asked of it")
struct SessionDescriptionTests {
    private static let sound = "m=audio 0 RTP/AVP 8\r\na=control:1\r\n"

    private func open(
        _ media: String, _ change: (inout LibAVSource.Request) -> Void = { _ in }
    ) throws -> (announcement: Announcement, requests: [String]) {
        let peer = try CannedPeer(CannedPeer.camera(media: media))
        var request = LibAVSource.Request(
            url: peer.url, username: "", password: { "" }, transport: .tcp, acceptsUnverifiedTLS: false)
        change(&request)
        let source = LibAVSource(request: request, now: { MonotonicTime(microseconds: 0) })
        let announcement = try #require(try source.open(tick: { false }))
        return (announcement, peer.requests)
    }

    @Test("the session description comes as the camera wrote it, behind SDP:")
    func whole() throws {
        let (announcement, _) = try open(CannedRTP.description)
        #expect(
            announcement.sessionDescription
                == "SDP:\nv=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n" + CannedRTP.description)
    }

    @Test("a user name and a password that a camera puts into it are left out")
    func userinfo() throws {
        let media =
            CannedRTP.description + "a=x:rtsp://adm@in:s3cret@10.0.0.1/a@b http://u:p@h\r\nk=clear:s3cret\r\n"
            + "t=0\rk=clear:s3cret\ra=crypto:s3cret\nu=rtsp://u:s3cret@\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:s3cret\r\ni=a@b\r\n"
        let (announcement, _) = try open(media)
        #expect(
            announcement.sessionDescription.hasSuffix("a=x:rtsp://10.0.0.1/a@b http://h\r\nt=0\ru=rtsp://\r\ni=a@b\r\n")
        )
    }

    @Test("any bytes become some text of bounded length")
    func noise() {
        var random = SystemRandomNumberGenerator()
        let words = ["://", "@", "\n", "\r", "rtsp", "/", "é"].map { Array($0.utf8) }
        for _ in 0..<300 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...300, using: &random) {
                bytes +=
                    Bool.random(using: &random) ? words.randomElement(using: &random) ?? [] : [.random(in: 0...255)]
            }
            #expect(SessionDescription.clean(bytes).utf8.count <= SessionDescription.longest)
        }
        let long = [UInt8](repeating: 0xFF, count: 2 * SessionDescription.longest)
        #expect((8180...8192).contains(SessionDescription.clean(long).utf8.count))
    }

    @Test("one that is too long is cut")
    func bounds() throws {
        let long = CannedRTP.description + String(repeating: "a=\u{1F600}\r\n", count: 3000)
        let (announcement, _) = try open(long)
        #expect((8180...8192).contains(announcement.sessionDescription.utf8.count))
        #expect(announcement.sessionDescription.hasPrefix("SDP:\nv=0\r\n"))
    }

    @Test("a track that is not wanted is not set up", arguments: [true, false])
    func tracks(video: Bool) throws {
        let both = CannedRTP.description + Self.sound
        let (announcement, requests) = try open(both) { ($0.takesVideo, $0.takesAudio) = (video, !video) }
        #expect(announcement.streams.map(\.codec) == [video ? .h264 : .alaw])
        #expect(requests.filter { $0.hasPrefix("SETUP") }.count == 1)
        // What the camera offers is told all the same.
        #expect(announcement.sessionDescription.contains("m=audio"))
    }
}
