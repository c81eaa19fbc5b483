import Catalog
import Foundation
import Messages
import Recording
import Sync
import Synchronization
import Testing

@Suite("Audit")
struct AuditTests {
    /// A box with `count` verified segments, in cache and store.
    func stored(_ count: Int, _ options: SyncSettings.Camera = SyncSettings.Camera(asset: "archive")) throws -> Rig {
        let rig = try Rig(options)
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
            total.withLock {
                $0.checked += step.checked
                $0.findings += step.findings
            }
        }
        return total.withLock { $0 }
    }

    @Test("a sound archive has no findings, at the surface and deep")
    func sound() async throws {
        let rig = try stored(3)
        for deep in [false, true] {
            #expect(try await verify(rig, deep: deep) == Listing.Verified(checked: 3, findings: []))
        }
    }

    @Test("what the store lost is uploaded again while the cache has it, else it is on record as lost, with an alarm")
    func missing() async throws {
        let rig = try stored(3)
        let objects = try rig.objects()
        try FileManager.default.removeItem(atPath: "\(rig.root)/store/\(objects[1])")
        let report = try await verify(rig)
        #expect(report.findings.map(\.kind) == ["missing"] && report.findings.map(\.repaired) == [true])
        #expect(try rig.sync().uploaded == 1)
        #expect(try rig.objects() == objects)
        #expect(try await verify(rig, deep: true).findings == [])

        rig.settings.cameras[rig.front]?.cacheBudget = 1
        try rig.sync()
        try FileManager.default.removeItem(atPath: "\(rig.root)/store/\(objects[1])")
        let progress = Sync.Progress()
        let lost = try await verify(rig, progress)
        #expect(lost.findings.map(\.kind) == ["missing"] && lost.findings.map(\.repaired) == [false])
        #expect(try rig.rows().map(\.state) == [.verified, .evicted, .verified])
        #expect(rig.events.recent.map(\.type).contains("footageLost"))
        #expect(progress.current.lastError != nil)
        #expect(try await verify(rig, progress).findings == [])
        #expect(progress.current.lastError == nil)
    }

    @Test("an object that the catalog does not list is listed; one that is too old is left to retention")
    func unknown() async throws {
        let rig = try stored(2, SyncSettings.Camera(asset: "archive", retention: .seconds(3600), cacheBudget: 1))
        try rig.reopenCatalog()
        let catalog = rig.root + "/state/sync/catalog.sqlite"
        let old = try ["", "-wal", "-shm"].map { try Data(contentsOf: URL(filePath: catalog + $0)) }
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        try rig.sync()
        let (rows, objects) = (try rig.rows(), try rig.objects())
        // The catalog of a while ago.
        try rig.loseCatalog()
        for (suffix, bytes) in zip(["", "-wal", "-shm"], old) { try bytes.write(to: URL(filePath: catalog + suffix)) }
        let report = try await verify(rig)
        #expect(report.findings.map { "\($0.kind) \($0.key)" } == ["unknown \(objects[2])"])
        #expect(try rig.rows().map(\.media) == rows.map(\.media))
        let kept = ["", ".meta"].map { "\(rig.root)/store/\(objects[2])\($0)" }
        let bytes = try kept.map { try Data(contentsOf: URL(filePath: $0)) }

        rig.clock.advance(.seconds(7200))
        try rig.sync()
        #expect(try !rig.objects().contains(objects[2]))
        try FileManager.default.createDirectory(
            atPath: URL(filePath: kept[0]).deletingLastPathComponent().path, withIntermediateDirectories: true)
        for (path, bytes) in zip(kept, bytes) { try bytes.write(to: URL(filePath: path)) }
        let left = try await verify(rig)
        #expect(left.findings.filter { $0.key == objects[2] }.map(\.kind) == ["leftover"])
        try rig.sync()
        #expect(try !rig.objects().contains(objects[2]))
    }

    @Test("bytes that changed in the store are found deep and quarantined; in the cache they are let go")
    func different() async throws {
        let rig = try stored(3)
        func change(_ path: String) throws {
            let handle = try #require(FileHandle(forUpdatingAtPath: path))
            try handle.seek(toOffset: 5000)
            try handle.write(contentsOf: Data([1, 2, 3]))
            try handle.close()
        }
        try change("\(rig.root)/store/\(rig.objects()[0])")
        try change("\(rig.root)/cache/front/\(rig.cached()[1])")
        #expect(try await verify(rig).findings == [])
        let report = try await verify(rig, deep: true)
        #expect(report.findings.map(\.kind) == ["different", "damagedCopy"])
        #expect(report.findings.map(\.repaired) == [false, true])
        #expect(try rig.rows().map(\.state) == [.quarantined, .verified, .verified])
        #expect(try rig.rows().map(\.isLocal) == [true, false, true])
        // It stays a finding until somebody has looked.
        #expect(try await verify(rig).findings.map(\.kind) == ["different"])
    }

    @Test("a hundredth of what is a day old is looked at each day, and what is missing is found without being asked")
    func sampled() throws {
        let rig = try stored(10)
        let progress = Sync.Progress()
        try rig.sync(nil, progress)
        for object in try rig.objects() { try FileManager.default.removeItem(atPath: "\(rig.root)/store/\(object)") }
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
}
