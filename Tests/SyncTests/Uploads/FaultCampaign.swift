import Catalog
import Foundation
import ObjectStore
import Recording
import SegmentStore
import Sync
import Synchronization
import TestSupport

/// Many segments, each on its way to a real store under faults of its own, and what came of them.
final class FaultCampaign {
    /// Runs by the kind of their first fault.
    struct Tally {
        var runs = 0
        var tries = 0
        var most = 0
    }

    /// More than a death can cost; each fault costs one at most.
    private static let triesLimit = 8

    let rig: Rig
    private let recorder: Recorder
    private let store: any ObjectStore
    private let proxy: FaultProxy
    private let progress = Sync.Progress()
    private var random: SeededRandom
    private(set) var tallies: [String: Tally] = [:]
    private var ledger: FaultLedger
    /// Until it dies.
    private var process: Workspace?
    /// What must not happen, in words.
    private(set) var failures: [String] = []

    /// `store` reaches the store through the proxy.
    init(_ store: any ObjectStore, through proxy: FaultProxy, seed: UInt64) throws {
        // Some ten segments: what is verified is evicted all the time, never what is not.
        rig = try Rig(SyncSettings.Camera(asset: "archive", cacheBudget: 100_000))
        self.store = store
        self.proxy = proxy
        random = SeededRandom(seed: seed)
        ledger = FaultLedger(rig)
        recorder = try rig.recorder()
        try recorder.start()
        // A busy server may be late with its first answers.
        try attempt(dyingAfter: nil)
    }

    var counters: (writes: Int64, retries: Int64) { (progress.current.writes, progress.current.retries) }

    /// Brings one more segment into the store, by as many tries as it takes.
    func run(healthy: Bool = false) async throws {
        let plan = FaultPlan(&random)
        let name = try record()
        if !healthy { try await proxy.meet(plan.faults) }
        var tries = 0
        while tries < Self.triesLimit + plan.faults.count, try !isVerified(name.id) {
            tries += 1
            try attempt(dyingAfter: healthy || tries > 1 ? nil : plan.death)
        }
        if !healthy { try await proxy.meet([]) }
        let kind = healthy ? "healthy" : plan.kind
        tallies[kind, default: Tally()].runs += 1
        tallies[kind, default: Tally()].tries += tries
        tallies[kind, default: Tally()].most = max(tries, tallies[kind]?.most ?? 0)
        if try !isVerified(name.id) { failures.append("\(plan): not verified after \(tries) tries") }
        try rig.survey(rig.front, rig.workspace())
    }

    /// Records one more while nothing can reach the store; true when it is taken for stored all the same.
    func runInVain() throws -> Bool {
        let name = try record()
        for _ in 0..<3 { try attempt(dyingAfter: nil) }
        return try isVerified(name.id)
    }

    private func record() throws -> SegmentFileName {
        let name = try ledger.record(recorder)
        try rig.survey(rig.front, rig.workspace())
        return name
    }

    /// One pass, which a fault or a death may end; whatever that was, it must be an error of the store's.
    private func attempt(dyingAfter steps: Int?) throws {
        let left = Mutex(steps)
        // Only a new process looks at the store's mark and probes it: faults are for the segments.
        var work = try process ?? rig.workspace(store: store)
        process = work
        work.step = { _ in
            try left.withLock { left in
                guard let steps = left else { return }
                guard steps > 0 else { throw Rig.Killed() }
                left = steps - 1
            }
        }
        var report = UploadPass.Report()
        do {
            try UploadPass(work: work, progress: progress).run(&report)
        } catch is Rig.Killed {
            process = nil
            try rig.reopenCatalog()
        } catch is ObjectStoreError {}
    }

    private func isVerified(_ id: SegmentID) throws -> Bool {
        try rig.workspace().catalog.segment(rig.front, id)?.state == .verified
    }

    /// Holds the store, asked directly, against what was recorded.
    func examine(_ direct: any ObjectStore) throws {
        // What left the cache early would be missing there: it is evicted all the time.
        failures += try ledger.complaints(direct)
    }

    var table: String {
        let rows = tallies.sorted { $0.key < $1.key }.map { kind, tally in
            "  \(kind.padding(toLength: 20, withPad: " ", startingAt: 0)) \(tally.runs) runs, "
                + "\(tally.tries) tries, at most \(tally.most) for one"
        }
        return rows.joined(separator: "\n")
    }
}
