import Foundation
import LibAV
import Recording
import Testing

/// A TCP peer that answers each request by its method; `CSEQ` in an answer becomes the request's.
final class CannedPeer: @unchecked Sendable {
    let port: UInt16
    private let host: String
    private let listener: Int32
    private let answer: (@Sendable (_ method: String) -> String)?
    /// Sent after the answer to PLAY.
    private let media: [UInt8]
    private let lock = NSLock()
    /// Guarded by `lock`.
    private var received: [String] = []

    var requests: [String] { lock.withLock { received } }

    /// A camera with these media descriptions that never sends a packet.
    static func camera(media: String) -> @Sendable (String) -> String {
        let description = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n" + media
        return { method in
            let body = method == "DESCRIBE" ? description : ""
            let extra =
                switch method {
                case "OPTIONS": "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
                case "DESCRIBE": "Content-Type: application/sdp\r\nContent-Length: \(body.utf8.count)\r\n"
                case "SETUP": "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
                default: "Session: 1\r\n"
                }
            return "RTSP/1.0 200 OK\r\nCSeq: CSEQ\r\n\(extra)\r\n\(body)"
        }
    }

    convenience init(status: String, headers: String = "") throws {
        try self.init { _ in "RTSP/1.0 \(status)\r\nCSeq: CSEQ\r\n\(headers)\r\n" }
    }

    /// Nil: accepts and stays silent.
    ///
    /// `host` is an address of the loopback network.
    init(
        _ answer: (@Sendable (_ method: String) -> String)?, sending media: [UInt8] = [], at host: String = "127.0.0.1"
    ) throws {
        self.answer = answer
        self.host = host
        self.media = media
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr(host)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 8) == 0 && getsockname(listener, $0, &size) == 0
            }
        }
        try #require(bound)
        port = UInt16(bigEndian: address.sin_port)
        // Lives as long as the test process: a peer that went away would be another answer.
        Thread { while case let connection = accept(listener, nil, nil), connection >= 0 { self.serve(connection) } }
            .start()
    }

    var url: String { "rtsp://\(host):\(port)/stream" }

    private func serve(_ connection: Int32) {
        guard let answer else { return }
        Thread {
            var text = ""
            var chunk = [UInt8](repeating: 0, count: 4096)
            while case let count = recv(connection, &chunk, chunk.count, 0), count > 0 {
                text += String(decoding: chunk.prefix(count), as: UTF8.self)
                while let end = text.range(of: "\r\n\r\n") {
                    let request = String(text[..<end.lowerBound])
                    self.lock.withLock { self.received.append(request) }
                    text = String(text[end.upperBound...])
                    let sequence = request.components(separatedBy: "CSeq: ").last?.prefix { $0.isNumber } ?? "0"
                    let method = String(request.prefix { $0 != " " })
                    let reply = answer(method).replacingOccurrences(of: "CSEQ", with: sequence)
                    self.write(Array(reply.utf8), to: connection)
                    if method == "PLAY" { self.write(self.media, to: connection) }
                }
            }
            close(connection)
        }.start()
    }

    private func write(_ bytes: [UInt8], to connection: Int32) {
        var left = bytes[...]
        while !left.isEmpty {
            let count = left.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            left = left.dropFirst(count)
        }
    }
}

@Suite("LibAVSource")
struct LibAVSourceTests {
    func source(
        _ url: String, username: String = "", password: String = "", allowsTLS: Bool = false,
        now: @escaping () -> MonotonicTime = { MonotonicTime(microseconds: 0) }
    ) -> LibAVSource {
        LibAVSource(
            request: LibAVSource.Request(
                url: url, username: username, password: { password }, transport: .tcp,
                acceptsUnverifiedTLS: allowsTLS),
            now: now)
    }

    @Test(
        "RTSP's answers in our words",
        arguments: [
            ("401 Unauthorized", .authentication), ("403 Forbidden", .forbidden), ("404 Not Found", .notFound),
            ("453 Not Enough Bandwidth", .refused), ("400 Bad Request", .refused), ("454 Session Not Found", .refused),
            ("500 Internal Server Error", .serverError), ("503 Service Unavailable", .serverError),
        ] as [(String, SourceFailure)])
    func statuses(status: String, failure: SourceFailure) throws {
        let peer = try CannedPeer(status: status)
        #expect(throws: failure) { try source(peer.url).open(tick: { false }) }
    }

