import Foundation
import Messages
import ObjectStore
import Recording
import Sync
import TestSupport
import Varlink

/// Many real deaths of cvr-sync at random moments, while it uploads under faults and evicts what it verified.
final class KillCampaign {
    /// A process lives so long at most, in milliseconds: it surveys its cache, and uploads for most of that.
    private static let longestLife = 400
    /// One in so many has its life counted from its spawn, and may die while it shuts itself in; the others listen by then.
    private static let early = 4
    /// Segments that are recorded while it lives.
    private static let segments = 3

    let rig: Rig
    private let recorder: Recorder
    private let server: StoreServer
    private let direct: any ObjectStore
    private let proxy: FaultProxy
    private var random: SeededRandom
    private var ledger: FaultLedger
    private var lives = 0
    private(set) var failures: [String] = []

    init(_ server: StoreServer, through proxy: FaultProxy, seed: UInt64) throws {
        rig = try Rig(SyncSettings.Camera(asset: "archive", cacheBudget: 100_000))
        // The process goes by the real clock: what is recorded must not be of the future.
        rig.clock.step(SyncClock.system.now() - .seconds(3600) - rig.clock.now)
        rig.settings.store = try StoreLocation(server.url(at: proxy.endpoint))
        self.server = server
        self.proxy = proxy
        direct = try server.store(at: server.endpoint)
        random = SeededRandom(seed: seed)
        ledger = FaultLedger(rig)
        recorder = try rig.recorder()
        try recorder.start()
    }

    var evicted: Int { ledger.evicted }
    var recorded: Int { ledger.count }

    /// One life and death.
    func kill() async throws {
        let faults = (0..<4).flatMap { _ in FaultPlan(&random).faults.prefix(6) }
        try await proxy.meet(faults)
        let sync = try start()
        let front = rig.front
        // It ends with the process, by a connection that breaks.
        async let work: Void = sync.work(on: front, until: { _ in false })
        let drawn = Int.random(in: 0...Self.longestLife, using: &random)
        // However few there are, one comes to its uploads.
        let life = lives == 0 ? Self.longestLife : drawn
        lives += 1
        let birth: KilledSync.Birth = lives.isMultiple(of: Self.early) ? .spawn : .socket
        async let death: Void = sync.die(after: .milliseconds(life), from: birth)
        for _ in 0..<Self.segments { _ = try ledger.record(recorder) }
        try await death
        do { try await work } catch is VarlinkConnectionError {} catch is KilledSync.Ended {}
        failures += try ledger.evictedEarly(direct)
    }

    /// Lets one more live until all is stored, and holds the store against what was recorded.
    func examine() async throws {
        try await proxy.meet([])
        let sync = try start()
        let count = ledger.count
        do {
            try await sync.work(on: rig.front, passes: 200) {
                $0.count == count && $0.allSatisfy { $0.state == "verified" }
            }
        } catch {
            failures.append("the last one: \(error)")
        }
        await sync.process.stop()
        failures += try ledger.evictedEarly(direct)
        failures += try ledger.complaints(direct)
    }

    private func start() throws -> KilledSync {
        try KilledSync(rig, store: server.url(at: proxy.endpoint), credential: server.credential)
    }
}
