import Crypto
import Footage
import Glibc
import HTTP
import Messages
import ObjectStore
import Recording
import Serving

extension PlaybackSettings {
    /// Requests under way at once, to a store that is a service.
    private static let transfers = 8

    /// The footage; touches nothing yet.
    func openArchive() throws(ServingError) -> Archive {
        let store = try openStore()
        guard let box else { return Archive(site: site, store: store) }
        return Archive(
            site: site, cachePath: box.cachePath, statePath: box.statePath, store: store, cameras: box.archived)
    }

    private func openStore() throws(ServingError) -> any ObjectStore {
        switch store {
        case .file(let path): return FileStore(root: path)
        case .s3(let bucket):
            guard let credential = S3Credential(try storeCredential().revealed()) else {
                throw ServingError(
                    .configuration, "the store's credential is not ACCESS_KEY_ID:SECRET[:TOKEN]",
                    nextStep: "correct its file")
            }
            return S3Store(bucket, credential, client, clock: { WallTime.current() })
        case .azureBlob(let container):
            let credential = try storeCredential()
            do { return try AzureStore(container, credential: credential.revealed(), client) } catch {
                throw ServingError(
                    .configuration, "\(error.operation) \(error.thing): \(error.detail)", nextStep: error.nextStep)
            }
        }
    }

    private func storeCredential() throws(ServingError) -> Secret {
        guard let credential = storeAccess.credential else {
            throw ServingError(
                .configuration, "the store is a service, and there is no credential for it",
                nextStep: "name its file: --credential, on a box store.credential in cvr.yaml")
        }
        return credential
    }

    private var client: HTTPClient {
        HTTPClient(
            HTTPSettings(
                proxy: storeAccess.proxy, certificateAuthority: storeAccess.certificateAuthority,
                connections: Self.transfers))
    }

    /// What is served at `doors`, and how.
    func openServer(_ doors: PlaybackDoors) throws(ServingError) -> ServerSettings {
        var opened = ServerSettings(listener: .descriptor(doors.web))
        opened.tls = tls.map { ServerSettings.TLS(certificate: $0.certificate, key: $0.key.revealed()) }
        for text in access.proxies ?? [] {
            guard let block = AddressBlock(text) else {
                throw ServingError(
                    .configuration, "proxies: \(text) is no numeric address, and no block of them",
                    nextStep: "write it as 10.0.0.7 or 10.0.0.0/8")
            }
            opened.proxies.append(block)
        }
        for text in access.allowOrigins ?? [] {
            guard let origin = WebOrigin(text) else {
                throw ServingError(
                    .configuration, "allowOrigins: \(text) is not where a page is from",
                    nextStep: "write it as https://HOST or https://HOST:PORT")
            }
            opened.origins.insert(origin)
        }
        return opened
    }

    /// Who may watch; without a key of its own, a new one signs.
    func openAccess() async throws(ServingError) -> Access {
        var opened = Access(signing: SymmetricKey(size: .bits256), isOpen: access.isOpen)
        for account in access.accounts {
            guard let password = Password(account.password.revealed()) else {
                throw ServingError(
                    .configuration, "the password of \(account.name) is empty, or no valid hash",
                    nextStep: "put one into its file")
            }
            opened.accounts[account.name] = Access.Account(
                password: password, cameras: account.cameras.map { .named(Set($0)) } ?? .all)
        }
        if let signing = access.signing {
            guard let key = Access.signingKey(signing.revealed()) else {
                throw ServingError(
                    .configuration, "the text that signs URLs is too short",
                    nextStep: "give a longer one (openssl rand -hex 32)")
            }
            opened.signing = key
        }
        opened.tokens = try await openTokens()
        return opened
    }

    private func openTokens() async throws(ServingError) -> ContentTokens? {
        guard let tokens = access.tokens else { return nil }
        var keys: [ContentTokens.Key] = []
        for key in tokens.keys {
            guard let algorithm = TokenAlgorithm(rawValue: key.algorithm) else {
                throw ServingError(
                    .configuration, "\(key.algorithm) is no algorithm of tokens",
                    nextStep: "use one of \(TokenAlgorithm.names)")
            }
            keys.append(ContentTokens.Key(kid: key.kid, algorithm: algorithm, pem: key.publicKey))
        }
        do { return try await ContentTokens(issuer: tokens.issuer, audience: tokens.audience, keys: keys) } catch {
            throw ServingError(
                .configuration, "a key of tokens is no public key of its algorithm: \(error)",
                nextStep: "put the PEM of the public key into its file")
        }
    }

    /// Seconds since 1970 when the certificate ends; throws for one that cannot be used with its key.
    func checkCertificate() throws(ServingError) -> Int64? {
        guard let tls else { return nil }
        return try TLSIdentity(certificate: tls.certificate, key: tls.key.revealed()).check()
    }
}

extension PlaybackSettings.Box {
    var archived: [Archive.Camera] {
        cameras.sorted { $0.key < $1.key }.map { Archive.Camera(name: $0.key, asset: $0.value) }
    }
}
