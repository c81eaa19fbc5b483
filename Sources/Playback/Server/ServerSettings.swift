package import Recording
package import Serving

/// Where and how `PlaybackServer` serves.
package struct ServerSettings: Sendable {
    package typealias TLS = TLSIdentity

    package var listener: ListeningPlace
    package var tls: TLS?
    package var limits = ServerLimits()
    /// Those whose `X-Forwarded-For` is believed.
    package var proxies: [AddressBlock] = []
    /// Of the pages that may use the server, beside its own.
    package var origins: Set<WebOrigin> = []

    package init(listener: ListeningPlace, tls: TLS? = nil) {
        self.listener = listener
        self.tls = tls
    }
}

/// What whoever asks may use of a server: nothing here grows with what is asked (I9).
package struct ServerLimits: Hashable, Sendable {
    /// Of the request's target and of each header field, in bytes.
    package var headerField = 16 << 10
    /// Of all header fields together.
    package var headers = 32 << 10
    /// At a time; more wait in the kernel's queue.
    package var connections = 2048
    /// Of these, for one address that is no proxy of ours.
    package var connectionsOfAddress = 512
    /// Without a request: from the first byte to the last of its head, and between two.
    package var idle = TimeSpan.seconds(30)
    /// A reader that took nothing for so long is gone.
    package var stalled = TimeSpan.seconds(60)
    /// Requests of one address.
    package var requestsPerSecond = 200.0
    package var burst = 2000.0
    /// Of one range of footage, whatever its segments: its rows are looked through before its first byte.
    package var range = TimeSpan.seconds(31 * 86_400)
    /// Ranges longer than a day that are looked through at a time; others wait for their turn.
    package var scans = 4
    /// What answers hold at a time, in bytes: well below what the process may have (`PlaybackProcess`), beside its own
    /// bounded memories and what each connection takes.
    package var memory = 384 << 20
    /// Growing segments are looked at so often.
    package var livePoll = TimeSpan.milliseconds(40)

    package init() {}
}
