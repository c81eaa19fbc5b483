import Catalog
import Foundation
import Messages
import ObjectStore
import Recording
import SegmentStore
import Sync
import Synchronization
import TestSupport
import Testing

/// What a pass does first, and when it ends.
@Suite("Pass")
struct PassTests {
    @Test("what closed lately goes first, the newest before the others; then the backlog, the oldest first")
    func newest() throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<6 { try recorder.record() }
        rig.clock.advance(.seconds(300))
        try recorder.start()
        for _ in 0..<2 { try recorder.record() }
        let order = Mutex<[SegmentID]>([])
        let (catalog, front) = (try rig.workspace().catalog, rig.front)
        let work = try rig.workspace { step in
            guard step.description == "commit.verified" else { return }
            let rows = try catalog.segments(front, from: nil, to: nil, limit: 100)
            let verified = rows.filter { $0.state == .verified }.map(\.id)
            order.withLock { order in order += verified.filter { !order.contains($0) } }
        }
        #expect(
            try rig.sync(work, isStopping: { order.withLock { $0.count } == 5 }).uploaded == 5)
        let backlog = (0..<3).map { SegmentID(session: 1, counter: $0) }
        #expect(
            order.withLock { $0 } == [SegmentID(session: 2, counter: 1), SegmentID(session: 2, counter: 0)] + backlog)
        #expect(try rig.sync().uploaded == 3)
        #expect(try rig.rows().allSatisfy { $0.state == .verified })
    }

    @Test("what closes while a pass is under way is found by its journal, and goes with it, before the backlog")
    func arrival() throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<4 { try recorder.record() }
        rig.clock.advance(.seconds(600))
        try rig.survey(rig.front, rig.workspace())
        try recorder.start()
        for _ in 0..<2 { try recorder.record() }
        let order = Mutex<[SegmentID]>([])
        let (beside, front, progress) = (try rig.workspace(), rig.front, Sync.Progress())
        let work = try rig.workspace { step in
            guard step.description == "commit.verified" else { return }
            let rows = try beside.catalog.segments(front, from: nil, to: nil, limit: 100)
            let count = order.withLock { order in
                order += rows.filter { $0.state == .verified && !order.contains($0.id) }.map(\.id)
                return order.count
            }
            guard count == 2 else { return }
            #expect(try Survey(work: beside, camera: front).enterNews())
            progress.noteNews(front)
        }
        var report = UploadPass.Report()
        try UploadPass(work: work, progress: progress).run(&report)
        #expect(report.uploaded == 6 && report.failed == 0)
        let expected = [(1, 0), (1, 1), (2, 1), (2, 0), (1, 2), (1, 3)].map { SegmentID(session: $0, counter: $1) }
        #expect(order.withLock { $0 } == expected)
        #expect(try rig.rows().allSatisfy { $0.state == .verified && $0.isRead && $0.isLocal })
    }

    @Test("boxes that start together have their passes all over the period")
    func phases() throws {
        var random = SeededRandom(seed: 1)
        let settings = try Rig(SyncSettings.Camera(asset: "archive", segmentLength: .seconds(20))).settings
        let phases = (0..<1000).map { _ in settings.phase(&random) }
        #expect(phases.allSatisfy { .zero <= $0 && $0 < .seconds(20) })
        let tenths = Dictionary(grouping: phases) { $0.microseconds / 2_000_000 }
        #expect(tenths.count == 10 && tenths.values.allSatisfy { (50...150).contains($0.count) })
    }

    @Test("a pass that was told to end, as by other settings, neither uploads nor deletes any more")
    func told() async throws {
        let rig = try Rig.withExpired(1)
        let work = try rig.workspace()
        try rig.survey(rig.front, work)
        let keeper = StoreKeeper(progress: Sync.Progress(), stop: StopSwitch())
        let over = StopSwitch()
        over.set(at: .now)
        #expect(try await keeper.pass(work, isAsked: true, limit: over).uploaded == 0)
        #expect(try rig.rows().map(\.state) == [.verified, .closed])
        #expect(try await keeper.pass(work, isAsked: true, limit: StopSwitch()).uploaded == 1)
        #expect(try rig.rows().map(\.state) == [.evicted, .verified])
    }

    @Test("a rebuild is done in pieces, and what was recorded since is uploaded before it is done")
    func pieces() throws {
        let rig = try Rig(SyncSettings.Camera(asset: "archive", cacheBudget: 1))
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<4 { try recorder.record() }
        try rig.sync()
        let before = try rig.rows()
        try rig.loseCatalog()
        try rig.survey(rig.front, rig.workspace())
        try recorder.record()
        try rig.survey(rig.front, rig.workspace())
        let looks = Mutex(0)
        // Every few looks end something: after an upload, or an object or two of the rebuild.
        let isStopping: @Sendable () -> Bool = {
            looks.withLock { count in
                count += 1
                return [3, 5, 8].contains(count % 9)
            }
        }
        var passes = 0
        while try rig.workspace().catalog.note("storeListed") == nil {
            passes += 1
            try rig.sync(nil, isStopping: isStopping)
            if passes == 1 { #expect(try rig.objects().count == 5) }
            guard passes < 50 else { break }
        }
        #expect(passes > 1 && passes < 50)
        try rig.sync()
        #expect(try rig.rows().prefix(4).elementsEqual(before))
        #expect(try rig.objects().count == 5)
        #expect(!rig.events.recent.map(\.type).contains("footageLost"))
    }

    @Test("after a lost catalog an asset that was renamed has no segment twice, dropped footage raises no new alarm")
    func renamed() throws {
        let rig = try Rig(SyncSettings.Camera(asset: "old"))
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<2 { try recorder.record() }
        try rig.sync()
        rig.settings.cameras[rig.front] = SyncSettings.Camera(asset: "new", cacheBudget: 1, dropsOldest: true)
        for _ in 0..<4 { try recorder.record() }
        let work = try rig.workspace()
        try rig.survey(rig.front, work)
        try rig.survey(rig.front, work)
        #expect(try rig.rows().map(\.state) == [.verified, .verified, .evicted, .evicted, .closed, .closed])
        rig.settings.cameras[rig.front]?.cacheBudget = nil
        try recorder.record()
        try rig.sync()
        let (rows, objects, events) = (try rig.rows(), try rig.objects(), rig.events.recent.count)
        try rig.loseCatalog()
        rig.settings.cameras[rig.front]?.cacheBudget = 1
        // Before the store was listed nothing is given up that it may have.
        try rig.survey(rig.front, rig.workspace())
        try rig.sync()
        #expect(try rig.rows().map(\.key) == rows.map(\.key))
        #expect(try rig.rows().map(\.state) == rows.map(\.state))
        #expect(try rig.objects() == objects)
        #expect(rig.events.recent.count == events)
    }

    @Test("a store that is not the one that was written to is away, also with the catalog lost; nothing grows there")
    func unmounted() throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        try rig.sync()
        let (store, kept) = (rig.root + "/store", rig.root + "/kept")
        try FileManager.default.moveItem(atPath: store, toPath: kept)
        try recorder.record()
        for isLost in [false, true] {
            if isLost { try rig.loseCatalog() }
            let error = #expect(throws: ObjectStoreError.self) { try rig.sync() }
            #expect(error?.scope == .store)
            #expect(!FileManager.default.fileExists(atPath: store))
        }
        try FileManager.default.createDirectory(atPath: store, withIntermediateDirectories: true)
        #expect(throws: ObjectStoreError.self) { try rig.sync() }
        #expect(try FileManager.default.contentsOfDirectory(atPath: store) == [])
        try FileManager.default.removeItem(atPath: store)
        try FileManager.default.moveItem(atPath: kept, toPath: store)
        // One of them was stored by the catalog that was lost.
        try rig.sync()
        #expect(try rig.rows().map(\.state) == [.verified, .verified])
        // As its next step says: another store, another mark.
        try FileManager.default.removeItem(atPath: store)
        try FileManager.default.removeItem(atPath: rig.root + "/state/sync/stores")
        #expect(throws: ObjectStoreError.self) { try rig.sync() }
        try rig.loseCatalog()
        #expect(try rig.sync().uploaded == 2)
    }

    @Test("without a reading of the clock none is believed that is past all footage by more than a day, until told")
    func firstReading() throws {
        let rig = try Rig(SyncSettings.Camera(asset: "archive", retention: .seconds(600)))
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        try rig.sync()
        try rig.loseCatalog()
        try FileManager.default.removeItem(atPath: rig.root + "/state/sync/clock")
        rig.clock.advance(.seconds(2 * 86_400))
        let progress = Sync.Progress()
        for _ in 0..<2 { try rig.sync(nil, progress) }
        #expect(try rig.objects().count == 1)
        #expect(progress.current.lastError?.code == "clockMoved")
        #expect(rig.events.recent.map(\.type).filter { $0 == "clockMoved" }.count == 1)
        try ClockGuard(work: rig.workspace(), progress: progress).accept()
        #expect(progress.current.lastError == nil)
        try rig.sync(nil, progress)
        #expect(try rig.objects() == [])
        // It lies beside the catalog: a lost one makes no wrong clock right.
        try recorder.start()
        try recorder.record()
        try rig.sync(nil, progress)
        try rig.loseCatalog()
        rig.clock.step(.seconds(3 * 86_400))
        for _ in 0..<2 { try rig.sync(nil, progress) }
        #expect(try rig.objects().count == 1)
    }
}
