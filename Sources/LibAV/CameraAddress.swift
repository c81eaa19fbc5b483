internal import CLibAV
internal import Recording

/// A camera's URL with its userinfo put in, as libavformat wants it; exists in memory only, and only while opening.
struct CameraAddress: ~Copyable {
    let text: String

    init(_ request: LibAVSource.Request) throws(SourceFailure) {
        let schemes = ["rtsp://", "rtsps://"]
        guard let scheme = schemes.first(where: { request.url.lowercased().hasPrefix($0) }),
            request.url.utf8.count < CameraURL.limit, request.url.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw .invalidURL }
        guard scheme == "rtsp://" || request.acceptsUnverifiedTLS else { throw .unverifiedTLS }
        // A tunnel in HTTPS is libavformat's too, and would be another thing than what was asked for.
        guard scheme == "rtsp://" || request.transport != .http else { throw .invalidURL }
        let rest = request.url.dropFirst(scheme.count)
        guard let first = rest.utf8.first, first != UInt8(ascii: "/"),
            !rest.prefix(while: { $0 != "/" }).contains("@")
        else { throw .invalidURL }
        guard !request.username.isEmpty else {
            text = request.url
            return
        }
        let userinfo = PercentEncoding.encoded(request.username) + ":" + PercentEncoding.encoded(request.password())
        guard userinfo.utf8.count <= CameraURL.longestUserinfo else { throw .credentialTooLong }
        text = scheme + userinfo + "@" + rest
    }

    /// The host of a URL, in lower case; nil when that holds what no host does.
    static func host(_ url: String) -> String? {
        guard let scheme = url.firstRange(of: "://") else { return nil }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
        let place = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? authority
        let host = place.hasPrefix("[") ? place.prefix { $0 != "]" }.dropFirst() : place.prefix { $0 != ":" }
        let isPlain = host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: ":"),
                UInt8(ascii: "_"), UInt8(ascii: "%"):
                true
            default: false
            }
        }
        return isPlain && (1...255).contains(host.utf8.count) ? host.lowercased() : nil
    }
}

/// The demuxer's options; libavformat takes out what it understood.
struct OpenOptions: ~Copyable {
    var dictionary: OpaquePointer?

    init(_ request: LibAVSource.Request) {
        let isTLS = request.url.lowercased().hasPrefix("rtsps:")
        let transport = isTLS ? .tcp : request.transport
        set("rtsp_transport", transport.rawValue)
        set("allowed_media_types", request.media.joined(separator: "+"))
        set("protocol_whitelist", Self.protocols(transport, isTLS: isTLS))
        set("user_agent", "cvr")
        // Room for a keyframe's burst; the kernel grants what net.core.rmem_max allows.
        if transport == .udp { set("buffer_size", "2097152") }
    }

    /// What a camera can make libavformat open: a tunnel that sends its viewers to https is no tunnel of ours.
    private static func protocols(_ transport: LibAVSource.Transport, isTLS: Bool) -> String {
        guard !isTLS else { return "tls,tcp,rtp,udp" }
        return transport == .http ? "http,tcp,rtp,udp" : "tcp,rtp,udp"
    }

    deinit {
        var rest = dictionary
        av_dict_free(&rest)
    }

    private mutating func set(_ key: String, _ value: String) { av_dict_set(&dictionary, key, value, 0) }
}
