import Catalog
import Footage
import Foundation
import FragmentedMP4
import Messages
import ObjectStore
import Recording
import SegmentStore
import Sync
import Synchronization
import Testing

/// A box in a temporary directory: caches as workers leave them, a state, a store, a clock to turn.
final class Rig {
    struct Killed: Error {}

    /// In memory where there is such a place: the steps count here, not the disk.
    let root =
        (FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory())
        + "/cvr-sync-\(UUID())"
    let clock = ManualClock()
    let front: CameraName
    var settings: SyncSettings
    /// In place of the folder.
    private(set) var store: (any ObjectStore)?
    private var catalog: Catalog?
    let events = EventLog()

    init(_ camera: SyncSettings.Camera = SyncSettings.Camera(asset: "archive")) throws {
        front = try #require(CameraName("front"))
        settings = SyncSettings(
            site: try #require(SiteName("plant")), cachePath: root + "/cache", statePath: root + "/state",
            store: .file(path: root + "/store"), heartbeatPath: root + "/heartbeat", trustsClock: true,
            cameras: [front: camera])
        for folder in ["cache", "state/sync"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
        }
    }

    /// One whose store is a folder or a real service.
    convenience init(
        _ camera: SyncSettings.Camera = SyncSettings.Camera(asset: "archive"), at place: Place
    ) async throws {
        try self.init(camera)
        if let kind = place.service { try await use(StoreServer(kind, isShared: true)) }
    }

    /// One with uploaded segments whose retention is over, and one that has just closed.
    static func withExpired(_ segments: Int) throws -> Rig {
        let rig = try Rig(SyncSettings.Camera(asset: "archive", retention: .seconds(600)))
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<segments { try recorder.record() }
        try rig.sync()
        rig.clock.advance(.seconds(700))
        try recorder.start()
        try recorder.record()
        return rig
    }

    func use(_ server: StoreServer) throws { store = try server.store(at: server.endpoint) }

    /// A second box with empty disks, of the same site and store.
    func successor() throws -> Rig {
        let other = try Rig(try #require(settings.cameras[front]))
        (other.settings.store, other.store) = (settings.store, store)
        other.clock.step(clock.now - other.clock.now)
        return other
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }  // A leftover in /tmp fails no test.

    /// The camera's worker, recording into an existing or a new cache.
    func recorder(_ camera: CameraName? = nil) throws -> Recorder {
        try Recorder(cache: "\(root)/cache/\(camera ?? front)", camera: camera ?? front, clock: clock)
    }

    /// What cvr-sync works on, as after a start of the process.
    func workspace(
        store: (any ObjectStore)? = nil, step: @escaping Workspace.Step = { _ in }
    ) throws -> Workspace {
        let catalog = try catalog ?? CatalogFile(settings: settings, events: events, clock: clock.reading).open()
        self.catalog = catalog
        return Workspace(
            settings: settings, catalog: catalog,
            store: store ?? self.store ?? FileStore(root: settings.store.folder ?? "/", step: step),
            clock: clock.reading, events: events, step: step)
    }

    /// One round of what cvr-sync does, start to end.
    @discardableResult
    func sync(
        _ work: Workspace? = nil, _ progress: Sync.Progress = Sync.Progress(),
        isStopping: @escaping @Sendable () -> Bool = { false }
    ) throws -> UploadPass.Report {
        let work = try work ?? workspace()
        for camera in try work.cachedCameras() { try survey(camera, work) }
        var report = UploadPass.Report()
        try UploadPass(work: work, progress: progress, isStopping: isStopping).run(&report)
        for camera in try work.cachedCameras() { try survey(camera, work) }
        return report
    }

    func survey(_ camera: CameraName, _ work: Workspace) throws {
        let bytes = try Survey(work: work, camera: camera).run().bytes
        _ = try CacheEviction(work: work).keepBudget(camera, bytes: bytes)
    }

    func loseCatalog() throws {
        try catalog?.close()
        catalog = nil
        for suffix in ["", "-wal", "-shm"] {
            try FileManager.default.removeItem(atPath: root + "/state/sync/catalog.sqlite" + suffix)
        }
    }

    /// The files of the catalog as it is, for `restoreCatalog`.
    func savedCatalog() throws -> [Data] {
        try reopenCatalog()
        return try ["", "-wal", "-shm"].map { suffix in
            try Data(contentsOf: URL(filePath: root + "/state/sync/catalog.sqlite" + suffix))
        }
    }

    /// Puts a catalog of a while ago in place of what is there.
    func restoreCatalog(_ files: [Data]) throws {
        try loseCatalog()
        for (suffix, bytes) in zip(["", "-wal", "-shm"], files) {
            try bytes.write(to: URL(filePath: root + "/state/sync/catalog.sqlite" + suffix))
        }
    }

    func reopenCatalog() throws {
        try catalog?.close()
        catalog = nil
    }

    func rows(_ camera: CameraName? = nil) throws -> [SegmentRow] {
        try workspace().catalog.segments(camera ?? front, from: nil, to: nil, limit: 10_000)
    }

    /// Segments, gaps and coverage as a client reads them.
    func listing(_ camera: CameraName? = nil) async throws -> String {
        let answers = try await CacheKeeper(work: workspace(), progress: Progress()).answers(camera ?? front)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        var text = ""
        try await answers.segments(from: nil, to: nil) { rows in
            for row in rows { text += String(decoding: try encoder.encode(Listing.Segment(row)), as: UTF8.self) + "\n" }
        }
        let gaps = try await answers.gaps(from: nil, to: nil).map { Listing.Gap($0) }
        let coverage = Listing.Coverage(try await answers.coverage(from: nil, to: nil))
        text += String(decoding: try encoder.encode(gaps), as: UTF8.self)
        return text + String(decoding: try encoder.encode(coverage), as: UTF8.self)
    }

    func cached(_ camera: CameraName? = nil) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: "\(root)/cache/\(camera ?? front)")
            .filter { $0.hasSuffix(".mp4") }.sorted()
    }
}

/// Clocks that stand until a test turns them.
final class ManualClock: Sendable {
    private let state = Mutex((wall: WallTime(microseconds: 1_795_427_280_000_000), monotonic: Int64(1), isTrue: true))

    var now: WallTime { state.withLock { $0.wall } }

    func advance(_ span: TimeSpan) {
        state.withLock { $0 = ($0.wall + span, $0.monotonic + span.microseconds, $0.isTrue) }
    }

    func step(_ span: TimeSpan) { state.withLock { $0.wall = $0.wall + span } }

    func setSynchronised(_ isTrue: Bool) { state.withLock { $0.isTrue = isTrue } }

    var reading: SyncClock {
        SyncClock(
            now: { self.now }, monotonic: { self.state.withLock { MonotonicTime(microseconds: $0.monotonic) } },
            isSynchronised: { self.state.withLock { $0.isTrue } }, bootID: "boot", sleep: { self.advance($0) })
    }
}
