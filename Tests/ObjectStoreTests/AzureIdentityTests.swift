import Foundation
import HTTP
import ObjectStore
import Recording
import Synchronization
import TestSupport
import Testing

@Suite("Azure identity")
final class AzureIdentityTests {
    let folder = FileManager.default.temporaryDirectory.appending(path: "identity-\(UUID())").path
    let time = HandClock()

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: folder) }  // A leftover in /tmp fails no test.

    func identity(_ server: AzureServer, secrets: String? = nil) throws -> AzureIdentity {
        let url = try #require(server.identity)
        let environment = ["IMDS_ENDPOINT": url, "IDENTITY_ENDPOINT": "\(url)/metadata/identity/oauth2/token"]
        return AzureIdentity(
            AzureIdentity.Source(environment: environment, isArcInstalled: false),
            client: HTTPClient(HTTPSettings(proxy: "http://127.0.0.1:1")), secrets: secrets ?? folder,
            now: time.reading)
    }

    /// Asks eight threads' worth of questions at once.
    func tokens(_ identity: AzureIdentity) async throws -> Set<String> {
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<8 { group.addTask { try identity.token() } }
            return try await group.reduce(into: []) { $0.insert($1) }
        }
    }

    @Test("who gives out tokens is found as Azure's own clients find it")
    func source() {
        typealias Source = AzureIdentity.Source
        let path = "/metadata/identity/oauth2/token"
        let arc = ["IDENTITY_ENDPOINT": "http://localhost:40342\(path)", "IMDS_ENDPOINT": "http://localhost:40342"]
        #expect(Source(environment: arc, isArcInstalled: false) == .arc(url: "http://localhost:40342\(path)"))
        #expect(Source(environment: [:], isArcInstalled: true) == .arc(url: "http://127.0.0.1:40342\(path)"))
        #expect(Source(environment: [:], isArcInstalled: false) == .machine(url: "http://169.254.169.254\(path)"))
        #expect(
            Source(environment: ["IMDS_ENDPOINT": "http://h:1"], isArcInstalled: false)
                == .machine(url: "http://h:1\(path)"))
    }

    @Test("a machine's token is asked for once by all, and anew 5 minutes before its end")
    func machine() async throws {
        let server = try await AzureServer(identity: .machine, lifetime: 3600)
        let url = try #require(server.identity)
        let source = AzureIdentity.Source(environment: ["IMDS_ENDPOINT": url], isArcInstalled: false)
        let identity = AzureIdentity(
            source, client: HTTPClient(HTTPSettings(proxy: "http://127.0.0.1:1")),
            now: time.reading)
        let first = try await tokens(identity)
        #expect(first.count == 1)
        time.pass(.seconds(3290))
        #expect(try await tokens(identity) == first)
        #expect(try await server.tell("tokens") == ["given": 1])
        time.pass(.seconds(15))
        let second = try await tokens(identity)
        #expect(second.count == 1 && second != first)
        #expect(try await server.tell("tokens") == ["given": 2])
        await server.stop()
    }

    @Test("Azure Arc's challenge is answered by the secret in its file")
    func arc() async throws {
        let server = try await AzureServer(identity: .arc, secrets: folder)
        let identity = try identity(server)
        let first = try await tokens(identity)
        #expect(first.count == 1)
        identity.forget(try #require(first.first))
        #expect(try await tokens(identity) != first)
        await server.stop()
    }

    @Test("a secret that lies elsewhere, or is too long for one, is never sent")
    func elsewhere() async throws {
        let server = try await AzureServer(identity: .arc, secrets: folder)
        for secrets in ["/var/opt/azcmagent/tokens", folder + "/deeper", String(folder.dropLast())] {
            let error = #expect(throws: ObjectStoreError.self) { try identity(server, secrets: secrets).token() }
            #expect(error?.description.contains("outside") == true)
        }
        #expect(try await server.tell("tokens") == ["given": 0])
        await server.stop()
    }

    @Test("a service that is busy is left alone as long as it wants, and what is still good is used meanwhile")
    func refusals() async throws {
        let server = try await AzureServer(identity: .machine, lifetime: 3600)
        let url = try #require(server.identity)
        let identity = AzureIdentity(
            .machine(url: url + "/metadata/identity/oauth2/token"), client: HTTPClient(HTTPSettings()),
            now: time.reading)
        try await server.tell("refuse 429 503 410")
        for _ in 0..<3 {
            let error = #expect(throws: ObjectStoreError.self) { try identity.token() }
            #expect(error?.scope == .store)
            // Not asked again before the pause is over.
            let wait = try #require(error?.retryAfter)
            #expect(wait >= .zero && wait <= .seconds(60))
            time.pass(.milliseconds(Int64(wait.seconds * 1000) + 1))
        }
        let token = try identity.token()
        time.pass(.seconds(3400))
        try await server.tell("refuse 500")
        #expect(try identity.token() == token)
        #expect(try await server.tell("tokens") == ["given": 1])
        time.pass(.seconds(61))
        #expect(try identity.token() != token)
        await server.stop()
    }

    @Test("a blob is put by a token, over TLS only, and by another one when the first is not believed any more")
    func store() async throws {
        let certificate = try await Certificate(in: folder)
        let server = try await AzureServer(certificate: certificate, identity: .machine)
        let url = try #require(server.identity)
        func store(_ location: StoreLocation.AzureBlob) throws -> AzureStore {
            try AzureStore(
                location, credential: "managed-identity",
                HTTPClient(HTTPSettings(certificateAuthority: certificate.authority)),
                environment: ["IMDS_ENDPOINT": url])
        }
        let site = try #require(SiteName("plant"))
        let mark = try #require(DocumentKey(.mark, of: site))
        let tokens = try store(server.location("token"))
        try tokens.prepare()
        #expect(try tokens.putDocument([1, 2], as: mark, if: .absent))
        try await server.tell("expire")
        #expect(try tokens.document(mark)?.bytes == [1, 2])
        #expect(try await server.tell("tokens") == ["given": 2])
        var plain = server.location()
        plain.endpoint = "http://127.0.0.1:1"
        #expect(throws: ObjectStoreError.self) { try store(plain) }
        await server.stop()
    }
}

/// A clock that a test moves.
final class HandClock: Sendable {
    private let now = Mutex(ContinuousClock.now)

    var reading: @Sendable () -> ContinuousClock.Instant { { self.now.withLock { $0 } } }

    func pass(_ duration: Duration) { now.withLock { $0 += duration } }
}
