import Catalog
import Foundation
import Messages
import Recording
import SegmentStore
import Sync
import Synchronization
import Testing

@Suite("Holds")
struct HoldTests {
    /// Four segments of two seconds each, the second and the third under hold.
    func held(
        _ options: SyncSettings.Camera, stored: Bool = true, at place: Rig.Place = .file
    ) async throws -> (rig: Rig, hold: Listing.Hold) {
        let rig = try await Rig(options, at: place)
        let recorder = try rig.recorder()
        // A catalog that has seen its store doubts nothing.
        try rig.sync()
        let start = rig.clock.now
        try recorder.start()
        for _ in 0..<4 { try recorder.record() }
        if stored { try rig.sync() } else { try rig.survey(rig.front, rig.workspace()) }
        let hold = try await HoldKeeper().add(
            rig.workspace(), rig.front, from: start + .seconds(3), to: start + .seconds(5), reason: "case 7")
        return (rig, hold)
    }

    @Test("what is held outlives its retention, and goes when the hold is lifted", arguments: Rig.Place.allCases)
    func retention(place: Rig.Place) async throws {
        let (rig, hold) = try await held(SyncSettings.Camera(asset: "archive", retention: .seconds(3600)), at: place)
        rig.clock.advance(.seconds(7200))
        try rig.sync()
        #expect(try rig.rows().map(\.state) == [.evicted, .verified, .verified, .evicted])
        #expect(try rig.objects() == rig.rows()[1...2].map(\.key))
        #expect(try await HoldKeeper().list(rig.workspace(), nil) == [hold])
        try await HoldKeeper().remove(rig.workspace(), hold.id)
        try rig.sync()
        #expect(try rig.objects() == [])
        #expect(rig.events.recent.map(\.type).filter { $0 != "storeProbed" } == ["holdPlaced", "holdLifted"])
        await #expect(throws: SyncError.self) { try await HoldKeeper().remove(rig.workspace(), hold.id) }
    }

    @Test("a hold survives the catalog, and one that somebody else placed counts")
    func lostCatalog() async throws {
        let (rig, hold) = try await held(SyncSettings.Camera(asset: "archive", retention: .seconds(3600)))
        try rig.loseCatalog()
        rig.clock.advance(.seconds(7200))
        let path = "\(rig.root)/store/plant/archive/holds/"
        let text = try String(contentsOfFile: path + hold.id + ".json", encoding: .utf8)
        let all = text.replacing(hold.from, with: "2020-01-01T00:00:00Z").replacing(hold.id, with: "of-the-court")
        try Data(all.utf8).write(to: URL(filePath: path + "of-the-court.json"))
        try rig.sync()
        try rig.sync()
        #expect(try rig.rows().map(\.state) == [.verified, .verified, .verified, .evicted])
        // One that nobody can read may be about anything.
        try FileManager.default.removeItem(atPath: path + "of-the-court.json")
        try Data("{".utf8).write(to: URL(filePath: path + "torn.json"))
        try rig.sync()
        #expect(try rig.objects().count == 3)
        try FileManager.default.removeItem(atPath: path + "torn.json")
        try rig.sync()
        #expect(try rig.rows().map(\.state) == [.evicted, .verified, .verified, .evicted])
    }

    @Test("dropOldest passes over what is held, here and in a worker that is alone; with nothing else nothing goes")
    func cacheFull() async throws {
        let (rig, _) = try await held(SyncSettings.Camera(asset: "archive"), stored: false)
        rig.settings.cameras[rig.front] = SyncSettings.Camera(asset: "archive", dropsOldest: true)
        rig.settings.minimumFreePercent = 101
        let work = try rig.workspace()
        for _ in 0..<3 {
            try rig.survey(rig.front, work)
            try CacheEviction(work: work).keepFree([rig.front: 1])
        }
        #expect(try rig.rows().map(\.state) == [.evicted, .closed, .closed, .evicted])
        let cache = try CacheDirectory(path: "\(rig.root)/cache/front", camera: rig.front)
        let ranges = try HeldRanges.read(in: cache)
        let names = try cache.listing().map(\.name)
        #expect(names.count == 2 && ranges.count == 1)
        #expect(names.allSatisfy { $0.isHeld(by: ranges, before: nil) })
        #expect(!names[0].isHeld(by: [rig.clock.now..<rig.clock.now + .seconds(1)], before: names[1]))
    }

    @Test("with its catalog lost and its store away a full cache still keeps what is held")
    func lostAndAway() async throws {
        let (rig, _) = try await held(SyncSettings.Camera(asset: "archive"), stored: false)
        rig.settings.cameras[rig.front] = SyncSettings.Camera(asset: "archive", cacheBudget: 1, dropsOldest: true)
        try rig.loseCatalog()
        try FileManager.default.moveItem(atPath: rig.root + "/store", toPath: rig.root + "/away")
        for _ in 0..<3 { try rig.survey(rig.front, rig.workspace()) }
        #expect(try rig.cached().count == 4, "a budget spares the two that closed last of what is not held")
        rig.settings.minimumFreePercent = 101
        let work = try rig.workspace()
        for _ in 0..<3 {
            try rig.survey(rig.front, work)
            try CacheEviction(work: work).keepFree([rig.front: 1])
        }
        #expect(try rig.cached().count == 2)
        #expect(try rig.rows().map(\.isLocal) == [false, true, true, false])
    }

    @Test("a hold that is placed while retention runs keeps what was not given up yet")
    func race() async throws {
        let rig = try Rig(SyncSettings.Camera(asset: "archive", retention: .seconds(3600)))
        let start = rig.clock.now
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<3 { try recorder.record() }
        try rig.sync()
        rig.clock.advance(.seconds(7200))
        let catalog = try rig.workspace().catalog
        let hold = HoldRow(
            id: "late", camera: rig.front, asset: "archive", from: start, to: start + .seconds(60), reason: "",
            created: start)
        let begun = Mutex(0)
        let work = try rig.workspace { step in
            guard step.description == "retain.begin" else { return }
            let count = begun.withLock { begun in
                begun += 1
                return begun
            }
            if count == 2 { try catalog.save(hold) }
        }
        try rig.sync(work)
        #expect(try rig.rows().map(\.state) == [.evicted, .verified, .verified])
        #expect(try rig.objects().count == 2)
    }
}
