import Catalog
import Footage
import Foundation
import FragmentedMP4
import Messages
import Recording
import SegmentStore
import Sync
import Testing
import Timeline

/// Sessions that become MP4 files.
@Suite("File sink")
struct FileSinkTests {
    /// A camera whose sessions go into files alone, below `files` of its rig.
    static func rig(maximum: Int64? = nil, uploads: Bool = false, cacheBudget: Int64? = nil) throws -> Rig {
        let rig = try Rig()
        let root = rig.root + "/files"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        rig.settings.filePaths = [root]
        rig.settings.cameras[rig.front] = SyncSettings.Camera(
            asset: "archive", cacheBudget: cacheBudget,
            files: FileSink(directory: root + "/gate", maximumBytes: maximum), uploads: uploads)
        return rig
    }

    static func keeper() -> FileKeeper { FileKeeper(progress: Sync.Progress(), stop: StopSwitch()) }

    /// A session of some segments of two seconds that is over.
    static func record(_ recorder: Recorder, file: String, asset: String = "", segments: Int = 2) throws {
        try recorder.start(asset: asset, file: file)
        for _ in 0..<segments { try recorder.record() }
        try recorder.stop()
    }

    static func files(_ rig: Rig) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: rig.root + "/files/gate").sorted()
    }

    static func bytes(_ rig: Rig, _ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: "\(rig.root)/files/gate/\(name)")))
    }

    /// What playback would serve of the session as one range.
    static func range(_ rig: Rig, session: Int64 = 1) throws -> [UInt8] {
        let rows = try rig.rows().filter { $0.id.session == session }
        let first = try #require(rows.first)
        let read: ServedBytes.Read = { row, offset, count in
            let path = "\(rig.root)/cache/front/\(SegmentFileName(start: row.start, id: row.id).relativePath)"
            let handle = try #require(FileHandle(forReadingAtPath: path))
            try handle.seek(toOffset: UInt64(offset))
            let bytes = Array(try handle.read(upToCount: count) ?? Data())
            try handle.close()
            return bytes
        }
        var selection = Selection(
            rows, from: first.start, to: try #require(rows.last).end, origin: first.start)
        let piece = try #require(selection.pieces.first)
        let head = try ServedBytes.head(of: first, at: piece.bytes.lowerBound, read)
        selection.startAtZero(try #require(FragmentShift.decodeTimes(head)))
        let map = ByteMap(selection.pieces)
        var served = ServedBytes(map, 0..<map.length)
        var all: [UInt8] = []
        while let block = try served.next(read) { all += block }
        return all
    }

    @Test("a session that is over becomes the bytes of its range, and goes nowhere else; one that goes on waits")
    func file() async throws {
        let rig = try Self.rig()
        let recorder = try rig.recorder()
        try recorder.start(file: "clip-20261123T200000Z")
        for _ in 0..<2 { try recorder.record() }
        let open = try recorder.record(closing: false)
        let (work, keeper) = (try rig.workspace(), Self.keeper())
        try rig.sync()
        try await keeper.run(work)
        #expect(!FileManager.default.fileExists(atPath: rig.root + "/files/gate"))
        try FileManager.default.removeItem(atPath: "\(recorder.cache.path)/\(open.relativePath)")
        try recorder.stop()
        try rig.sync()
        try await keeper.run(work)
        #expect(try Self.files(rig) == ["clip-20261123T200000Z.mp4"])
        #expect(try Self.bytes(rig, "clip-20261123T200000Z.mp4") == Self.range(rig))
        #expect(rig.events.recent.map(\.type) == ["fileWritten"])
        #expect(rig.events.recent.first?.detail == rig.root + "/files/gate/clip-20261123T200000Z.mp4")
        #expect(try rig.objects() == [])
        #expect(try rig.rows().map(\.state) == [.closed, .closed])
        let cache = CacheKeeper(work: work, progress: Sync.Progress())
        try await cache.keepBudgets()
        let state = try #require(try await cache.caches().first)
        #expect(state.pendingSegments == 0 && state.filedThrough == 1 && state.storedThrough == nil)
        #expect(try await cache.lag() == 0)
        try await keeper.run(work)
        #expect(try Self.files(rig).count == 1)
    }

    @Test("its segments stay until the cache needs the room, then go as filed: that is no loss")
    func evicted() async throws {
        let rig = try Self.rig(cacheBudget: 1)
        let recorder = try rig.recorder()
        try Self.record(recorder, file: "clip")
        try rig.sync()
        #expect(try rig.cached().count == 2, "nothing else has them")
        #expect(try EvictableWatermark.read(in: recorder.cache) ?? .beforeAll == .beforeAll)
        try await Self.keeper().run(rig.workspace())
        try rig.sync()
        #expect(try rig.cached() == [])
        #expect(try rig.rows().map(\.state) == [.evicted, .evicted])
        let reasons = try rig.rows().map { try rig.workspace().catalog.eviction(rig.front, $0.id)?.reason }
        #expect(reasons == ["filed", "filed"])
        #expect(rig.events.recent.map(\.type) == ["fileWritten"])
        let before = try await rig.listing()
        #expect(before.contains("\"filed\""))
        try rig.loseCatalog()
        try rig.sync()
        try await Self.keeper().run(rig.workspace())
        #expect(try await rig.listing() == before)
        #expect(try Self.files(rig) == ["clip.mp4"])
    }

    @Test("a worker may free by itself what is whole in a file")
    func watermark() async throws {
        let rig = try Self.rig()
        let recorder = try rig.recorder()
        try Self.record(recorder, file: "clip")
        try rig.sync()
        try await Self.keeper().run(rig.workspace())
        try rig.sync()
        #expect(try EvictableWatermark.read(in: recorder.cache) == SegmentID(session: 1, counter: 1))
        let name = try #require(try recorder.cache.listing().first).name
        try Eviction.evict(name, because: .verified, in: recorder.cache, journal: recorder.journal, now: rig.clock.now)
        try rig.sync()
        #expect(try rig.rows().map(\.state) == [.evicted, .closed])
        #expect(rig.events.recent.map(\.type) == ["fileWritten"])
    }

    @Test(
        "killed at any step it makes the same file, once",
        arguments: [
            "file.begin", "file.chunk", "file.synced", "file.announced", "file.named", "file.settled", "file.told",
        ])
    func killed(step: String) async throws {
        let rig = try Self.rig()
        try Self.record(try rig.recorder(), file: "clip")
        try rig.sync()
        let progress = Sync.Progress()
        let dying = try rig.workspace { if $0.description == step { throw Rig.Killed() } }
        try await FileKeeper(progress: progress, stop: StopSwitch()).run(dying)
        #expect(progress.current.lastError != nil, "nothing died")
        try await Self.keeper().run(rig.workspace())
        #expect(try Self.files(rig) == ["clip.mp4"])
        #expect(try Self.bytes(rig, "clip.mp4") == Self.range(rig))
        #expect(try rig.workspace().catalog.filedThrough(rig.front) == 1)
        // So does a process that has to read all of that from the ledger.
        try rig.loseCatalog()
        try rig.sync()
        try await Self.keeper().run(rig.workspace())
        #expect(try Self.files(rig) == ["clip.mp4"])
        #expect(try rig.workspace().catalog.files(rig.front).map(\.isWritten) == [true])
    }

    @Test("no file is replaced, nobody's and none of its own: the next number is free")
    func names() async throws {
        let rig = try Self.rig()
        let folder = rig.root + "/files/gate"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("somebody's".utf8).write(to: URL(filePath: folder + "/clip.mp4"))
        let recorder = try rig.recorder()
        for _ in 0..<2 { try Self.record(recorder, file: "clip") }
        try Self.record(recorder, file: "../../out/of/it")
        try rig.sync()
        try await Self.keeper().run(rig.workspace())
        #expect(try Self.files(rig) == ["-..-out-of-it.mp4", "clip-2.mp4", "clip-3.mp4", "clip.mp4"])
        #expect(try Self.bytes(rig, "clip.mp4") == Array("somebody's".utf8))
        #expect(try Self.bytes(rig, "clip-3.mp4") == Self.range(rig, session: 2))
    }

    @Test("each format of a session has a file; what is missing in it is a jump, and damage is left out and told")
    func parts() async throws {
        let rig = try Self.rig()
        let recorder = try rig.recorder()
        try recorder.start(file: "clip")
        try recorder.record(silence: 5)
        let damaged = try recorder.record()
        try recorder.record()
        try recorder.changeFormat()
        try recorder.record()
        try recorder.stop()
        try rig.sync()
        let handle = try #require(FileHandle(forUpdatingAtPath: "\(recorder.cache.path)/\(damaged.relativePath)"))
        try handle.seek(toOffset: 12_000)
        try handle.write(contentsOf: Data([0xFF, 0x00, 0xFF]))
        try handle.close()
        try await Self.keeper().run(rig.workspace())
        #expect(try Self.files(rig) == ["clip-2.mp4", "clip.mp4"])
        #expect(rig.events.recent.map(\.type) == ["segmentQuarantined", "fileWritten", "fileWritten"])
        let sizes = try Self.files(rig).map { try Self.bytes(rig, $0).count }
        #expect(sizes[0] > 16_000 && sizes[1] > 32_000 && sizes[1] < 40_000, "\(sizes)")
        #expect(try rig.rows().map(\.state) == [.closed, .quarantined, .closed, .closed])
    }

    @Test(
        "over its maximum the oldest that it wrote go: not a stranger's, nor one that was changed, nor one under hold")
    func maximum() async throws {
        let rig = try Self.rig(maximum: 80_000)
        let recorder = try rig.recorder()
        let (work, keeper) = (try rig.workspace(), Self.keeper())
        func next(_ name: String) async throws {
            try Self.record(recorder, file: name)
            try rig.sync()
            try await keeper.run(work)
            rig.clock.advance(.seconds(60))
        }
        try await next("one")
        try Data(count: 100_000).write(to: URL(filePath: rig.root + "/files/gate/stranger.mp4"))
        try await next("two")
        #expect(try Self.files(rig) == ["one.mp4", "stranger.mp4", "two.mp4"])
        // Dies after it removed the first: the next turn knows.
        let dying = try rig.workspace { if $0.description == "file.removed" { throw Rig.Killed() } }
        try Self.record(recorder, file: "three")
        try rig.sync()
        try await FileKeeper(progress: Sync.Progress(), stop: StopSwitch()).run(dying)
        #expect(try Self.files(rig) == ["stranger.mp4", "two.mp4"])
        try await keeper.run(work)
        rig.clock.advance(.seconds(60))
        #expect(try Self.files(rig) == ["stranger.mp4", "three.mp4", "two.mp4"])
        let second = try #require(try rig.rows().first { $0.id.session == 2 })
        try work.catalog.save(
            HoldRow(
                id: "h", camera: rig.front, asset: "archive", from: second.start, to: second.end, reason: "",
                created: rig.clock.now))
        try Data("other".utf8).write(to: URL(filePath: rig.root + "/files/gate/three.mp4"))
        try await next("four")
        try await next("five")
        #expect(try Self.files(rig) == ["five.mp4", "stranger.mp4", "three.mp4", "two.mp4"])
        let deleted = rig.events.recent.filter { $0.type == "fileDeleted" }.map(\.detail)
        #expect(deleted == ["one", "four"].map { "\(rig.root)/files/gate/\($0).mp4" })
        try rig.loseCatalog()
        try rig.sync()
        #expect(try rig.workspace().catalog.files(rig.front).map(\.session) == [2, 5])
    }

    @Test("while its folder is away the footage stays, by one event and a fault; then the file is written")
    func away() async throws {
        let rig = try Self.rig(cacheBudget: 1)
        try Self.record(try rig.recorder(), file: "clip")
        try rig.sync()
        let root = rig.root + "/files"
        try FileManager.default.removeItem(atPath: root)
        let (work, progress) = (try rig.workspace(), Sync.Progress())
        let keeper = FileKeeper(progress: progress, stop: StopSwitch())
        for _ in 0..<3 {
            try await keeper.run(work)
            rig.clock.advance(.seconds(31))
        }
        #expect(rig.events.recent.map(\.type) == ["fileSinkFailed"])
        #expect(progress.current.lastError?.nextStep.hasPrefix("mount its disk, or make the folder") == true)
        try rig.sync()
        #expect(try rig.cached().count == 2)
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        try await keeper.run(work)
        #expect(try Self.files(rig) == ["clip.mp4"])
        #expect(rig.events.recent.map(\.type) == ["fileSinkFailed", "fileWritten", "fileSinkBack"])
        #expect(progress.current.lastError == nil)
        rig.settings.filePaths = ["/elsewhere"]
        try Self.record(try rig.recorder(), file: "other")
        try rig.sync()
        try await keeper.run(rig.workspace())
        #expect(progress.current.lastError?.nextStep.contains("graph.filePaths") == true)
    }

    @Test("a sink that is not known yet is missed when a session of its is over")
    func unknown() async throws {
        let rig = try Self.rig()
        rig.settings.cameras[rig.front]?.files = nil
        let (recorder, keeper) = (try rig.recorder(), Self.keeper())
        for isOver in [false, true] {
            if isOver { try recorder.stop() } else { try recorder.start(file: "clip") }
            try rig.sync()
            try await keeper.run(rig.workspace())
            #expect(rig.events.recent.map(\.type) == (isOver ? ["fileSinkFailed"] : []))
        }
    }

    @Test("a session with an asset as well is stored and filed, also when its cache had to let go before")
    func both() async throws {
        let rig = try Self.rig(uploads: true)
        let recorder = try rig.recorder()
        try Self.record(recorder, file: "clip", asset: "gate-20261123T200000Z")
        try rig.sync()
        let expected = try Self.range(rig)
        rig.settings.cameras[rig.front]?.cacheBudget = 1
        try rig.sync()
        #expect(try rig.cached() == [])
        #expect(try rig.objects().allSatisfy { $0.hasPrefix("plant/gate-20261123T200000Z/") })
        try await Self.keeper().run(rig.workspace())
        #expect(try Self.bytes(rig, "clip.mp4") == expected)
        #expect(try rig.rows().map(\.state) == [.verified, .verified])
    }

    @Test("a camera that is stopped has what a killed worker left open recovered, counted until then, and written")
    func stopped() async throws {
        let rig = try Self.rig()
        rig.settings.cameras[rig.front]?.isRecorded = false
        do {
            let killed = try rig.recorder()
            try killed.start(file: "clip")
            try killed.record()
            try killed.record(closing: false)
        }
        let (work, keeper) = (try rig.workspace(), Self.keeper())
        let cache = CacheKeeper(work: work, progress: Sync.Progress())
        try await cache.keepBudgets()
        let before = try #require(try await cache.caches().first)
        #expect(before.pendingSegments == 1 && before.recorded == false && before.filedThrough == nil)
        try await cache.surveyAll()
        try await keeper.run(work)
        #expect(try Self.files(rig) == ["clip.mp4"])
        #expect(try rig.rows().count == 2)
        // One that was killed between two segments.
        do {
            let killed = try rig.recorder()
            try killed.start(file: "next")
            try killed.record()
        }
        try await cache.surveyAll()
        try await keeper.run(work)
        #expect(try Self.files(rig) == ["clip.mp4", "next.mp4"])
        let after = try #require(try await cache.caches().first)
        #expect(after.pendingSegments == 0 && after.filedThrough == 2)
    }

    @Test("what a failing disk set aside, and no later worker tries, is tried once more and waited for no longer")
    func suspect() async throws {
        let rig = try Self.rig()
        rig.settings.cameras[rig.front]?.isRecorded = false
        do {
            let recorder = try rig.recorder()
            try recorder.start(file: "clip")
            try recorder.record()
            let name = try recorder.record(closing: false)
            let path = "\(recorder.cache.path)/\(name.with(stage: .closed).relativePath)"
            try FileManager.default.moveItem(atPath: path + ".partial", toPath: path + ".suspect")
            // Nothing of it can be read.
            try Data(repeating: 7, count: 100_000).write(to: URL(filePath: path + ".suspect"))
            try recorder.stop()
        }
        let (work, keeper) = (try rig.workspace(), Self.keeper())
        let cache = CacheKeeper(work: work, progress: Sync.Progress())
        try await cache.surveyAll()
        try await keeper.run(work)
        #expect(try Self.files(rig) == ["clip.mp4"])
        #expect(try await cache.caches().first?.filedThrough == 1)
    }

    @Test("the pre-roll of a killed worker counts in the budget, and goes when nobody is to record its camera")
    func preRoll() async throws {
        let rig = try Self.rig()
        let cache = try CacheDirectory(path: try rig.recorder().cache.path, camera: rig.front)
        _ = try PreRollFolder(in: cache).begin().append([UInt8](repeating: 1, count: 5000))
        let keeper = CacheKeeper(work: try rig.workspace(), progress: Sync.Progress())
        try await keeper.keepBudgets()
        #expect(try await keeper.caches().first?.cacheBytes == 5000)
        try await keeper.surveyAll()
        #expect(try PreRollFolder.bytes(in: cache) == 5000)
        rig.settings.cameras[rig.front]?.isRecorded = false
        await keeper.configure(try rig.workspace())
        do {
            // Its worker is still there.
            let lock = try SlotLock(in: cache, slot: .b, build: "test", protocolVersion: 1)
            try await keeper.surveyAll()
            #expect(try PreRollFolder.bytes(in: cache) == 5000)
            withExtendedLifetime(lock) {}
        }
        try await keeper.surveyAll()
        #expect(try PreRollFolder.bytes(in: cache) == nil)
    }

    @Test("a camera that was removed has the rest of its files written, where they last were")
    func removed() async throws {
        let rig = try Self.rig()
        let recorder = try rig.recorder()
        try rig.sync()
        try Self.record(recorder, file: "clip")
        rig.settings.cameras = [:]
        try rig.loseCatalog()
        try rig.sync()
        try await Self.keeper().run(rig.workspace())
        #expect(try Self.files(rig) == ["clip.mp4"])
        // One without any media is complete, too.
        try recorder.start(file: "empty")
        try recorder.stop()
        try rig.sync()
        try await Self.keeper().run(rig.workspace())
        #expect(try Self.files(rig) == ["clip.mp4"])
        #expect(try rig.workspace().catalog.filedThrough(rig.front) == 2)
    }
}
