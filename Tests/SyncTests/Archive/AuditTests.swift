import Catalog
import Foundation
import Messages
import ObjectStore
import Recording
import Sync
import Synchronization
import Testing

@Suite("Audit")
struct AuditTests {
    /// A box with `count` verified segments, in cache and store.
    func stored(
        _ count: Int, _ options: SyncSettings.Camera = SyncSettings.Camera(asset: "archive"),
        at place: Rig.Place = .file
    ) async throws -> Rig {
        let rig = try await Rig(options, at: place)
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<count { try recorder.record() }
        try rig.sync()
        return rig
    }

    func verify(_ rig: Rig, deep: Bool = false, _ progress: Sync.Progress = Sync.Progress()) async throws
        -> Listing.Verified
    {
        let total = Mutex(Listing.Verified(checked: 0, findings: []))
        try await Auditor(progress: progress).verify(
            rig.workspace(), [rig.front], isDeep: deep, limit: StopSwitch()
        ) { step in
            total.withLock { $0 += step }
        }
        return total.withLock { $0 }
    }

    @Test("a sound archive has no findings, at the surface and deep")
    func sound() async throws {
        let rig = try await stored(3)
        for deep in [false, true] {
            #expect(try await verify(rig, deep: deep) == Listing.Verified(checked: 3, findings: []))
        }
    }

    @Test(
        "what the store lost is uploaded again while the cache has it, else it is on record as lost, with an alarm",
        arguments: Rig.Place.allCases)
    func missing(place: Rig.Place) async throws {
        let rig = try await stored(3, at: place)
        let objects = try rig.objects()
        try rig.removeObject(objects[1])
        let report = try await verify(rig)
        #expect(report.findings.map(\.kind) == ["missing"] && report.findings.map(\.repaired) == [true])
        #expect(try rig.sync().uploaded == 1)
        #expect(try rig.objects() == objects)
        #expect(try await verify(rig, deep: true).findings == [])

        rig.settings.cameras[rig.front]?.cacheBudget = 1
        try rig.sync()
        try rig.removeObject(objects[1])
        let progress = Sync.Progress()
        let lost = try await verify(rig, progress)
        #expect(lost.findings.map(\.kind) == ["missing"] && lost.findings.map(\.repaired) == [false])
        #expect(try rig.rows().map(\.state) == [.verified, .evicted, .verified])
        #expect(rig.events.recent.map(\.type).contains("footageLost"))
        #expect(progress.current.lastError != nil)
        #expect(try await verify(rig, progress).findings == [])
        #expect(progress.current.lastError == nil)
    }

    @Test(
        "an object that the catalog does not list is listed; one that is too old is left to retention",
        arguments: Rig.Place.allCases)
    func unknown(place: Rig.Place) async throws {
        let options = SyncSettings.Camera(asset: "archive", retention: .seconds(3600), cacheBudget: 1)
        let rig = try await stored(2, options, at: place)
        let old = try rig.savedCatalog()
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        try rig.sync()
        let (rows, objects) = (try rig.rows(), try rig.objects())
        try rig.restoreCatalog(old)
        let report = try await verify(rig)
        #expect(report.findings.map { "\($0.kind) \($0.key)" } == ["unknown \(objects[2])"])
        #expect(try rig.rows().map(\.media) == rows.map(\.media))
        let kept = try rig.object(objects[2])

        rig.clock.advance(.seconds(7200))
        try rig.sync()
        #expect(try !rig.objects().contains(objects[2]))
        try rig.putObject(objects[2], kept.bytes, kept.metadata)
        let left = try await verify(rig)
        #expect(left.findings.filter { $0.key == objects[2] }.map(\.kind) == ["leftover"])
        try rig.sync()
        #expect(try !rig.objects().contains(objects[2]))
    }

    @Test(
        "bytes that changed in the store are found deep and quarantined; in the cache they are let go",
        arguments: Rig.Place.allCases)
    func different(place: Rig.Place) async throws {
        let rig = try await stored(3, at: place)
        try rig.replaceObject(rig.objects()[0]) { $0.replaceSubrange(5000..<5003, with: [1, 2, 3]) }
        let handle = try #require(FileHandle(forUpdatingAtPath: "\(rig.root)/cache/front/\(rig.cached()[1])"))
        try handle.seek(toOffset: 5000)
        try handle.write(contentsOf: Data([1, 2, 3]))
        try handle.close()
        #expect(try await verify(rig).findings == [])
        let report = try await verify(rig, deep: true)
        #expect(report.findings.map(\.kind) == ["different", "damagedCopy"])
        #expect(report.findings.map(\.repaired) == [false, true])
        #expect(try rig.rows().map(\.state) == [.quarantined, .verified, .verified])
        #expect(try rig.rows().map(\.isLocal) == [true, false, true])
        // It stays a finding until somebody has looked.
        #expect(try await verify(rig).findings.map(\.kind) == ["different"])
    }

    @Test("an object that cannot be read is told, and the others are looked at all the same")
    func unreadable() async throws {
        let rig = try await stored(3)
        let store = ScriptedService(root: rig.root + "/store") { request, count in
            guard request == "checksum", count == 2 else { return }
            throw ObjectStoreError("read", "it", detail: "it is archived", nextStep: "thaw it", scope: .object)
        }
        let total = Mutex(Listing.Verified(checked: 0, findings: []))
        try await Auditor(progress: Sync.Progress()).verify(
            rig.workspace(store: store), [rig.front], isDeep: true, limit: StopSwitch()
        ) { step in
            total.withLock { $0 += step }
        }
        let report = total.withLock { $0 }
        #expect(report.checked == 3 && report.findings.map(\.kind) == ["unreadable"])
        #expect(report.findings.map(\.repaired) == [false])
        #expect(try rig.rows().allSatisfy { $0.state == .verified })
    }

