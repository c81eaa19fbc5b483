import Catalog
import Foundation
import Messages
import Recording
import SegmentStore
import Sync
import Testing

@Suite("Eviction and retention")
struct EvictionTests {
    func recorded(_ rig: Rig, _ count: Int) throws -> Recorder {
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<count { try recorder.record() }
        return recorder
    }

    @Test("over budget the oldest verified go, and stay listed as verified")
    func budget() throws {
        let rig = try Rig(SyncSettings.Camera(asset: "archive", cacheBudget: 40_000))
        _ = try recorded(rig, 5)
        try rig.sync()
        let rows = try rig.rows()
        #expect(rows.map(\.state) == Array(repeating: .verified, count: 5))
        #expect(rows.map(\.isLocal) == [false, false, false, true, true])
        #expect(try rig.cached().count == 2)
        #expect(try rig.objects().count == 5)
    }

    @Test("with the store away stopRecording keeps everything; dropOldest gives up the oldest, on record and alarmed")
    func cacheFull() throws {
        let rig = try Rig(SyncSettings.Camera(asset: "archive", cacheBudget: 40_000))
        let recorder = try recorded(rig, 0)
        try rig.survey(rig.front, rig.workspace())
        for _ in 0..<4 { try recorder.record() }
        try rig.survey(rig.front, rig.workspace())
        #expect(try rig.cached().count == 4)
        rig.settings.cameras[rig.front]?.dropsOldest = true
        let work = try rig.workspace()
        try rig.survey(rig.front, work)
        try rig.survey(rig.front, work)
        #expect(try rig.rows().map(\.state) == [.evicted, .evicted, .closed, .closed])
        #expect(try rig.cached().count == 2)
        #expect(rig.events.recent.map(\.type) == ["footageLost", "footageLost"])
        #expect(try work.catalog.eviction(rig.front, SegmentID(session: 1, counter: 0))?.reason == "budget")
        try rig.sync()
        #expect(try rig.rows().map(\.state) == [.evicted, .evicted, .verified, .verified])
    }

    @Test("a budget of less than a segment takes none that no pass could have had; a full disk does")
    func smallBudget() throws {
        let rig = try Rig(SyncSettings.Camera(asset: "archive", cacheBudget: 1, dropsOldest: true))
        let recorder = try recorded(rig, 2)
        let work = try rig.workspace()
        try rig.survey(rig.front, work)
        #expect(try rig.cached().count == 2 && rig.events.recent.isEmpty)
        try rig.sync()
        #expect(try rig.rows().map(\.state) == [.verified, .verified])
        #expect(try rig.cached() == [])
        for _ in 0..<2 { try recorder.record() }
        try rig.survey(rig.front, work)
        #expect(try rig.cached().count == 2)
        rig.settings.minimumFreePercent = 101
        try CacheEviction(work: rig.workspace()).keepFree([rig.front: 1])
        #expect(try rig.rows().map(\.state) == [.verified, .verified, .evicted, .evicted])
    }

    @Test("a full disk takes verified copies from the camera that holds most; no more than there are")
    func diskFull() throws {
        let rig = try Rig()
        _ = try recorded(rig, 2)
        let yard = try #require(CameraName("yard"))
        let second = try rig.recorder(yard)
        try second.start()
        for _ in 0..<3 { try second.record() }
        rig.settings.minimumFreePercent = 101
        try rig.sync()
        let open = try second.record(closing: false)
        let work = try rig.workspace()
        try CacheEviction(work: work).keepFree([rig.front: 1, yard: 2])
        #expect(try rig.cached() == [] && rig.cached(yard) == [])
        #expect(try rig.objects().count == 5)
        #expect(FileManager.default.fileExists(atPath: second.cache.path + "/" + open.relativePath))
    }

