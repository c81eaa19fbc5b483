import Catalog
import Footage
import Foundation
import Glibc
import Messages
import ObjectStore
import Recording
import SegmentStore
import Sync
import Synchronization
import Testing

/// What goes wrong with one camera, one object or one disk costs nothing but that.
@Suite("Trouble")
struct TroubleTests {
    @Test("a full store is emptied of what has expired, though no upload succeeds")
    func fullStore() throws {
        let rig = try Rig.withExpired(1)
        let full = ObjectStoreError("write", "store", errno: ENOSPC)
        let work = try rig.workspace { if $0.description == "upload.chunk" { throw full } }
        #expect(throws: ObjectStoreError.self) { try rig.sync(work) }
        #expect(try rig.rows().map(\.state) == [.evicted, .closed])
        #expect(try rig.objects() == [])
    }

    @Test("an object that cannot be deleted keeps nothing else, and is named until it went")
    func undeletable() throws {
        let rig = try Rig.withExpired(2)
        let object = rig.root + "/store/" + (try #require(try rig.objects().first))
        try FileManager.default.removeItem(atPath: object)
        try FileManager.default.createDirectory(atPath: object + "/in-the-way", withIntermediateDirectories: true)
        let progress = Sync.Progress()
        #expect(try rig.sync(nil, progress).uploaded == 1)
        #expect(try rig.rows().map(\.state) == [.evicted, .evicted, .verified])
        #expect(progress.current.lastError?.message.contains(object) == true)
        try FileManager.default.removeItem(atPath: object)
        try rig.sync(nil, progress)
        #expect(progress.current.lastError == nil)
        #expect(try rig.objects().count == 1)
    }

    @Test("one object that cannot be read stops neither a rebuild nor the uploads after it")
    func unreadableObject() throws {
        let rig = try Rig(SyncSettings.Camera(asset: "archive", cacheBudget: 1))
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<3 { try recorder.record() }
        try rig.sync()
        #expect(try rig.cached() == [])
        let objects = try rig.objects().map { rig.root + "/store/" + $0 }
        for bad in [objects[0] + ".meta", objects[1]] {
            try FileManager.default.removeItem(atPath: bad)
            try FileManager.default.createDirectory(atPath: bad, withIntermediateDirectories: true)
        }
        try rig.loseCatalog()
        try recorder.record()
        let progress = Sync.Progress()
        #expect(try rig.sync(nil, progress).uploaded == 1)
        let rows = try rig.rows()
        #expect(rows.suffix(2).map(\.state) == [.verified, .verified])
        #expect(rows.filter { $0.state == .evicted }.isEmpty)
        #expect(rig.events.recent.filter { $0.type == "objectUnreadable" }.count == 2)
        #expect(progress.current.lastError != nil)
    }

    @Test("a segment that cannot be read now is there all the same: not lost, not uploaded, below no watermark")
    func unreadableSegment() throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<2 { try recorder.record() }
        let fails = Mutex(true)
        let work = try rig.workspace { step in
            if step.description == "survey.read", fails.withLock({ $0 }) {
                throw SegmentStoreError(operation: "open", path: "somewhere", errno: EIO)
            }
        }
        try rig.sync()
        try recorder.record()
        try recorder.record()
        #expect(try rig.sync(work).uploaded == 0)
        #expect(try rig.rows().map(\.state) == [.verified, .verified, .closed, .closed])
        #expect(try rig.rows().map(\.isLocal) == [true, true, true, true])
        #expect(rig.events.recent == [])
        #expect(try EvictableWatermark.read(in: recorder.cache) == SegmentID(session: 1, counter: 1))
        fails.withLock { $0 = false }
        #expect(try rig.sync(work).uploaded == 2)
        #expect(try EvictableWatermark.read(in: recorder.cache) == SegmentID(session: 1, counter: 3))
    }

    @Test("a cache that cannot be brought under its budget keeps no other, and ends the heartbeat until it can")
    func oneCamera() async throws {
        let rig = try Rig(SyncSettings.Camera(asset: "archive", cacheBudget: 1, dropsOldest: true))
        let yard = try #require(CameraName("yard"))
        rig.settings.cameras[yard] = SyncSettings.Camera(asset: "yard", cacheBudget: 1, dropsOldest: true)
        for camera in [rig.front, yard] {
            let recorder = try rig.recorder(camera)
            try recorder.start()
            for _ in 0..<3 { try recorder.record() }
        }
        let progress = Sync.Progress()
        let keeper = CacheKeeper(work: try rig.workspace(), progress: progress)
        try await keeper.surveyAll()
        let (ledger, heartbeat) = (rig.root + "/cache/front/ledger", rig.root + "/heartbeat")
        try FileManager.default.moveItem(atPath: ledger, toPath: ledger + ".kept")
        try FileManager.default.createDirectory(atPath: ledger, withIntermediateDirectories: true)
        try? FileManager.default.removeItem(atPath: heartbeat)  // From the survey; there may be none.
        rig.clock.advance(.seconds(10))
        try await keeper.tick()
        // The two that closed last are spared.
        #expect(try rig.cached(yard).count == 2 && rig.cached().count == 3)
        #expect(!FileManager.default.fileExists(atPath: heartbeat))
        #expect(progress.current.lastError?.message.contains(ledger) == true)
        try FileManager.default.removeItem(atPath: ledger)
        try FileManager.default.moveItem(atPath: ledger + ".kept", toPath: ledger)
        rig.clock.advance(.seconds(10))
        try await keeper.tick()
        #expect(try rig.cached().count == 2)
        #expect(FileManager.default.fileExists(atPath: heartbeat))
        #expect(progress.current.lastError == nil)
    }

