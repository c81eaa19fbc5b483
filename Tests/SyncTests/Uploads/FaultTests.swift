import Foundation
import HTTP
import ObjectStore
import Recording
import Synchronization
import TestSupport
import Testing

/// The network between box and cloud at its worst: contrib/faults runs the same at length.
@Suite("Faults on the way to the store", .serialized)
struct FaultTests {
    static func variable(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }
    /// None for a name that is no kind's.
    static var kinds: [StoreServer.Kind] {
        variable("CVR_FAULT_STORE").map { StoreServer.Kind(rawValue: $0).map { [$0] } ?? [] }
            ?? StoreServer.Kind.allCases
    }
    static var runs: Int? { number("CVR_FAULT_RUNS", otherwise: 40) }
    static var kills: Int? { number("CVR_FAULT_KILLS", otherwise: 5) }
    static var seed: Int? { number("CVR_FAULT_SEED", otherwise: .random(in: 1...999_999)) }

    /// Of a campaign, with the server's start; contrib/faults asks for long ones.
    static let limit = TimeLimitTrait.Duration.minutes(
        variable("CVR_FAULT_RUNS") ?? variable("CVR_FAULT_KILLS") == nil ? 6 : 60)

    /// Nil for what is no number.
    private static func number(_ name: String, otherwise: Int) -> Int? {
        variable(name).map { Int($0) } ?? otherwise
    }

    @Test("what contrib/faults asks for is done, or else this fails")
    func asked() { #expect(!Self.kinds.isEmpty && Self.runs != nil && Self.kills != nil && Self.seed != nil) }

    @Test(
        "whatever goes wrong, every segment is in the store once, whole, and evicted only then",
        .timeLimit(FaultTests.limit), arguments: kinds)
    func campaign(kind: StoreServer.Kind) async throws {
        let (seed, runs) = (UInt64(clamping: try #require(Self.seed)), try #require(Self.runs))
        try await withStore(kind) { server, proxy in
            let campaign = try FaultCampaign(
                try server.store(at: proxy.endpoint, HTTPSettings(stallLimit: .seconds(1))), through: proxy, seed: seed)
            for _ in 0..<runs { try await campaign.run() }
            try campaign.examine(try server.store(at: server.endpoint))
            print("\(kind), seed \(seed):\n\(campaign.table)")
            #expect(campaign.failures == [], "seed \(seed)")
            #expect(try await proxy.seen()["elsewhere"] == 0)
        }
    }

    @Test(
        "killed at any moment cvr-sync leaves nothing behind that the next one does not mend",
        .timeLimit(FaultTests.limit), arguments: kinds)
    func kills(kind: StoreServer.Kind) async throws {
        let (seed, kills) = (UInt64(clamping: try #require(Self.seed)), try #require(Self.kills))
        try await withStore(kind) { server, proxy in
            let campaign = try KillCampaign(server, through: proxy, seed: seed)
            for _ in 0..<kills { try await campaign.kill() }
            // By those that were killed: the last one, which is not, does all of it.
            let (evicted, requests) = (campaign.evicted, try await proxy.seen()["requests"] ?? 0)
            try await campaign.examine()
            print(
                "\(kind), seed \(seed): \(kills) kills, \(campaign.recorded) segments, the killed ones made",
                "\(requests) requests and evicted \(evicted)")
            #expect(campaign.failures == [], "seed \(seed)")
            #expect(requests > 0)
            // A cache holds eleven.
            if kills >= 50 { #expect(evicted > 0) }
        }
    }

    @Test(
        "a healthy network costs one write a segment, and at most 2 % of them twice", .timeLimit(.minutes(6)),
        arguments: kinds)
    func healthy(kind: StoreServer.Kind) async throws {
        try await withStore(kind) { server, proxy in
            let told = Mutex<[BilledRequest]>([])
            let store = try server.store(at: proxy.endpoint, HTTPSettings(stallLimit: .seconds(1))) { request in
                told.withLock { $0.append(request) }
            }
            let campaign = try FaultCampaign(store, through: proxy, seed: 1)
            for _ in 0..<50 { try await campaign.run(healthy: true) }
            let (requests, counted) = (told.withLock { $0 }, try await server.billed())
            try campaign.examine(try server.store(at: server.endpoint))
            #expect(campaign.failures == [])
            let (writes, retries) = campaign.counters
            #expect(writes == 50 && retries <= 1)
            // By the server's count: the segments, the marks and probes of 51 starts, and nothing else.
            #expect(counted["write"] == requests.count { $0.kind != .list })
            #expect(counted["list"] ?? 0 == requests.count { $0.kind == .list })
            #expect(requests.count { $0.kind == .segment } == 50 + Int(retries))
            #expect(requests.count { $0.kind == .document } <= 1 + 51 * 2, "\(counted)")
        }
    }

    @Test(
        "a certificate that expires in the midst of it stops everything, and renewed lets it go on",
        .timeLimit(.minutes(6)), arguments: kinds)
    func renewal(kind: StoreServer.Kind) async throws {
        let (valid, expired) = (try await certificate(), try await certificate(isExpired: true))
        defer { for made in [valid, expired] { try? FileManager.default.removeItem(atPath: made.folder) } }  // as below
        try await withStore(kind, certificate: valid) { server, proxy in
            let settings = HTTPSettings(
                certificateAuthority: valid.authority + expired.authority, stallLimit: .seconds(1))
            let store = try server.store(at: try #require(proxy.secureEndpoint), settings)
            let campaign = try FaultCampaign(store, through: proxy, seed: 1)
            for _ in 0..<20 { try await campaign.run() }
            try await proxy.present(expired)
            let before = try await proxy.seen()
            #expect(try campaign.runInVain() == false)
            #expect(try await proxy.seen() == before)
            try await proxy.present(valid)
            for _ in 0..<20 { try await campaign.run() }
            try campaign.examine(try server.store(at: server.endpoint))
            #expect(campaign.failures == [])
        }
    }

    /// In a folder of its own.
    private func certificate(isExpired: Bool = false) async throws -> Certificate {
        let folder = FileManager.default.temporaryDirectory.appending(path: "certificates-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return try await Certificate(in: folder, isExpired: isExpired)
    }

    @Test(
        "a server whose certificate expired, or is somebody else's, is told nothing", .timeLimit(.minutes(6)),
        arguments: kinds)
    func certificates(kind: StoreServer.Kind) async throws {
        let expired = try await certificate(isExpired: true)
        defer { try? FileManager.default.removeItem(atPath: expired.folder) }  // A leftover in /tmp fails no test.
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
