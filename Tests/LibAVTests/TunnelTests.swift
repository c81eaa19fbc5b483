import Foundation
import LibAV
import Recording
import TestSupport
import Testing

@Suite("LibAVSource: RTSP in HTTP", .timeLimit(.minutes(1)))
struct TunnelTests {
    private func source(_ url: String, password: String = "") -> LibAVSource {
        let start = ContinuousClock.now
        return LibAVSource(
            request: LibAVSource.Request(
                url: url, username: password.isEmpty ? "" : "viewer", password: { password }, transport: .http,
                acceptsUnverifiedTLS: false),
            now: {
                let (seconds, rest) = (ContinuousClock.now - start).components
                return MonotonicTime(microseconds: seconds * 1_000_000 + rest / 1_000_000_000_000)
            })
    }

    @Test("a real camera plays through a tunnel, and asks for the password in it")
    func camera() async throws {
        let rig = try await CameraRig([
            .init("open", clip: "h264-aac"),
            .init("closed", clip: "h264-aac", "user=viewer", "password=s3cret", "auth=digest"),
        ])
        do {
            for (name, password) in [("open", ""), ("closed", "s3cret")] {
                let source = source(try rig.url(name), password: password)
                let announcement = try #require(try source.open(tick: { false }))
                #expect(announcement.streams.map(\.codec) == [.h264, .aac])
                #expect(announcement.sessionDescription.hasPrefix("SDP:\nv=0"))
                var bytes = 0
                for _ in 0..<60 {
                    if case .packet(let packet) = try source.next() { bytes += packet.data.count }
                }
                #expect(bytes > 10_000)
                source.close()
            }
            let wrong = source(try rig.url("closed"), password: "other")
            #expect(throws: SourceFailure.authentication) { try wrong.open(tick: { false }) }
        } catch {
            await rig.stop()
            throw error
        }
        await rig.stop()
    }

    @Test("the password goes out when the server of the tunnel asks for it, and not before")
    func challenge() throws {
        let peer = try CannedPeer { _ in
            "HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"
        }
        #expect(throws: SourceFailure.authentication) { try source(peer.url, password: "s3cret").open(tick: { false }) }
        #expect(peer.requests.first?.hasPrefix("GET ") == true)
        #expect(peer.requests.first?.contains("Authorization") == false)
        #expect(peer.requests.dropFirst().first?.contains("Authorization: Basic ") == true)
    }

    @Test("a user that may not have the stream is told as such, not as a wrong password")
    func forbidden() throws {
        let peer = try CannedPeer { _ in "HTTP/1.0 403 Forbidden\r\nContent-Length: 0\r\n\r\n" }
        #expect(throws: SourceFailure.forbidden) { try source(peer.url, password: "s3cret").open(tick: { false }) }
    }

    @Test("where the server of a tunnel sends its viewers nobody hears the password, and no other protocol is spoken")
    func redirected() throws {
        let other = try CannedPeer(
            { _ in "HTTP/1.0 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n" },
            at: "127.0.0.2")
        for scheme in ["http", "https", "rtsp", "file"] {
            let place = "\(scheme)://127.0.0.2:\(other.port)/stream"
            let peer = try CannedPeer { _ in
                "HTTP/1.0 302 Found\r\nLocation: \(place)\r\nContent-Length: 0\r\n\r\n"
            }
            #expect(throws: SourceFailure.redirected("127.0.0.2")) {
                try source(peer.url, password: "s3cret").open(tick: { false })
            }
            #expect(peer.requests.allSatisfy { !$0.contains("Authorization") })
        }
        #expect(!other.requests.isEmpty && other.requests.allSatisfy { !$0.contains("Authorization") })
    }

    @Test("whoever answers in the place of a tunnel that leads elsewhere gets no password, though it asks for one")
    func diverted() throws {
        let refusals = (1...2).map { "RTSP/1.0 401 No\r\nCSeq: \($0)\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n" }
        let other = try CannedPeer(
            { _ in
                "HTTP/1.0 200 OK\r\nContent-Type: application/x-rtsp-tunnelled\r\n\r\n" + refusals.joined()
            }, at: "127.0.0.2")
        let camera = try CannedPeer { method in
            method == "GET"
                ? "HTTP/1.0 302 Found\r\nLocation: http://127.0.0.2:\(other.port)/\r\nContent-Length: 0\r\n\r\n" : ""
        }
        #expect(throws: SourceFailure.authentication) {
            try source(camera.url, password: "s3cret").open(tick: { false })
        }
        #expect(other.requests.count == 1 && other.requests.allSatisfy { $0.hasPrefix("GET ") && !$0.contains("Auth") })
    }

    @Test("nothing there, and a camera without tunnels, are told as what they are")
    func nobody() throws {
        #expect(throws: SourceFailure.noTunnel) { try source("rtsp://127.0.0.1:1/stream").open(tick: { false }) }
        let peer = try CannedPeer(CannedPeer.camera(media: CannedRTP.description))
        var time = Int64(0)
        let patient = LibAVSource(
            request: LibAVSource.Request(
                url: peer.url, username: "", password: { "" }, transport: .http, acceptsUnverifiedTLS: false),
            now: { MonotonicTime(microseconds: time) })
        #expect(throws: SourceFailure.timeout) {
            try patient.open(tick: {
                time += 3_000_000
                return false
            })
        }
        #expect(throws: SourceFailure.invalidURL) {
            try LibAVSource(
                request: LibAVSource.Request(
                    url: "rtsps://127.0.0.1:1/", username: "", password: { "" }, transport: .http,
                    acceptsUnverifiedTLS: true),
                now: { MonotonicTime(microseconds: 0) }
            ).open(tick: { false })
        }
    }
}
