import Foundation
import HTTP
import ObjectStore
import Recording
import Sync
import TestSupport

/// A real server of one of the services, and stores in it that are a test's own.
struct StoreServer: Sendable {
    enum Kind: String, CaseIterable {
        case s3, azblob
    }

    /// Scheme, host and port.
    let endpoint: String
    /// As an operator gives it.
    let credential: String
    private let place: String
    /// What the server itself counted so far, of the requests that are billed as writes: `write`, `list`.
    let billed: @Sendable () async throws -> [String: Int]
    /// All that it let in so far, by what they did, in its own words.
    let requests: @Sendable () async throws -> [String: Int]
    private let make:
        @Sendable (_ endpoint: String, HTTPClient, @escaping BilledRequest.Counter) throws -> any ObjectStore
    let stop: @Sendable () async -> Void

    /// Starts it, and returns when it serves.
    ///
    /// A shared one is this process's. Azure's pages have so many entries.
    init(_ kind: Kind, isShared: Bool = false, page: Int = 5000) async throws {
        let prefix = "tests/\(UUID())"
        switch kind {
        case .s3:
            let server = try await SeaweedFS.shared.value
            endpoint = server.endpoint
            credential = server.credential
            guard let credential = S3Credential(server.credential) else { throw Missed("no credential") }
            // Its own: what other tests do is not counted.
            let own = "own-\(UInt32.random(in: 0...UInt32.max))"
            let bucket = isShared ? server.bucket : try server.makeBucket(own)
            place = "s3://\(bucket)/\(prefix)"
            billed = {
                let requests = try await server.requests(of: bucket)
                return ["write": requests["PUT"] ?? 0, "list": requests["LIST"] ?? 0]
            }
            requests = { try await server.requests(of: bucket) }
            make = { endpoint, client, counting in
                let location = StoreLocation.S3(
                    bucket: bucket, prefix: prefix, endpoint: endpoint, region: "us-east-1")
                return S3Store(location, credential, client, clock: SyncClock.system.now, counting: counting)
            }
            stop = {}
        case .azblob:
            let server = try await isShared ? AzureServer.shared.value : AzureServer(page: page)
            endpoint = server.endpoint
            credential = server.key
            place = "azblob://\(server.account)/\(AzureServer.container)/\(prefix)"
            billed = { try await server.tell("billed").filter { ["write", "list"].contains($0.key) } }
            make = { endpoint, client, counting in
                var location = server.location(prefix)
                location.endpoint = endpoint
                return try AzureStore(location, credential: server.key, client, counting: counting)
            }
            requests = { try await server.tell("billed") }
            stop = { if !isShared { await server.stop() } }
        }
    }

    /// `store.url` of the store at an address.
    func url(at endpoint: String) -> String { "\(place)?endpoint=\(endpoint)" }

    /// The store as it is reached at an address: the server's own, or that of somebody in between.
    func store(
        at endpoint: String, _ settings: HTTPSettings = HTTPSettings(),
        counting: @escaping BilledRequest.Counter = { _ in }
    ) throws -> any ObjectStore {
        try make(endpoint, HTTPClient(settings), counting)
    }
}

/// A server with a proxy in front of it, for as long as `body` takes.
func withStore<Result: Sendable>(
    _ kind: StoreServer.Kind, certificate: Certificate? = nil, isolation: isolated (any Actor)? = #isolation,
    _ body: (StoreServer, FaultProxy) async throws -> Result
) async throws -> Result {
    let server = try await StoreServer(kind)
    do {
        let proxy = try await FaultProxy(of: server.endpoint, certificate: certificate)
        let result = try await body(server, proxy)
        await proxy.stop()
        await server.stop()
        return result
    } catch {
        await server.stop()
        throw error
    }
}
