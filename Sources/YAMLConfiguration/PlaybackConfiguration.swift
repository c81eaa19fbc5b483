package import Recording

/// `playback`: where footage is served, and to whom.
package struct PlaybackConfiguration: Hashable, Sendable {
    /// Files of a certificate with its chain and of its private key, both PEM.
    package struct TLS: Hashable, Sendable {
        /// Absolute path.
        package var certificate: String
        /// Name of a credential or absolute path of its file.
        package var key: String
    }

    package struct Account: Hashable, Sendable {
        /// Name of a credential or absolute path of its file, which holds the password.
        package var credential: String
        /// Nil is every camera.
        package var cameras: [CameraName]?
    }

    /// A public key by which tokens are checked.
    package struct TokenKey: Hashable, Sendable {
        package var identifier: String
        package var algorithm: TokenAlgorithm
        /// Absolute path of a PEM file.
        package var file: String
    }

    /// Whose tokens are taken (RFC 7519).
    package struct Tokens: Hashable, Sendable {
        package var issuer: String
        package var audience: String
        package var keys: [TokenKey]
    }

    /// Nil serves nothing.
    package var listen: ListenAddress?
    package var tls: TLS?
    package var accounts: [String: Account] = [:]
    package var tokens: Tokens?
    /// Name of the credential that signs URLs.
    package var signing: String?
    /// Those whose word for a viewer's address is taken.
    package var proxies: [AddressBlock] = []
    /// Where pages are from that may use the server, beside its own.
    package var origins: [WebOrigin] = []

    /// What a box serves that says nothing: this host alone.
    package static let usual = PlaybackConfiguration(listen: ListenAddress("127.0.0.1:8480"))

    package init(listen: ListenAddress?) { self.listen = listen }
}
