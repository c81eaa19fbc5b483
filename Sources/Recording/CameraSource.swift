/// What a camera offers, as far as it can be recorded.
package struct Announcement: Hashable, Sendable {
    /// Video first; at most one of each kind.
    package var streams: [StreamDescription]
    /// Names of the codecs offered beside them that cannot be recorded.
    package var ignored: [String]
    /// The camera's session description (RFC 8866) as `SDP:`, a line feed and its text; without userinfo, at most 8 KiB,
    /// empty when the engine does not tell.
    package var sessionDescription: String

    package init(streams: [StreamDescription], ignored: [String] = [], sessionDescription: String = "") {
        self.streams = streams
        self.ignored = ignored
        self.sessionDescription = sessionDescription
    }
}

/// What comes from a camera that is connected.
package enum SourceEvent: Hashable, Sendable {
    case packet(Packet)
    /// An access unit past the bound on memory was dropped.
    case oversized(bytes: Int)
    /// The tick asked for an end; nothing is wrong with the camera.
    case interrupted
}

/// Why a camera's packets stopped or never began: the words that every engine shares.
package enum SourceFailure: Error, Hashable, Sendable {
    /// RTSP 401: it does not know who asks.
    case authentication
    /// RTSP 403: it knows, and refuses.
    case forbidden
    /// RTSP 404.
    case notFound
    /// Another RTSP 4xx.
    case refused
    /// RTSP 5xx.
    case serverError
    case connectionRefused
    /// No route, or no such host.
    case unreachable
    /// No complete answer before the deadline for connecting.
    case timeout
    /// Connected, and then nothing for as long as the deadline for a stall.
    case silent
    /// The camera ended the connection.
    case disconnected
    /// Offers only codecs that cannot be recorded; their names.
    case unsupportedCodec(String)
    /// Sends what is neither RTSP nor RTP.
    case invalidData
    /// rtsps, whose certificates this engine does not verify, without leave to use it.
    case unverifiedTLS
    /// The URL is not one that this engine can open.
    case invalidURL
    /// Longer than the engine can send unharmed.
    case credentialTooLong
    /// Nothing that tunnels RTSP in HTTP answers there.
    case noTunnel
    /// Sends its viewers to another host; which.
    case redirected(String)
    /// This process may open nothing more (EMFILE).
    case descriptorLimit
    /// Anything else, in the engine's words, which hold no secret.
    case engine(String)
}