    @Test("footage whose upload begins while it is given up stays, and raises no alarm")
    func uploadBegins() throws {
        let rig = try Rig(SyncSettings.Camera(asset: "archive", cacheBudget: 40_000, dropsOldest: true))
        let recorder = try recorded(rig, 0)
        try rig.sync()
        for _ in 0..<3 { try recorder.record() }
        let catalog = try rig.workspace().catalog
        let (front, id) = (rig.front, SegmentID(session: 1, counter: 0))
        let work = try rig.workspace { step in
            if step.description == "evict.journalled" { try catalog.beginUpload(front, id) }
        }
        try rig.survey(rig.front, work)
        #expect(try rig.cached().count == 3)
        #expect(rig.events.recent.isEmpty)
        let row = try #require(try catalog.segment(front, id))
        #expect(row.state == .closed && row.isUncertain && !row.media.fragments.isEmpty)
    }

    @Test("a disk that is short frees its own caches, not those of another", .enabled(if: Disks.areTwo))
    func twoDisks() throws {
        let rig = try Rig()
        let elsewhere = Disks.other + "/cvr-sync-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: elsewhere) }  // A leftover fails no test.
        let yard = try #require(CameraName("yard"))
        _ = try recorded(rig, 2)
        let second = try Recorder(cache: elsewhere, camera: yard, clock: rig.clock)
        try FileManager.default.createSymbolicLink(
            atPath: "\(rig.root)/cache/yard", withDestinationPath: elsewhere)
        try second.start()
        for _ in 0..<2 { try second.record() }
        try rig.sync()
        let shares = try [rig.front, yard].map { camera in
            let space = try CacheDirectory(path: "\(rig.root)/cache/\(camera)", camera: camera).freeSpace()
            return 100 * Double(space.available) / Double(space.total)
        }
        rig.settings.minimumFreePercent = (shares[0] + shares[1]) / 2
        // The roomy disk's camera holds most.
        let (roomy, short) = shares[0] > shares[1] ? (rig.front, yard) : (yard, rig.front)
        try CacheEviction(work: rig.workspace()).keepFree([roomy: 2, short: 1])
        #expect(try rig.rows(short).map(\.isLocal) == [false, false])
        #expect(try rig.rows(roomy).map(\.isLocal) == [true, true])
    }

    @Test("hours that were left empty are removed, once an hour")
    func sweep() async throws {
        let rig = try Rig()
        _ = try recorded(rig, 1)
        let keeper = try CacheKeeper(work: rig.workspace(), progress: Progress())
        func leave(_ hour: String) throws {
            try FileManager.default.createDirectory(
                atPath: "\(rig.root)/cache/front/2026-01-01/\(hour)", withIntermediateDirectories: true)
        }
        func left() -> [String] {
            // None is there once the day is gone.
            (try? FileManager.default.contentsOfDirectory(atPath: "\(rig.root)/cache/front/2026-01-01")) ?? []
        }
        try leave("05")
        try await keeper.tick()
        #expect(left() == [])
        try leave("06")
        rig.clock.advance(.seconds(3599))
        try await keeper.tick()
        #expect(left() == ["06"])
        rig.clock.advance(.seconds(1))
        try await keeper.tick()
        #expect(left() == [])
        #expect(try rig.cached().count == 1)
    }

    @Test("retention deletes from the store and the cache, and leaves a row; a wrong clock deletes nothing")
    func retention() throws {
        let rig = try Rig(SyncSettings.Camera(asset: "archive", retention: .seconds(3600)))
        _ = try recorded(rig, 2)
        rig.settings.trustsClock = false
        try rig.sync()
        rig.clock.step(.seconds(10 * 365 * 86_400))
        try rig.sync()
        #expect(try rig.objects().count == 2 && rig.cached().count == 2)
        #expect(rig.events.recent.map(\.type) == ["clockMoved"])
        rig.clock.step(.seconds(-10 * 365 * 86_400))
        rig.clock.setSynchronised(false)
        rig.clock.advance(.seconds(3700))
        try rig.sync()
        #expect(try rig.objects().count == 2)
        rig.clock.setSynchronised(true)
        try rig.sync()
        #expect(try rig.objects() == [] && rig.cached() == [])
        #expect(try rig.rows().map(\.state) == [.evicted, .evicted])
    }

