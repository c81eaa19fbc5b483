package import Recording

/// `gateway`: who drives media graphs from the network, and whom their events are sent to.
package struct GatewayConfiguration: Hashable, Sendable {
    package struct Webhook: Hashable, Sendable {
        /// `http` or `https`.
        package var url: String
        /// Of the header that holds the credential.
        package var header: String
        /// Name of a credential or absolute path of its file, which holds the header's whole value.
        package var credential: String?
        /// Absolute path of a PEM file.
        package var certificateAuthority: String?
    }

    /// An MQTT broker, and what this box is called there.
    package struct Broker: Hashable, Sendable {
        package var host: String
        package var port: UInt16
        package var isTLS: Bool
        package var device: String
        package var module: String
        package var username: String?
        /// Name of a credential or absolute path of its file, which holds the password.
        package var credential: String?
        /// Absolute path of a PEM file.
        package var certificateAuthority: String?
        /// Without characters: operational events are not sent there.
        package var operationalOutput: String
        package var diagnosticsOutput: String
    }

    package static let usualListen = ListenAddress("127.0.0.1:8481")

    /// Nil answers nobody over HTTP.
    package var listen: ListenAddress?
    package var tls: PlaybackConfiguration.TLS?
    /// Names of credentials, or paths of their files: each holds a bearer token.
    package var tokens: [String]
    package var webhooks: [String: Webhook] = [:]
    package var broker: Broker?
}
