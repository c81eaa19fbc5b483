internal import CLibAV
internal import Glibc
internal import Recording

/// Finds out why a tunnel was not opened, which libavformat tells for all reasons alike.
///
/// Asks as any browser does: once without the password, to learn whether it is the camera that speaks, and only then with it.
struct TunnelProbe: ~Copyable {
    private static let longestAnswer = 2048
    /// libavformat's for a tunnel without one.
    private static let port = 554

    private let url: String
    private let host: String?
    private let place: String
    private let path: String
    private let callback: AVIOInterruptCB

    init(_ address: borrowing CameraAddress, _ callback: AVIOInterruptCB) {
        self.callback = callback
        let rest = address.text.dropFirst("rtsp://".utf8.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let server = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? authority
        // Behind the bracket of an IPv6 address.
        let hasPort = (server.split(separator: "]").last ?? server).contains(":")
        let tail = rest.dropFirst(authority.count)
        place = hasPort ? String(server) : "\(server):\(Self.port)"
        path = tail.hasPrefix("/") ? String(tail) : "/" + tail
        url = "http://" + authority.dropLast(server.count) + place + path
        host = CameraAddress.host(address.text)
    }

    func failure() -> SourceFailure {
        let lines = answer().split(whereSeparator: \.isNewline)
        let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        switch status ?? 0 {
        case 300..<400:
            let location = lines.lazy.first { $0.lowercased().hasPrefix("location:") }
            let elsewhere = location.flatMap { CameraAddress.host(String($0.dropFirst("location:".count))) }
            return elsewhere.map { $0 == host ? .noTunnel : .redirected($0) } ?? .noTunnel
        case 401, 403: return refusal()
        default: return .noTunnel
        }
    }

    /// The begin of what answers a request without a password; empty without an answer.
    private func answer() -> String {
        var connection: UnsafeMutablePointer<AVIOContext>?
        var callback = callback
        defer { avio_closep(&connection) }
        guard avio_open2(&connection, "tcp://\(place)", AVIO_FLAG_READ_WRITE, &callback, nil) >= 0 else { return "" }
        let request = Array(
            ("GET \(path) HTTP/1.0\r\nHost: \(place)\r\nUser-Agent: cvr\r\n"
                + "Accept: application/x-rtsp-tunnelled\r\n\r\n").utf8)
        avio_write(connection, request, Int32(clamping: request.count))
        avio_flush(connection)
        var bytes = [UInt8](repeating: 0, count: Self.longestAnswer)
        let count = avio_read_partial(connection, &bytes, Int32(clamping: bytes.count))
        return String(decoding: bytes.prefix(max(Int(count), 0)), as: UTF8.self)
    }

    /// What the camera says to the password, where it asks for it.
    private func refusal() -> SourceFailure {
        var connection: UnsafeMutablePointer<AVIOContext>?
        var callback = callback
        var options: OpaquePointer?
        av_dict_set(&options, "headers", "Accept: application/x-rtsp-tunnelled\r\n", 0)
        av_dict_set(&options, "user_agent", "cvr", 0)
        av_dict_set(&options, "protocol_whitelist", "http,tcp", 0)
        defer {
            av_dict_free(&options)
            avio_closep(&connection)
        }
        switch avio_open2(&connection, url, AVIO_FLAG_READ, &callback, &options) {
        case CAV_HTTP_UNAUTHORIZED: return .authentication
        case CAV_HTTP_FORBIDDEN: return .forbidden
        default: return .noTunnel
        }
    }
}
