import Foundation
import HTTP
import ObjectStore
import Recording
import TestSupport
import Testing

/// The network between box and cloud at its worst: contrib/faults runs the same at length.
@Suite("Faults on the way to the store", .serialized)
struct FaultTests {
    static func variable(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }
    static var kinds: [StoreServer.Kind] {
        variable("CVR_FAULT_STORE").flatMap { StoreServer.Kind(rawValue: $0) }.map { [$0] } ?? StoreServer.Kind.allCases
    }
    static var runs: Int { variable("CVR_FAULT_RUNS").flatMap { Int($0) } ?? 150 }
    static var seed: UInt64 { variable("CVR_FAULT_SEED").flatMap { UInt64($0) } ?? UInt64.random(in: 1...999_999) }

    @Test("whatever goes wrong, every segment is in the store once, whole, and evicted only then", arguments: kinds)
    func campaign(kind: StoreServer.Kind) async throws {
        let seed = Self.seed
        try await withStore(kind) { server, proxy in
            let campaign = try FaultCampaign(
                try server.store(at: proxy.endpoint, HTTPSettings(stallLimit: .seconds(1))), through: proxy, seed: seed)
            for _ in 0..<Self.runs { try await campaign.run() }
            try campaign.examine(try server.store(at: server.endpoint))
            print("\(kind), seed \(seed):\n\(campaign.table)")
            #expect(campaign.failures == [], "seed \(seed)")
            #expect(try await proxy.seen()["elsewhere"] == 0)
        }
    }

    @Test("a healthy network costs one write a segment, and at most 2 % of them twice", arguments: kinds)
    func healthy(kind: StoreServer.Kind) async throws {
        try await withStore(kind) { server, proxy in
            let campaign = try FaultCampaign(
                try server.store(at: proxy.endpoint, HTTPSettings(stallLimit: .seconds(1))), through: proxy, seed: 1)
            for _ in 0..<50 { try await campaign.run(healthy: true) }
            try campaign.examine(try server.store(at: server.endpoint))
            #expect(campaign.failures == [])
            #expect(campaign.counters.writes == 50)
            #expect(campaign.counters.retries <= 1)
        }
    }

    @Test("a server whose certificate expired, or is somebody else's, is told nothing", arguments: kinds)
    func certificates(kind: StoreServer.Kind) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "certificates-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }  // A leftover in /tmp fails no test.
        let expired = try await Certificate(in: folder, isExpired: true)
        try await withStore(kind, certificate: expired) { server, proxy in
            let secure = try #require(proxy.secureEndpoint)
            for authority in [expired.authority, nil] {
                let store = try server.store(at: secure, HTTPSettings(certificateAuthority: authority))
                let error = #expect(throws: ObjectStoreError.self) { try store.prepare() }
                #expect(error?.scope == .store && error?.outlook == .lasting)
                #expect(error?.nextStep.contains(authority == nil ? "certificateAuthority" : "expired") == true)
            }
            #expect(try await proxy.seen()["requests"] == 0)
        }
    }
}