    @Test("a camera that speaks no TCP refuses the request, and is no trouble of the network")
    func transport() throws {
        let camera = CannedPeer.camera(media: "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:0\r\n")
        let peer = try CannedPeer { method in
            method == "SETUP" ? "RTSP/1.0 461 Unsupported Transport\r\nCSeq: CSEQ\r\n\r\n" : camera(method)
        }
        #expect(throws: SourceFailure.refused) { try source(peer.url).open(tick: { false }) }
    }

    @Test("only codecs that cannot be recorded: told by name")
    func unsupported() throws {
        let peer = try CannedPeer(CannedPeer.camera(media: "m=video 0 RTP/AVP 26\r\na=control:0\r\n"))
        #expect(throws: SourceFailure.unsupportedCodec("mjpeg")) { try source(peer.url).open(tick: { false }) }
    }

    @Test("a camera that accepts and stays silent costs the time for connecting, and the loop goes round meanwhile")
    func silent() throws {
        let peer = try CannedPeer(nil)
        var (ticks, time) = (0, Int64(0))
        let source = source(peer.url, now: { MonotonicTime(microseconds: time) })
        #expect(throws: SourceFailure.timeout) {
            try source.open(tick: {
                ticks += 1
                time += 3_000_000
                return false
            })
        }
        #expect(ticks == 4)
    }

    @Test("a stop ends the block, without a failure")
    func stop() throws {
        let peer = try CannedPeer(nil)
        #expect(try source(peer.url).open(tick: { true }) == nil)
    }

    @Test("what is not RTSP, and nothing at all")
    func nobody() throws {
        #expect(throws: SourceFailure.connectionRefused) {
            try source("rtsp://127.0.0.1:1/stream").open(tick: { false })
        }
        #expect(throws: SourceFailure.unreachable) {
            try source("rtsp://camera.invalid/stream").open(tick: { false })
        }
    }

    @Test(
        "addresses that are refused before anything is sent",
        arguments: [
            ("http://127.0.0.1/", .invalidURL), ("file:///etc/passwd", .invalidURL), ("rtsp:///stream", .invalidURL),
            ("rtsp://user:secret@127.0.0.1/stream", .invalidURL), ("rtsp://127.0.0.1/a b", .invalidURL),
            ("rtsps://127.0.0.1/stream", .unverifiedTLS),
        ] as [(String, SourceFailure)])
    func refused(url: String, failure: SourceFailure) {
        #expect(throws: failure) { try source(url).open(tick: { false }) }
    }

    @Test("a credential that libavformat would cut is refused")
    func longCredential() {
        #expect(throws: SourceFailure.credentialTooLong) {
            try source("rtsp://127.0.0.1/stream", username: "admin", password: String(repeating: "ü", count: 30))
                .open(tick: { false })
        }
    }

    @Test("every byte of a password reaches the camera")
    func password() throws {
        let peer = try CannedPeer(status: "401 No", headers: "WWW-Authenticate: Basic realm=\"x\"\r\n")
        #expect(throws: SourceFailure.authentication) {
            try source(peer.url, username: "adm:in", password: "p@ss/w:ö%?#").open(tick: { false })
        }
        let expected = Data("adm:in:p@ss/w:ö%?#".utf8).base64EncodedString()
        #expect(peer.requests.contains { $0.contains("Authorization: Basic \(expected)") })
        // And only when it asks for one.
        #expect(peer.requests.first?.contains("Authorization") == false)
    }

    @Test("a camera that sends its viewers to another host is not followed, and told by that host")
    func redirected() throws {
        let other = try CannedPeer(CannedPeer.camera(media: CannedRTP.description), at: "127.0.0.2")
        let camera = try CannedPeer(status: "302 Found", headers: "Location: \(other.url)\r\n")
        #expect(throws: SourceFailure.redirected("127.0.0.2")) { try source(camera.url).open(tick: { false }) }
    }

    @Test("an answer that claims 2 GB takes no memory")
    func claimed() throws {
        let peer = try CannedPeer { method in
            let size = method == "DESCRIBE" ? "Content-Type: application/sdp\r\nContent-Length: 2147483000\r\n" : ""
            return "RTSP/1.0 200 OK\r\nCSeq: CSEQ\r\n\(size)\r\n"
        }
        // Refused when it is claimed: without the bound this waits for the bytes, with the memory in hand.
        #expect(throws: SourceFailure.invalidData) {
            try source(peer.url, now: Self.live()).open(tick: { false })
        }
    }

    /// Of a peer that really sends: what does not come ends the test.
    private static func live() -> () -> MonotonicTime {
        let start = ContinuousClock.now
        return {
            let (seconds, rest) = (ContinuousClock.now - start).components
            return MonotonicTime(microseconds: seconds * 1_000_000 + rest / 1_000_000_000_000)
        }
    }

    @Test("an access unit ends when the next one begins, and says when that is")
    func following() throws {
        var rtp = CannedRTP()
        for n in 0..<4 { rtp.add(CannedRTP.slice(isKey: n == 0, bytes: 200), at: UInt32(n) * 3600) }
        let peer = try CannedPeer(CannedPeer.camera(media: CannedRTP.description), sending: rtp.bytes)
        let source = source(peer.url, now: Self.live())
        let announcement = try #require(try source.open(tick: { false }))
        #expect(announcement.streams.map(\.codec) == [.h264])
        for n in Int64(0)..<3 {
            guard case .packet(let packet) = try source.next() else {
                Issue.record("no packet")
                return
            }
            #expect(packet.timestamp == n * 3600)
            #expect(packet.following == (n + 1) * 3600)
            #expect(packet.isKey == (n == 0))
            #expect(packet.data.count == 204)
        }
    }

    @Test("an access unit past the bound is dropped and told; the next one is whole")
    func oversized() throws {
        var rtp = CannedRTP()
        rtp.add(CannedRTP.slice(isKey: true, bytes: LibAVSource.largestAccessUnit + 1_000_000), at: 0)
        for n in 1..<4 { rtp.add(CannedRTP.slice(isKey: false, bytes: 300), at: UInt32(n) * 3600) }
        let peer = try CannedPeer(CannedPeer.camera(media: CannedRTP.description), sending: rtp.bytes)
        let source = source(peer.url, now: Self.live())
        _ = try source.open(tick: { false })
        var dropped = 0
        while true {
            switch try source.next() {
            case .oversized(let bytes): dropped += bytes
            case .interrupted: Issue.record("nothing came")
            case .packet(let packet) where packet.data.count > 1_000_000:
                Issue.record("\(packet.data.count) bytes came")
            case .packet(let packet):
                guard packet.timestamp == 7200 else { continue }
                #expect(packet.data.count == 304)
                #expect(dropped > LibAVSource.largestAccessUnit)
                return
            }
        }
    }
}

