import Catalog
package import Recording
import SegmentStore

/// Frees local copies for a camera's budget and the disk's minimum, in order of (session, counter), never of UTC (I11).
///
/// Verified ones go first, then those of which a file that is whole has all. Beyond them only under `dropOldest`, as a loss that is on record before the bytes go (I3).
package struct CacheEviction {
    /// One call frees at most this many: the loop that calls it has more to do.
    private static let limit = 500
    /// So many that closed last wait for the store whatever a budget says; a full disk spares none.
    ///
    /// A budget of less than a segment, as LVA's samples have at the rates of today's cameras, would else lose each before a
    /// pass could have taken it.
    private static let spared = 2
    /// Room for a few fragments, whatever minimum is configured: a disk without any is full.
    private static let floor: Int64 = 8 << 20

    let work: Workspace

    package init(work: Workspace) { self.work = work }

    /// Brings a camera's cache of `bytes` under its budget; returns what is left.
    package func keepBudget(_ camera: CameraName, bytes: Int64) throws -> Int64 {
        let policy = try work.policy(camera)
        guard let budget = policy.cacheBudget else { return bytes }
        var bytes = bytes
        for _ in 0..<Self.limit where bytes > budget {
            guard let freed = try freeOldest(camera, dropping: policy.dropsOldest ? "budget" : nil) else { break }
            bytes -= freed
        }
        return bytes
    }

    /// Frees until each disk has its minimum; on each the camera that holds most pays first.
    package func keepFree(_ caches: [CameraName: Int64]) throws {
        for held in disks(caches) { try keepFree(onDisk: held) }
    }

    /// Removes hours that a worker left empty.
    package func sweep(_ camera: CameraName) throws {
        let cache = try CacheDirectory(path: work.settings.cachePath(camera), camera: camera)
        try Eviction.removeEmptyDirectories(in: cache, now: work.clock.now())
    }

    /// By the disk that the caches are on.
    func disks(_ caches: [CameraName: Int64]) -> [[CameraName: Int64]] {
        var disks: [UInt64: [CameraName: Int64]] = [:]
        for (camera, bytes) in caches {
            // A cache that cannot be opened frees nothing; its camera's next survey says so.
            guard let cache = try? CacheDirectory(path: work.settings.cachePath(camera), camera: camera),
                let disk = try? cache.disk()  // nor does one whose disk is not told
            else { continue }
            disks[disk, default: [:]][camera] = bytes
        }
        return Array(disks.values)
    }

    private func keepFree(onDisk caches: [CameraName: Int64]) throws {
        var held = caches
        for _ in 0..<Self.limit {
            let order = held.sorted { ($0.value, $0.key) > ($1.value, $1.key) }.map(\.key)
            guard let any = order.first, try isShort(any) else { return }
            guard let (camera, freed) = try freeAny(order) else { return }
            held[camera, default: 0] -= freed
        }
    }

    /// Unlinks a verified segment's local copy; false, and it stays, when it is not verified any more.
    ///
    /// In the catalog first: an audit on another thread may ask for this copy's upload, and either sees the other. A copy
    /// that a death in between leaves in the cache is compared before it may go again.
    @discardableResult
    package func free(_ row: SegmentRow) throws -> Bool {
        guard try work.catalog.letGo(row) else { return false }
        try evict(row)
        return true
    }

    private func evict(_ row: SegmentRow) throws {
        let cache = try CacheDirectory(path: work.settings.cachePath(row.camera), camera: row.camera)
        try work.step("evict.begin")
        try Eviction.evict(work.fileName(row), in: cache, now: work.clock.now())
        try work.step("evict.freed")
    }

    private func isShort(_ camera: CameraName) throws -> Bool {
        let cache = try CacheDirectory(path: work.settings.cachePath(camera), camera: camera)
        let space = try cache.freeSpace()
        guard space.total > 0 else { return false }
        return 100 * Double(space.available) < work.settings.minimumFreePercent * Double(space.total)
            || space.available < min(Self.floor, space.total / 16)
    }

    private func freeAny(_ cameras: [CameraName]) throws -> (CameraName, Int64)? {
        for camera in cameras {
            if let freed = try freeOldest(camera, dropping: nil) { return (camera, freed) }
        }
        for camera in cameras where try work.policy(camera).dropsOldest {
            if let freed = try freeOldest(camera, dropping: "diskFull") { return (camera, freed) }
        }
        return nil
    }

    /// Bytes that were freed, none when the oldest was to be kept after all; nil when the camera has nothing that may go.
    private func freeOldest(_ camera: CameraName, dropping reason: String?) throws -> Int64? {
        if let row = try work.catalog.segments(camera, .evictable, limit: 1).first {
            return try free(row) ? row.bytes : 0
        }
        if let row = try work.catalog.segments(camera, .filed, limit: 1).first {
            let givenUp = GivenUp(work: work, cache: work.settings.cachePath(camera))
            return try givenUp.write(row, reason: "filed", mayBeStored: false) && remove(row) ? row.bytes : 0
        }
        guard let reason, let row = try oldestDroppable(camera, sparing: reason == "budget" ? Self.spared : 0) else {
            return nil
        }
        let givenUp = GivenUp(work: work, cache: work.settings.cachePath(camera))
        if row.isUncertain, row.state != .quarantined {
            try givenUp.announce(row, reason: reason)  // The store may have it: the next pass asks.
        } else if try !givenUp.write(row, reason: reason, mayBeStored: false) {
            return nil  // Its upload began meanwhile: the next turn sees it as it is then.
        }
        return try remove(row) ? row.bytes : 0
    }

    /// Of what was given up.
    private func remove(_ row: SegmentRow) throws -> Bool {
        try evict(row)
        try work.catalog.setLocal(row.camera, [row.id], false)
        return true
    }

    /// The first that no hold keeps, if there are more than `spared`.
    ///
    /// A catalog that has not seen its store yet knows of no holds: then the cache says what it was told of them.
    private func oldestDroppable(_ camera: CameraName, sparing spared: Int) throws -> SegmentRow? {
        guard try !Rebuild.isDone(work.catalog) else {
            let rows = try work.catalog.segments(camera, .droppable, limit: spared + 1)
            return rows.count > spared ? rows.first : nil
        }
        let cache = try CacheDirectory(path: work.settings.cachePath(camera), camera: camera)
        let held = try HeldRanges.read(in: cache)
        var (free, last): ([SegmentRow], SegmentID?) = ([], nil)
        while true {
            let rows = try work.catalog.segments(camera, .droppable, after: last, limit: 100)
            free += rows.filter { row in !held.contains { $0.lowerBound < row.end && row.start < $0.upperBound } }
            if free.count > spared { return free.first }
            guard let end = rows.last?.id else { return nil }
            last = end
        }
    }
}
