import Catalog
import Glibc
import Recording
import SegmentStore

/// The cache of a camera that was removed or is stopped: no worker comes to close what a crash left open (design §4).
struct AbandonedCache {
    let work: Workspace
    let camera: CameraName

    /// True when a segment, or the last session, is open as a crash leaves it.
    func isOpen(_ open: [SegmentFileName]) throws -> Bool {
        guard !work.settings.isRecorded(camera) else { return false }
        if open.contains(where: \.isPartial) { return true }
        let last = try work.catalog.highestSession(camera)
        return try work.catalog.session(camera, last) != nil && !work.catalog.isOver(camera, session: last)
    }

    /// True when it was recovered; false when a worker records, or is to record, this camera.
    func recover() throws -> Bool {
        guard !work.settings.isRecorded(camera) else { return false }
        let cache = try CacheDirectory(path: work.settings.cachePath(camera), camera: camera)
        var locks: [SlotLock] = []
        do throws(SegmentStoreError) {
            for slot in Slot.allCases {
                locks.append(
                    try SlotLock(
                        in: cache, slot: slot, build: SyncProcess.build, protocolVersion: SyncProcess.protocolVersion))
            }
        } catch {
            guard error.isHeldByAnother else { throw error }
            return false
        }
        defer { withExtendedLifetime(locks) {} }
        let now = work.clock.now()
        let journal = try Journal(in: cache, now: now)
        _ = try Recovery.run(
            in: cache, journal: journal, now: now, predecessorEnd: .stopped, bootChanged: false)
        return true
    }
}

extension SegmentStoreError {
    fileprivate var isHeldByAnother: Bool { errno == EWOULDBLOCK }
}
