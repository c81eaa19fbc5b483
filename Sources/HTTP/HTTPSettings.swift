/// How a client connects.
package struct HTTPSettings: Sendable {
    /// `http://HOST:PORT`; nil connects directly, whatever the environment says.
    ///
    /// This machine and link-local addresses, where clouds answer about the box itself, are never asked through it.
    package var proxy: String?
    /// The certificates, as PEM, of the authorities to believe in place of the system's.
    package var certificateAuthority: String?
    /// Requests under way at once, and connections kept for the next ones; further requests wait their turn.
    package var connections: Int
    /// For the name, the connection and TLS together.
    package var connectLimit: Duration
    /// A request that moved no byte for this long has failed; its own `pace` does not count.
    package var stallLimit: Duration
    /// Asked before bytes of a request's body are sent: how long to wait first.
    ///
    /// Zero lets them go, and only then they are taken from what is allowed: after a wait it is asked again. On the
    /// client's own thread, so it must not block.
    package var pace: @Sendable (_ bytes: Int) -> Duration
    /// True ends every request within a second; on the client's own thread.
    package var isStopping: @Sendable () -> Bool

    package init(
        proxy: String? = nil, certificateAuthority: String? = nil, connections: Int = 4,
        connectLimit: Duration = .seconds(15), stallLimit: Duration = .seconds(30),
        pace: @escaping @Sendable (_ bytes: Int) -> Duration = { _ in .zero },
        isStopping: @escaping @Sendable () -> Bool = { false }
    ) {
        self.proxy = proxy
        self.certificateAuthority = certificateAuthority
        self.connections = max(1, connections)
        self.connectLimit = connectLimit
        self.stallLimit = stallLimit
        self.pace = pace
        self.isStopping = isStopping
    }
}
