import CLinux
package import Catalog
import Foundation
import Glibc
package import ObjectStore
package import Recording
import SegmentStore
import Synchronization

/// The clocks, as one value so that tests can turn them.
package struct SyncClock: Sendable {
    package var now: @Sendable () -> WallTime
    package var monotonic: @Sendable () -> MonotonicTime
    /// The kernel says that the wall clock is disciplined.
    package var isSynchronised: @Sendable () -> Bool
    package var bootID: String
    /// What the box's zone is ahead of UTC at a moment.
    package var zone: @Sendable (WallTime) -> TimeSpan
    /// Blocks the calling thread, and lets at least that much time pass.
    package var sleep: @Sendable (TimeSpan) -> Void

    package init(
        now: @escaping @Sendable () -> WallTime, monotonic: @escaping @Sendable () -> MonotonicTime,
        isSynchronised: @escaping @Sendable () -> Bool, bootID: String,
        zone: @escaping @Sendable (WallTime) -> TimeSpan = { _ in .zero },
        sleep: @escaping @Sendable (TimeSpan) -> Void = { usleep(UInt32(clamping: $0.microseconds)) }
    ) {
        self.now = now
        self.monotonic = monotonic
        self.isSynchronised = isSynchronised
        self.bootID = bootID
        self.zone = zone
        self.sleep = sleep
    }

    package static var system: SyncClock {
        SyncClock(
            now: { WallTime(microseconds: read(CLOCK_REALTIME)) },
            monotonic: { MonotonicTime(microseconds: read(CLOCK_BOOTTIME)) },
            isSynchronised: { cvr_clock_synchronised() == 1 }, bootID: LockHolder.currentBootID, zone: offset)
    }

    /// By the zone's rules as they were when the process shut itself in.
    private static func offset(at moment: WallTime) -> TimeSpan {
        var (seconds, local) = (time_t(moment.microseconds / 1_000_000), tm())
        guard localtime_r(&seconds, &local) != nil else { return .zero }
        return .seconds(Int64(local.tm_gmtoff))
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) &* 1_000_000 &+ Int64(time.tv_nsec) / 1000
    }
}

/// Everything that the two halves of cvr-sync work on; a change of configuration is another value.
package struct Workspace: Sendable {
    /// Called between the steps of an upload or an eviction; what it throws ends the work there, as a crash would.
    package typealias Step = @Sendable (StaticString) throws -> Void

    package var settings: SyncSettings
    package var catalog: Catalog
    package var store: any ObjectStore
    /// What `store` counts on.
    package let billed: BilledWrites
    /// What is remembered of `store`.
    package let watch = StoreWatch()
    /// What workers may free is published by one thread at a time, and not while it becomes less.
    let watermarks = Exclusion()
    package var clock: SyncClock
    package var events: EventLog
    package var pace: Pace
    package var step: Step

    package init(
        settings: SyncSettings, catalog: Catalog, store: any ObjectStore, billed: BilledWrites? = nil,
        clock: SyncClock = .system, events: EventLog = EventLog(), pace: Pace? = nil,
        step: @escaping Step = { Failpoint.reach($0) }
    ) {
        self.settings = settings
        self.catalog = catalog
        self.billed = billed ?? BilledWrites(settings, clock: clock)
        self.store = store
        self.clock = clock
        self.events = events
        self.pace = pace ?? Pace(clock: clock)
        self.step = step
    }

    func tell(_ type: String, _ camera: CameraName?, _ detail: String) {
        events.tell(type, camera: camera, at: clock.now(), detail)
    }

    /// Cameras with a cache on the disk, configured or not: removed ones are still uploaded and kept.
    package func cachedCameras() throws(SyncError) -> [CameraName] {
        try caches().filter { $0.trouble == nil }.map(\.camera)
    }

    /// All cameras that have a directory with a mark, and why one must be left alone.
    func caches() throws(SyncError) -> [(camera: CameraName, trouble: SyncError?)] {
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: settings.cachePath) } catch {
            throw SyncError(.failed, "list \(settings.cachePath): \(error)", nextStep: "mount the cache disk")
        }
        return names.compactMap { CameraName($0) }.sorted().compactMap { camera in
            do throws(SyncError) {
                return try CacheIdentity.check(camera, settings) ? (camera, nil) : nil
            } catch {
                return (camera, error)
            }
        }
    }

    /// A camera's settings, or for a removed one the last that were known: without any it is kept for ever.
    func policy(_ camera: CameraName) throws(CatalogError) -> SyncSettings.Camera {
        if let configured = settings.cameras[camera] { return configured }
        let known = try catalog.camera(camera)
        return SyncSettings.Camera(
            asset: known?.usableAsset ?? camera.text, retention: known?.retention, files: known?.files)
    }

    /// Where a segment's object is or would be; empty for a time that no key can hold.
    ///
    /// `asset` is its session's own, empty for the camera's.
    func key(_ camera: CameraRow, asset: String, start: WallTime, _ id: SegmentID) -> String {
        let asset = ObjectKey.isSafe(asset) ? asset : camera.usableAsset
        return ObjectKey(site: settings.site, asset: asset, start: start, counter: id.counter)?.text ?? ""
    }

    /// As the catalog knows its session.
    func key(_ camera: CameraRow, start: WallTime, _ id: SegmentID) throws(CatalogError) -> String {
        key(camera, asset: try catalog.session(camera.name, id.session)?.asset ?? "", start: start, id)
    }

    func fileName(_ row: SegmentRow) -> SegmentFileName { SegmentFileName(start: row.start, id: row.id) }
}

extension CameraRow {
    /// A camera that no configuration ever named keeps its own.
    fileprivate var usableAsset: String { ObjectKey.isSafe(asset) ? asset : name.text }
}

/// Lets one thread at a time in.
final class Exclusion: Sendable {
    private let held = Mutex(())

    func run<Result: Sendable>(_ body: () throws -> Result) rethrows -> Result { try held.withLock { _ in try body() } }
}
