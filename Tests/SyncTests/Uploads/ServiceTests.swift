import Catalog
import Dispatch
import Foundation
import Messages
import ObjectStore
import Recording
import Sync
import Synchronization
import Testing

/// What a pass asks of a store that bills its requests, when all is well and when it is not.
@Suite("A service as the store")
struct ServiceTests {
    private static func failure(_ outlook: ObjectStoreError.Outlook, scope: ObjectStoreError.Scope = .store)
        -> ObjectStoreError
    {
        var error = ObjectStoreError("put", "it", detail: "no", nextStep: "none", scope: scope)
        error.outlook = outlook
        return error
    }

    private func recorded(_ segments: Int, _ camera: SyncSettings.Camera = SyncSettings.Camera(asset: "archive"))
        throws -> Rig
    {
        let rig = try Rig(camera)
        let recorder = try rig.recorder()
        // What this catalog has seen close is in no doubt.
        try rig.sync()
        try recorder.start()
        for _ in 0..<segments { try recorder.record() }
        return rig
    }

    /// A pass, whose error is its end.
    private func sync(_ rig: Rig, _ store: ScriptedService, _ progress: Sync.Progress) throws -> UploadPass.Report? {
        do { return try rig.sync(rig.workspace(store: store), progress) } catch is ObjectStoreError { return nil }
    }

    @Test("a segment costs one write and nothing else, four are under way at a time")
    func steady() throws {
        let rig = try recorded(20)
        // Each waits until the others are there too.
        let arrived = Mutex(0)
        let together = DispatchSemaphore(value: 0)
        let store = ScriptedService(root: rig.root + "/store") { request, _ in
            guard request == "put" else { return }
            let place = arrived.withLock { count in
                count += 1
                return count
            }
            if place < 4 { _ = together.wait(timeout: .now() + .seconds(10)) }
            if place == 4 { for _ in 0..<3 { together.signal() } }
        }
        let progress = Sync.Progress()
        #expect(try sync(rig, store, progress)?.uploaded == 20)
        let first = store.requests
        #expect(first["put"] == 20 && first["compare"] == nil && first["head"] == nil)
        #expect(store.mostAtOnce == 4)
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<5 { try recorder.record() }
        #expect(try sync(rig, store, progress)?.uploaded == 5)
        let second = store.requests.merging(first) { $0 - $1 }.filter { $0.value != 0 && first[$0.key] != $0.value }
        #expect(second == ["put": 5], "\(second)")
        #expect(progress.current.writes == 25 && progress.current.retries == 0)
        #expect(try rig.rows().allSatisfy { $0.state == .verified && !$0.isUncertain })
    }

    @Test(
        "what a store can do is told when it is first probed, and again only when it changes; what it lacks is a warning"
    )
    func capabilities() throws {
        let rig = try recorded(0)
        func told() -> [String] { rig.events.recent.map(\.type).filter { $0.hasPrefix("store") } }
        var store = ScriptedService(root: rig.root + "/store")
        var work = try rig.workspace(store: store)
        #expect(work.watch.found == nil)
        for _ in 0..<3 {
            try rig.sync(work)
            work.watch.forget()
        }
        #expect(told() == ["storeProbed"])
        store.capabilities.vouches = false
        work.store = store
        try rig.sync(work)
        #expect(told() == ["storeProbed", "storeLimited"])
        #expect(rig.events.recent.last?.detail.contains("read back") == true)
        #expect(work.watch.found?.vouches == false)
    }

    @Test("no camera has more than half of what is under way, unless it is the only one")
    func shares() throws {
        let rig = try recorded(12)
        let gate = try #require(CameraName("gate"))
        let recorder = try rig.recorder(gate)
        try recorder.start()
        try recorder.record()
        try rig.recorder().start()
        let others = DispatchSemaphore(value: 0)
        let store = ScriptedService(root: rig.root + "/store") { request, _ in
            // Time for others to come; nobody signals.
            if request == "put" { _ = others.wait(timeout: .now() + .milliseconds(20)) }
        }
        #expect(try sync(rig, store, Sync.Progress())?.uploaded == 13)
        #expect((2...3).contains(store.mostAtOnce), "two of one camera, and the other's")
    }