/// RTP over RTSP's own connection, of one H.264 stream (RFC 2326 10.12, RFC 6184 5.8).
struct CannedRTP {
    static let description =
        "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:0\r\n"
        + "a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z01ADdoFB+wEQAAAAwBAAAAMg8UKqA==,aO88gA==\r\n"

    private(set) var bytes: [UInt8] = []
    private var sequence: UInt16 = 0
    /// Where the camera's clock stands at time 0; libavformat takes a 0 for none.
    private let origin: UInt32 = 1_000_000

    /// A slice whose first macroblock is 0: a picture of its own.
    static func slice(isKey: Bool, bytes: Int) -> [UInt8] {
        [isKey ? 0x65 : 0x41, 0x88] + [UInt8](repeating: 0x5A, count: bytes - 2)
    }

    /// Adds an access unit of one NAL unit, in fragments (FU-A) when it is too long for a packet.
    mutating func add(_ unit: [UInt8], at time: UInt32) {
        guard unit.count > 60_000 else { return packet(unit, at: time, isLast: true) }
        var rest = unit.dropFirst()
        while !rest.isEmpty {
            let isFirst = rest.count == unit.count - 1
            let isLast = rest.count <= 60_000
            let header = unit[0] & 0x1F | (isFirst ? 0x80 : 0) | (isLast ? 0x40 : 0)
            packet([unit[0] & 0x60 | 28, header] + rest.prefix(60_000), at: time, isLast: isLast)
            rest = rest.dropFirst(60_000)
        }
    }

    private mutating func packet(_ payload: [UInt8], at time: UInt32, isLast: Bool) {
        let length = payload.count + 12
        bytes += [0x24, 0, UInt8(length >> 8), UInt8(length & 255), 0x80, isLast ? 0xE0 : 0x60]
        bytes +=
            [UInt8(sequence >> 8), UInt8(sequence & 255)]
            + withUnsafeBytes(of: (origin &+ time).bigEndian) { Array($0) }
        bytes += [0, 0, 0, 7] + payload
        sequence &+= 1
    }
}