    @Test("one damaged answer is no finding, the same one twice is", arguments: [1, 2])
    func damagedAnswer(count: Int) async throws {
        let rig = try await stored(3)
        var store = ScriptedService(root: rig.root + "/store")
        store.damagedAnswers = count
        let total = Mutex(Listing.Verified(checked: 0, findings: []))
        try await Auditor(progress: Sync.Progress()).verify(
            rig.workspace(store: store), [rig.front], isDeep: true, limit: StopSwitch()
        ) { step in
            total.withLock { $0 += step }
        }
        #expect(total.withLock { $0.findings.map(\.kind) } == (count == 1 ? [] : ["different"]))
    }

    @Test(
        "what was quarantined and left its cache is verified when the store has it right, else on record as lost",
        arguments: [true, false])
    func quarantinedAlone(isRestored: Bool) async throws {
        let rig = try await stored(2)
        let object = try rig.objects()[0]
        let whole = try rig.object(object)
        try rig.replaceObject(object) { $0.replaceSubrange(5000..<5003, with: [1, 2, 3]) }
        #expect(try await verify(rig, deep: true).findings.map(\.kind) == ["different"])
        // As a worker does that has no other room.
        try FileManager.default.removeItem(atPath: "\(rig.root)/cache/front/\(rig.cached()[0])")
        try rig.sync()
        #expect(try rig.rows().map(\.state) == [.quarantined, .verified])
        #expect(try await verify(rig).findings.map(\.repaired) == [false])

        try rig.removeObject(object)
        if isRestored { try rig.putObject(object, whole.bytes, whole.metadata) }
        #expect(try await verify(rig).findings.map(\.repaired) == [isRestored])
        #expect(try rig.rows().map(\.state) == [isRestored ? .verified : .evicted, .verified])
        #expect(rig.events.recent.map(\.type).contains("footageLost") == !isRestored)
        #expect(try await verify(rig, deep: true).findings == [])
    }

    @Test("a quarantined segment that was never stored is lost when it leaves its cache")
    func quarantinedAndGone() async throws {
        let rig = try await Rig(at: .file)
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        var store = ScriptedService(root: rig.root + "/store")
        store.admits = { _ in throw ObjectStoreError("put", "it", detail: "no", nextStep: "none", scope: .object) }
        let progress = Sync.Progress()
        try rig.sync(rig.workspace(store: store), progress)
        #expect(try rig.rows().map(\.state) == [.quarantined])
        try FileManager.default.removeItem(atPath: "\(rig.root)/cache/front/\(rig.cached()[0])")
        try rig.sync(rig.workspace(store: store), progress)
        #expect(try rig.rows().map(\.state) == [.evicted])
        #expect(rig.events.recent.map(\.type).contains("footageLost"))
    }

    @Test("a hundredth of what is a day old is looked at each day, and what is missing is found without being asked")
    func sampled() async throws {
        let rig = try await stored(10)
        let progress = Sync.Progress()
        try rig.sync(nil, progress)
        for object in try rig.objects() { try rig.removeObject(object) }
        rig.clock.advance(.seconds(2 * 86_400))
        try rig.sync(nil, progress)
        #expect(!rig.events.recent.map(\.type).contains("auditFinding"))
        // Ten segments, a hundredth a day: one look in ten days.
        for _ in 0..<11 {
            rig.clock.advance(.seconds(86_400))
            try rig.sync(nil, progress)
        }
        #expect(rig.events.recent.filter { $0.type == "auditFinding" }.count == 1)
        try rig.sync(nil, progress)
        #expect(try rig.objects().count == 1)
    }

    @Test("where the catalog knows nothing of what the store holds, some findings are named and the others counted")
    func many() async throws {
        let rig = try await stored(1)
        let old = try rig.savedCatalog()
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<230 { try recorder.record(seconds: 1, fragmentBytes: 100) }
        try rig.sync()
        try rig.restoreCatalog(old)
        let report = try await verify(rig)
        #expect(report.findings.count == 200 && report.omitted == 30 && report.omittedUnrepaired == nil)
        #expect(report.isSound && report.checked == 1)
        #expect(rig.events.recent.last?.detail == "30 further findings")
        #expect(try rig.rows().count == 231)
        #expect(try await verify(rig) == Listing.Verified(checked: 231, findings: []))
    }

    @Test("a copy whose upload an audit asks for while it is about to be freed stays, and is uploaded")
    func reopened() async throws {
        let rig = try await stored(2)
        let row = try #require(try rig.rows().first)
        rig.settings.cameras[rig.front]?.cacheBudget = 1
        // The audit comes between what is read of the oldest row and its end.
        let work = try rig.workspace()
        try rig.removeObject(row.key)
        let eviction = CacheEviction(work: work)
        #expect(try work.catalog.reopen(row))
        #expect(try eviction.free(row) == false)
        #expect(try rig.cached().count == 2)
        _ = try eviction.keepBudget(rig.front, bytes: 1 << 30)
        #expect(try rig.cached().count == 1)
        #expect(try rig.sync().uploaded == 1)
        #expect(try rig.objects().count == 2 && rig.rows().allSatisfy { $0.state == .verified })
    }
}