    @Test("an answer that was lost is looked up once, and nothing is written twice")
    func lost() throws {
        let rig = try recorded(3)
        let store = ScriptedService(root: rig.root + "/store") { request, count in
            if request == "compare" { #expect(count == 1) }
            if request == "put", count == 1 { throw Self.failure(.timedOut) }
        }
        let progress = Sync.Progress()
        #expect(try sync(rig, store, progress)?.uploaded == 3)
        #expect(store.requests["put"] == 4 && store.requests["compare"] == 1)
        #expect(progress.current.retries == 1 && progress.current.breaker.failures == 0)
        #expect(rig.events.recent.map(\.type) == ["storeProbed"])
    }

    @Test("five bad answers in a row end the pass, tell once, and leave the store alone for a minute")
    func down() async throws {
        let rig = try recorded(12)
        let isDown = Mutex(true)
        let store = ScriptedService(root: rig.root + "/store") { request, _ in
            if request == "put", isDown.withLock({ $0 }) { throw Self.failure(.passing) }
        }
        let progress = Sync.Progress()
        let work = try rig.workspace(store: store)
        try rig.survey(rig.front, work)
        let keeper = StoreKeeper(progress: progress, stop: StopSwitch())
        _ = try await keeper.pass(work, isAsked: false, limit: StopSwitch())
        #expect(progress.current.breaker.state == .open)
        let failed = try #require(store.requests["put"])
        #expect((5...8).contains(failed))
        for _ in 0..<5 {
            rig.clock.advance(.seconds(11))
            _ = try await keeper.pass(work, isAsked: false, limit: StopSwitch())
        }
        #expect(store.requests["put"] == failed)
        for probes in 1...3 {
            rig.clock.advance(.seconds(76))
            _ = try await keeper.pass(work, isAsked: false, limit: StopSwitch())
            #expect(store.requests["put"] == failed + probes, "one object a minute")
        }
        #expect(store.requests["document"] == 2, "the mark at first, and once when it was away")
        #expect(rig.events.recent.map(\.type) == ["storeProbed", "storeAway"])
        isDown.withLock { $0 = false }
        #expect(try await keeper.pass(work, isAsked: true, limit: StopSwitch()).uploaded == 12)
        #expect(rig.events.recent.map(\.type) == ["storeProbed", "storeAway", "storeBack"])
        #expect(progress.current.breaker.state == .closed && progress.current.lastError == nil)
    }

    @Test("of a store that was away nothing is deleted before it was looked at")
    func probed() async throws {
        let rig = try recorded(1, SyncSettings.Camera(asset: "archive", retention: .seconds(600)))
        let asked = Mutex<[String]>([])
        let isAway = Mutex<Set<String>>([])
        let store = ScriptedService(root: rig.root + "/store") { request, _ in
            asked.withLock { $0.append(request) }
            if isAway.withLock({ $0.contains(request) }) { throw Self.failure(.lasting) }
        }
        let progress = Sync.Progress()
        #expect(try sync(rig, store, progress)?.uploaded == 1)
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        let work = try rig.workspace(store: store)
        try rig.survey(rig.front, work)
        let keeper = StoreKeeper(progress: progress, stop: StopSwitch())
        // The mark was looked at since it went away; then there is something to delete.
        isAway.withLock { $0 = ["put"] }
        for _ in 0..<2 {
            _ = try await keeper.pass(work, isAsked: false, limit: StopSwitch())
            rig.clock.advance(.seconds(76))
        }
        rig.clock.advance(.seconds(700))
        isAway.withLock { $0 = ["document"] }
        asked.withLock { $0 = [] }
        _ = try await keeper.pass(work, isAsked: false, limit: StopSwitch())
        #expect(asked.withLock { $0 } == ["document"])
        rig.clock.advance(.seconds(76))
        isAway.withLock { $0 = [] }
        asked.withLock { $0 = [] }
        _ = try await keeper.pass(work, isAsked: false, limit: StopSwitch())
        #expect(asked.withLock { $0 } == ["document", "documents", "delete", "compare", "put"])
        #expect(progress.current.breaker.state == .closed)
    }

    @Test("a box that runs on notices within an hour that another one took its store over, and writes no more")
    func takenOver() throws {
        let rig = try recorded(1)
        let store = ScriptedService(root: rig.root + "/store")
        let work = try rig.workspace(store: store)
        #expect(try rig.sync(work).uploaded == 1)
        let looks = try #require(store.requests["document"])
        let mark = URL(filePath: rig.root + "/store/plant/.identity")
        var names = try JSONDecoder().decode([String: String].self, from: Data(contentsOf: mark))
        names["box"] = "another"
        try JSONEncoder().encode(names).write(to: mark)
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        // It does not look with each pass.
        rig.clock.advance(.seconds(3500))
        #expect(try rig.sync(work).uploaded == 1)
        #expect(store.requests["document"] == looks && store.requests["put"] == 2)
        try recorder.record()
        rig.clock.advance(.seconds(101))
        let error = #expect(throws: ObjectStoreError.self) { try rig.sync(work) }
        #expect(error?.isOfAnotherBox == true)
        #expect(store.requests["document"] == looks + 1 && store.requests["put"] == 2)
        #expect(try rig.rows().last?.state == .closed)
    }

    @Test("without permission the store is away at once, and no object is blamed")
    func forbidden() async throws {
        let rig = try recorded(3)
        let store = ScriptedService(root: rig.root + "/store") { request, _ in
            if request == "put" { throw Self.failure(.lasting) }
        }
        let progress = Sync.Progress()
        #expect(try sync(rig, store, progress) == nil)
        #expect(try #require(store.requests["put"]) <= 4)
        #expect(progress.current.breaker.state == .open)
        #expect(try rig.rows().allSatisfy { $0.state == .closed })
    }

    @Test("an object that the store refuses for good is quarantined with an alarm, and never sent again")
    func refused() throws {
        let rig = try recorded(3)
        let store = ScriptedService(root: rig.root + "/store") { request, count in
            if request == "put", count == 1 { throw Self.failure(.lasting, scope: .object) }
        }
        let progress = Sync.Progress()
        let report = try #require(try sync(rig, store, progress))
        #expect(report.uploaded == 2 && report.failed == 1)
        #expect(try rig.rows().count { $0.state == .quarantined } == 1)
        #expect(rig.events.recent.map(\.type) == ["storeProbed", "segmentQuarantined"])
        _ = try sync(rig, store, progress)
        #expect(store.requests["put"] == 3)
    }

    @Test("what was quarantined is tried once more by an audit, unless the store has something else under its name")
    func triedAgain() async throws {
        let rig = try recorded(2)
        var store = ScriptedService(root: rig.root + "/store")
        store.admits = { _ in throw Self.failure(.lasting, scope: .object) }
        let progress = Sync.Progress()
        #expect(try sync(rig, store, progress)?.failed == 2)
        store.admits = { _ in }
        let first = try #require(try rig.rows().first)
        let blocked = URL(filePath: "\(rig.root)/store/\(first.key)")
        try FileManager.default.createDirectory(
            at: blocked.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data([1, 2, 3]).write(to: blocked)
        let found = Mutex(Listing.Verified(checked: 0, findings: []))
        let work = try rig.workspace(store: store)
        try await Auditor(progress: progress).verify(work, [rig.front], isDeep: false, limit: StopSwitch()) { step in
            found.withLock { $0 += step }
        }
        let findings = found.withLock { $0.findings }
        #expect(findings.map(\.kind) == ["different", "missing"] && findings.map(\.repaired) == [false, true])
        #expect(try sync(rig, store, progress)?.uploaded == 1)
        #expect(try rig.rows().map(\.state) == [.quarantined, .verified])
    }

    @Test(
        "what the store refuses while it takes others costs these nothing, and is quarantined with an alarm in the end",
        arguments: [1, 5])
    func refusedAlone(count: Int) throws {
        let rig = try recorded(count)
        try rig.survey(rig.front, rig.workspace())
        let refused = try Set(rig.rows().map(\.key))
        let progress = Sync.Progress()
        var store = ScriptedService(root: rig.root + "/store")
        store.admits = { key in
            guard refused.contains(key.text) else { return }
            var error = Self.failure(.lasting)
            error.mayConcernOne = true
            throw error
        }
        // Alone it may be the store's fault: it is away, and no object is blamed.
        #expect(try sync(rig, store, progress) == nil && progress.current.breaker.state == .open)
        for pass in 1...8 {
            let recorder = try rig.recorder()
            try recorder.start()
            for _ in 0..<3 { try recorder.record() }
            #expect(try sync(rig, store, progress)?.uploaded == 3, "pass \(pass)")
            #expect(progress.current.breaker.state == .closed)
        }
        #expect(try rig.rows().filter { $0.state == .quarantined }.map(\.key) == refused.sorted())
        #expect(rig.events.recent.count { $0.type == "segmentQuarantined" } == count)
        #expect(store.requests["put"] == 24 + 5 * count, "once a pass, in as many passes as it takes to be sure")
    }

    @Test(
        "an answer that was damaged on its way quarantines nothing; a store that says the same again is believed",
        arguments: [1, 2, 3])
    func damaged(answers: Int) throws {
        let rig = try recorded(1)
        var store = ScriptedService(root: rig.root + "/store")
        store.damagedAnswers = answers
        let dying = try rig.workspace(store: store) { if $0.description == "commit.begin" { throw Rig.Killed() } }
        #expect(throws: Rig.Killed.self) { try rig.sync(dying) }
        _ = try sync(rig, store, Sync.Progress())
        #expect(try rig.rows().map(\.state) == [answers < 3 ? .verified : .quarantined])
        #expect(store.requests["put"] == 1 && store.requests["compare"] == min(answers + 1, 3))
    }

    @Test("a store that lost its permissions in the midst of a pass is away soon, and no object is blamed")
    func revoked() throws {
        let rig = try recorded(30)
        let progress = Sync.Progress()
        let store = ScriptedService(root: rig.root + "/store") { request, count in
            guard request == "put", count > 10 else { return }
            var error = Self.failure(.lasting)
            error.mayConcernOne = true
            throw error
        }
        for _ in 0..<10 { #expect(try sync(rig, store, progress) == nil) }
        #expect(progress.current.breaker.state == .open)
        // Four may be refused before the last that was taken is noted, then five, with those that were under way at the
        // fifth; then one each time.
        let puts = try #require(store.requests["put"])
        #expect(puts <= 10 + 4 + 5 + 3 + 9, "\(puts)")
        #expect(try rig.rows().count { $0.state == .verified } == 10)
        #expect(try rig.rows().allSatisfy { $0.state != .quarantined })
    }

    @Test("what refuses to be deleted is asked for once an hour, not in each pass")
    func undeletable() throws {
        let rig = try recorded(3, SyncSettings.Camera(asset: "archive", retention: .seconds(10_000_000)))
        let progress = Sync.Progress()
        let refusals = Mutex(true)
        var store = ScriptedService(root: rig.root + "/store")
        store.keeps = { _ in refusals.withLock { $0 } ? Self.failure(.lasting, scope: .object) : nil }
        _ = try sync(rig, store, progress)
        rig.clock.advance(.seconds(10_000_100))
        // A clock that moved as far is believed when somebody says so.
        try ClockGuard(work: rig.workspace(store: store), progress: progress).accept()
        for _ in 0..<20 {
            _ = try sync(rig, store, progress)
            rig.clock.advance(.seconds(30))
        }
        #expect(store.requests["delete"] == 1 && store.requests["documents"] == 1, "\(store.requests)")
        #expect(progress.current.lastError != nil)
        refusals.withLock { $0 = false }
        rig.clock.advance(.seconds(3600))
        _ = try sync(rig, store, progress)
        #expect(try rig.objects().isEmpty && progress.current.lastError == nil)
    }

    @Test("a store that asks for patience gets it, from all threads")
    func throttled() throws {
        let rig = try recorded(8)
        let store = ScriptedService(root: rig.root + "/store") { request, count in
            guard request == "put", count == 1 else { return }
            var error = Self.failure(.passing)
            error.retryAfter = .seconds(7)
            throw error
        }
        let before = rig.clock.now
        #expect(try sync(rig, store, Sync.Progress())?.uploaded == 8)
        #expect(rig.clock.now - before >= .seconds(7))
    }

    @Test("only what closed lately leaves the box while the plan says so; in a pause nothing does")
    func lanes() throws {
        let rig = try recorded(4)
        rig.clock.advance(.seconds(600))
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        let store = ScriptedService(root: rig.root + "/store")
        var work = try rig.workspace(store: store)
        work.pace.follow(BandwidthPlan(usual: .init(bitsPerSecond: nil, isLiveOnly: true)))
        #expect(try rig.sync(work).uploaded == 1)
        #expect(try rig.rows().map(\.state) == [.closed, .closed, .closed, .closed, .verified])
        work.pace = Pace(clock: rig.clock.reading)
        work.pace.follow(BandwidthPlan(usual: .init(bitsPerSecond: 0, isLiveOnly: false)))
        #expect(try rig.sync(work).uploaded == 0)
        work.pace = Pace(clock: rig.clock.reading)
        #expect(try rig.sync(work).uploaded == 4)
    }
}
