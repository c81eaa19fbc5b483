import Messages
import Recording
import YAMLConfiguration

/// Where what cvr-playback must not say is read: each time that it is told, so that a renewed certificate or a new
/// password needs only a reload; one that systemd passes needs a restart of cvrd.
struct PlaybackSecrets: Hashable, Sendable {
    /// A shorter one could be found by trying.
    private static let shortestSigning = 16

    var configuration: PlaybackConfiguration
    var store: StoreSecrets
    var files: CredentialFile

    /// Blocks on the disks of these files.
    func read(into told: PlaybackInterface.Configuration) throws(Refusal) -> PlaybackInterface.Configuration {
        var whole = told
        whole.storeAccess = try store.read(into: told.storeAccess ?? PlaybackInterface.StoreAccess())
        if let tls = configuration.tls {
            whole.tls = PlaybackInterface.TLS(
                certificate: try CredentialFile.readOpen(tls.certificate, "playback.tls.certificate"),
                key: try files.readDocument(tls.key))
        }
        whole.access = PlaybackInterface.Access(
            accounts: try accounts(), tokens: try tokens(), signing: try signing())
        whole.access.proxies = configuration.proxies.map(\.description)
        whole.access.allowOrigins = configuration.origins.map(\.description)
        return whole
    }

    private func accounts() throws(Refusal) -> [PlaybackInterface.Account] {
        var accounts: [PlaybackInterface.Account] = []
        for (name, account) in configuration.accounts.sorted(by: { $0.key < $1.key }) {
            accounts.append(
                PlaybackInterface.Account(
                    name: name, password: try files.read(account.credential), cameras: account.cameras?.map(\.text)))
        }
        return accounts
    }

    private func tokens() throws(Refusal) -> PlaybackInterface.Tokens? {
        guard let tokens = configuration.tokens else { return nil }
        var keys: [PlaybackInterface.TokenKey] = []
        for key in tokens.keys {
            keys.append(
                PlaybackInterface.TokenKey(
                    kid: key.identifier, algorithm: key.algorithm.rawValue,
                    publicKey: try CredentialFile.readOpen(key.file, "playback.tokens.keys")))
        }
        return PlaybackInterface.Tokens(issuer: tokens.issuer, audience: tokens.audience, keys: keys)
    }

    private func signing() throws(Refusal) -> Secret? {
        guard let name = configuration.signing else { return nil }
        let secret = try files.read(name)
        guard secret.revealed().utf8.count >= Self.shortestSigning else {
            throw Refusal(
                code: "credential", "the credential of playback.signing has fewer than \(Self.shortestSigning) bytes",
                nextStep: "Put a longer one there (openssl rand -hex 32) and run `cvrctl reload`")
        }
        return secret
    }
}

extension PlaybackInterface.Configuration {
    /// What cvr-playback must know of a box, without its secrets.
    init(_ box: BoxConfiguration, listen: String) {
        self.init(
            site: box.site.text, cachePath: box.cachePath, statePath: box.statePath, storeURL: box.store.url,
            storeAccess: PlaybackInterface.StoreAccess(proxy: box.store.proxy), listen: listen,
            cameras: box.cameras.values.sorted { $0.name < $1.name }.map {
                PlaybackInterface.Camera(name: $0.name.text, asset: $0.asset)
            })
    }
}
