import Catalog
import Glibc
import Recording
import SegmentStore

/// The cache of a camera that was removed or is stopped: no worker comes to close what a crash left open (design §4), to try
/// once more what a failing disk set aside, or to remove a pre-roll.
struct AbandonedCache {
    let work: Workspace
    let camera: CameraName

    /// True when a segment, or the last session, is open as a crash leaves it, or footage is there that nobody asked for.
    func isOpen(_ open: [SegmentFileName]) throws -> Bool {
        guard !work.settings.isRecorded(camera) else { return false }
        if try open.contains(where: { try $0.isPartial || !wasTried($0.id) }) { return true }
        let cache = try CacheDirectory(path: work.settings.cachePath(camera), camera: camera)
        if try PreRollFolder.bytes(in: cache) != nil { return true }
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
        try PreRollFolder.discard(in: cache)
        for left in try cache.names() where left.stage == .suspect {
            try work.catalog.setNote(trial(of: left.id), now.rfc3339)
        }
        return true
    }

    /// A segment that was set aside was read once more since nobody records its camera: whatever of it is left stays so.
    func wasTried(_ id: SegmentID) throws -> Bool { try work.catalog.note(trial(of: id)) != nil }

    private func trial(of id: SegmentID) -> String { "tried \(camera) \(id.session).\(id.counter)" }
}

extension SegmentStoreError {
    fileprivate var isHeldByAnother: Bool { errno == EWOULDBLOCK }
}