    @Test("a store that is unmounted while retention deletes has not lost what is still there when it is back")
    func unmounted() throws {
        let rig = try Rig(SyncSettings.Camera(asset: "archive", retention: .seconds(3600)))
        _ = try recorded(rig, 3)
        try rig.sync()
        rig.clock.advance(.seconds(7200))
        let (store, away) = (rig.root + "/store", rig.root + "/away")
        let work = try rig.workspace { step in
            guard step.description == "retain.deleted", FileManager.default.fileExists(atPath: store) else { return }
            try FileManager.default.moveItem(atPath: store, toPath: away)
        }
        #expect(throws: (any Error).self) { try rig.sync(work) }
        #expect(try rig.rows().map(\.state) == [.evicted, .evicted, .evicted])
        try FileManager.default.moveItem(atPath: away, toPath: store)
        #expect(try rig.objects().count == 3)
        try rig.sync()
        #expect(try rig.objects() == [])
    }

    @Test("a ballast that a crash left without its bytes is filled")
    func ballast() async throws {
        let rig = try Rig()
        let path = rig.root + "/cache/.ballast"
        try Data().write(to: URL(filePath: path))
        try await CacheKeeper(work: rig.workspace(), progress: Sync.Progress()).tick()
        let bytes = try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
        #expect(bytes > 0)
    }

    static let day = TimeSpan.seconds(86_400)

    @Test(
        "only a clock that is disciplined and where it should be may delete",
        arguments: [
            (0, "a", 0, true, "first"), (3600, "a", 3600, true, "trusted"), (3600, "a", 3600, false, "unsynchronised"),
            (86_400 + 3600, "a", 3600, true, "trusted"), (86_401 + 3600, "a", 3600, true, "moved"),
            (-86_400, "a", 0, true, "trusted"), (-86_401, "a", 0, true, "moved"),
            (30 * 86_400, "a", 30 * 86_400, true, "trusted"),
            (3600, "b", 60, true, "trusted"), (2 * 86_400, "b", 60, true, "moved"),
            (-1_700_000_000, "b", 5, true, "moved"),
        ] as [(Int64, String, Int64, Bool, String)])
    func clock(wall: Int64, boot: String, passed: Int64, isSynchronised: Bool, verdict: String) {
        let start = WallTime(microseconds: 1_795_427_280_000_000)
        let last = RetentionClock(
            wall: start, monotonic: MonotonicTime(microseconds: boot == "a" ? 1_000_000 : 99_000_000_000), bootID: "a")
        let monotonic = boot == "a" ? 1_000_000 + passed * 1_000_000 : passed * 1_000_000
        let reading = RetentionClock(
            wall: start + .seconds(wall), monotonic: MonotonicTime(microseconds: monotonic), bootID: boot)
        switch RetentionClock.judge(reading, isSynchronised: isSynchronised, last: verdict == "first" ? nil : last) {
        case .trusted(let committed): #expect(committed == reading && ["first", "trusted"].contains(verdict))
        case .unsynchronised: #expect(verdict == "unsynchronised")
        case .moved: #expect(verdict == "moved")
        }
    }
}

/// Another disk than the one that a rig is on.
private enum Disks {
    static let other = NSTemporaryDirectory()

    static var areTwo: Bool {
        func disk(_ path: String) -> Int? {
            // No such path: no second disk.
            (try? FileManager.default.attributesOfItem(atPath: path))?[.systemNumber] as? Int
        }
        guard let memory = disk("/dev/shm"), FileManager.default.isWritableFile(atPath: "/dev/shm") else {
            return false
        }
        return disk(other) != memory
    }
}
