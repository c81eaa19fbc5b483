import Messages
import Recording
import YAMLConfiguration

/// What cvr-gateway is told, and where the secrets of it are read: each time that it is told, as `PlaybackSecrets`.
struct GatewaySecrets: Hashable, Sendable {
    /// A shorter one could be found by trying.
    private static let shortestToken = 16

    var configuration: GatewayConfiguration
    /// This one, among others of its site.
    var box: String
    var files: CredentialFile

    /// Blocks on the disks of these files.
    func read(listen: ListenAddress?) throws(Refusal) -> GatewayInterface.Configuration {
        GatewayInterface.Configuration(
            box: box, rest: try rest(listen), webhooks: try webhooks(), broker: try broker())
    }

    private func rest(_ listen: ListenAddress?) throws(Refusal) -> GatewayInterface.Rest? {
        guard let listen else { return nil }
        var rest = GatewayInterface.Rest(listen: listen.description)
        if let tls = configuration.tls {
            rest.tls = GatewayInterface.TLS(
                certificate: try CredentialFile.readOpen(tls.certificate, "gateway.tls.certificate"),
                key: try files.readDocument(tls.key))
        }
        for name in configuration.tokens {
            let token = try files.read(name)
            guard token.revealed().utf8.count >= Self.shortestToken else {
                throw Refusal(
                    code: "credential",
                    "the token \(name) of gateway.tokens has fewer than \(Self.shortestToken) bytes",
                    nextStep: "Put a longer one there (openssl rand -hex 32) and run `cvrctl reload`")
            }
            rest.tokens.append(token)
        }
        return rest
    }

    private func webhooks() throws(Refusal) -> [GatewayInterface.Webhook] {
        var told: [GatewayInterface.Webhook] = []
        for (name, webhook) in configuration.webhooks.sorted(by: { $0.key < $1.key }) {
            var one = GatewayInterface.Webhook(name: name, url: webhook.url, header: webhook.header)
            if let credential = webhook.credential { one.credential = try files.read(credential) }
            one.certificateAuthority = try authority(webhook.certificateAuthority, "gateway.webhooks.\(name)")
            told.append(one)
        }
        return told
    }

    private func broker() throws(Refusal) -> GatewayInterface.Broker? {
        guard let broker = configuration.broker else { return nil }
        var told = GatewayInterface.Broker(
            host: broker.host, port: Int64(broker.port), isTLS: broker.isTLS, device: broker.device,
            module: broker.module, operationalOutput: broker.operationalOutput,
            diagnosticsOutput: broker.diagnosticsOutput)
        told.username = broker.username
        if let credential = broker.credential { told.password = try files.read(credential) }
        told.certificateAuthority = try authority(broker.certificateAuthority, "gateway.mqtt")
        return told
    }

    private func authority(_ path: String?, _ section: String) throws(Refusal) -> String? {
        guard let path else { return nil }
        return try CredentialFile.readOpen(path, "\(section).certificateAuthority")
    }
}