    @Test("a segment that its worker set aside is named while it is there")
    func setAside() async throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        let name = try recorder.record(closing: false)
        let path = recorder.cache.path + "/" + name.with(stage: .closed).relativePath
        try FileManager.default.moveItem(atPath: path + ".partial", toPath: path + ".suspect")
        let progress = Sync.Progress()
        let keeper = CacheKeeper(work: try rig.workspace(), progress: progress)
        try await keeper.surveyAll()
        #expect(progress.current.lastError?.message.contains(".suspect") == true)
        try FileManager.default.removeItem(atPath: path + ".suspect")
        try await keeper.surveyAll()
        #expect(progress.current.lastError == nil)
    }

    @Test("a file that claims to last for ever is listed to the calendar's end, and takes no answer down")
    func endless() async throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record(jump: 1 << 61)
        let keeper = CacheKeeper(work: try rig.workspace(), progress: Sync.Progress())
        try await keeper.surveyAll()
        #expect(try rig.rows().map(\.end) == [.latest])
        #expect(try await keeper.caches().map(\.pendingSegments) == [1])
    }

    @Test("another camera's disk, or another disk of the same, is left alone")
    func wrongDisk() async throws {
        let rig = try Rig()
        let yard = try #require(CameraName("yard"))
        for camera in [rig.front, yard] {
            let recorder = try rig.recorder(camera)
            try recorder.start()
            try recorder.record()
        }
        let identities = rig.root + "/state/identities"
        try FileManager.default.createDirectory(atPath: identities, withIntermediateDirectories: true)
        try Data("{\"uuid\": \"another\", \"camera\": \"front\"}".utf8)
            .write(to: URL(filePath: identities + "/front"))
        let progress = Sync.Progress()
        let keeper = CacheKeeper(work: try rig.workspace(), progress: progress)
        try await keeper.surveyAll()
        #expect(progress.current.lastError?.code == "wrongDisk")
        #expect(try rig.sync(nil, progress).uploaded == 1)
        #expect(try rig.rows() == [] && rig.rows(yard).map(\.state) == [.verified])
        try FileManager.default.moveItem(atPath: rig.root + "/cache/yard", toPath: rig.root + "/cache/gate")
        let gate = try #require(CameraName("gate"))
        try rig.sync()
        #expect(try rig.rows(gate) == [])
    }

    @Test("what a crash left open is closed and uploaded when its camera was removed")
    func removedCamera() async throws {
        let rig = try Rig()
        do {
            let recorder = try rig.recorder()
            try recorder.start()
            try recorder.record(closing: false)
        }
        let keeper = CacheKeeper(work: try rig.workspace(), progress: Sync.Progress())
        try await keeper.surveyAll()
        #expect(try rig.cached() == [])
        rig.settings.cameras = [:]
        await keeper.configure(try rig.workspace())
        try await keeper.surveyAll()
        #expect(try rig.sync().uploaded == 1)
        #expect(try rig.rows().map(\.duration) == [.seconds(2)])
        let answers = try await keeper.answers(rig.front)
        #expect(try await answers.gaps(from: nil, to: nil).map(\.reason) == [.stopped])
    }

    @Test("another disk's segments of the same numbers inherit nothing: they are uploaded before they may go")
    func secondGeneration() async throws {
        let rig = try Rig(SyncSettings.Camera(asset: "archive", cacheBudget: 1))
        do {
            let recorder = try rig.recorder()
            try recorder.start()
            for _ in 0..<2 { try recorder.record() }
        }
        try rig.sync()
        try FileManager.default.removeItem(atPath: rig.root + "/cache/front")
        rig.clock.advance(.seconds(60))
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<2 { try recorder.record() }
        try rig.survey(rig.front, rig.workspace())
        #expect(try rig.cached().count == 2)
        #expect(try rig.rows().map(\.state) == [.verified, .verified, .closed, .closed])
        #expect(try rig.rows().map(\.id.ownSession) == [1, 1, 1, 1])
        #expect(rig.events.recent.map(\.type) == ["segmentDisplaced", "segmentDisplaced"])
        #expect(try rig.sync().uploaded == 2)
        #expect(try rig.objects().count == 4)
        let listed = try await rig.listing()
        try rig.loseCatalog()
        try rig.sync()
        #expect(try await rig.listing() == listed)
        #expect(try rig.rows().map(\.state) == Array(repeating: .verified, count: 4))
    }
}
