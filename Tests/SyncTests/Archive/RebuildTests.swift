import Catalog
import Footage
import Foundation
import Messages
import Recording
import SegmentStore
import Sync
import Testing

/// I6: delete the catalog, get the same answers.
@Suite("Rebuild")
struct RebuildTests {
    @Test("sessions, gaps, freed, dropped and expired footage are listed the same after the catalog is lost")
    func sameListing() async throws {
        let rig = try Rig(SyncSettings.Camera(asset: "archive", retention: .seconds(600), cacheBudget: 30_000))
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<5 { try recorder.record() }
        try recorder.stop()
        try rig.sync()
        rig.clock.advance(.seconds(60))
        try recorder.start()
        for _ in 0..<4 { try recorder.record() }
        // A worker freed one by itself, as a loss; another vanished without a word.
        let files = try recorder.cache.listing().map(\.name)
        try Eviction.evict(
            files[files.count - 1], because: .diskFull, in: recorder.cache, journal: recorder.journal,
            now: rig.clock.now)
        try FileManager.default.removeItem(atPath: recorder.cache.path + "/" + files[files.count - 2].relativePath)
        try rig.sync()
        try recorder.stop(.networkLoss)
        rig.clock.advance(.seconds(590))
        try rig.sync()
        #expect(Set(try rig.rows().map(\.state)) == [.evicted, .verified])
        #expect(try rig.rows().contains { $0.state == .verified && !$0.isLocal })
        try recorder.start()
        try recorder.record()
        try recorder.record(closing: false)
        try rig.sync()

        let before = try await rig.listing()
        for state in ["verified", "evicted", "recording"] { #expect(before.contains("\"\(state)\"")) }
        for reason in ["retention", "diskFull", "vanished", "networkLoss", "stopped"] {
            #expect(before.contains("\"\(reason)\""), "\(reason)")
        }
        let rows = try rig.rows()
        try rig.loseCatalog()
        try rig.sync()
        #expect(try await rig.listing() == before)
        #expect(try rig.rows() == rows)
    }

    @Test(
        "a camera that was removed keeps its asset and its retention when the catalog is lost",
        arguments: Rig.Place.allCases)
    func removedCamera(place: Rig.Place) async throws {
        let rig = try await Rig(SyncSettings.Camera(asset: "old-archive", retention: .seconds(100)), at: place)
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        try recorder.stop()
        try rig.sync()
        rig.settings.cameras = [:]
        try rig.loseCatalog()
        try rig.sync()
        #expect(try rig.rows().map(\.key) == rig.objects())
        #expect(try rig.workspace().catalog.camera(rig.front)?.retention == .seconds(100))
        rig.clock.advance(.seconds(150))
        try rig.sync()
        #expect(try rig.objects() == [])
        #expect(try rig.rows().map(\.state) == [.evicted])
    }

    @Test("a damaged catalog is set aside with an alarm, and answers as before once it is rebuilt")
    func damaged() async throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        try recorder.stop()
        try rig.sync()
        let before = try await rig.listing()
        try rig.loseCatalog()
        try Data(repeating: 0xA5, count: 9000).write(to: URL(filePath: rig.root + "/state/sync/catalog.sqlite"))
        try rig.sync()
        #expect(try await rig.listing() == before)
        #expect(rig.events.recent.map(\.type).contains("catalogRebuilt"))
        let kept = try FileManager.default.contentsOfDirectory(atPath: rig.root + "/state/sync")
        #expect(kept.contains { $0.contains("damaged") })
    }

    @Test("another store is another catalog: everything local is uploaded to it")
    func anotherStore() async throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        try rig.sync()
        rig.settings.store = .file(path: rig.root + "/second")
        try rig.reopenCatalog()
        let report = try rig.sync()
        #expect(report.uploaded == 1)
        #expect(try rig.rows().map(\.state) == [.verified])
    }

    @Test("footage whose cache is gone for good is still listed, from the store alone")
    func storeOnly() async throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<3 { try recorder.record() }
        try rig.sync()
        let before = try rig.rows()
        try FileManager.default.removeItem(atPath: rig.root + "/cache/front")
        rig.settings.cameras = [:]
        try rig.loseCatalog()
        try rig.sync()
        #expect(try rig.rows().map(\.key) == before.map(\.key))
        #expect(try rig.rows().allSatisfy { $0.state == .verified && !$0.isLocal })
        #expect(try rig.rows().map(\.media) == before.map(\.media))
        let answers = try await CacheKeeper(work: rig.workspace(), progress: Progress()).answers(rig.front)
        #expect(try await answers.coverage(from: nil, to: rig.clock.now).recorded == .seconds(6))
    }

    @Test("gaps whose journal is gone with its cache are listed from the store's segments, and once")
    func storeOnlyGaps() async throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        for reason in [GapReason.cameraOffline, .networkLoss] {
            try recorder.start()
            for _ in 0..<2 { try recorder.record() }
            try recorder.stop(reason)
            rig.clock.advance(.seconds(30))
        }
        try recorder.start()
        try recorder.record()
        try rig.sync()
        func listed() async throws -> [Gap] {
            let answers = try await CacheKeeper(work: rig.workspace(), progress: Progress()).answers(rig.front)
            return try await answers.gaps(from: nil, to: rig.clock.now)
        }
        let before = try await listed().map { Gap(from: $0.from, to: $0.to, reason: $0.reason, detail: "") }
        #expect(before.map(\.reason) == [.cameraOffline, .networkLoss])
        try FileManager.default.moveItem(atPath: rig.root + "/cache/front", toPath: rig.root + "/away")
        rig.settings.cameras = [:]
        try rig.loseCatalog()
        try rig.sync()
        #expect(try await listed() == before)
        // The disk is back: its journal says more.
        try FileManager.default.moveItem(atPath: rig.root + "/away", toPath: rig.root + "/cache/front")
        try rig.sync()
        #expect(try await listed().map(\.detail) == ["told to", "told to"])
    }
}
