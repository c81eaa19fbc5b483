import Catalog
import ObjectStore
import Recording

/// Deletes what is older than its camera's retention, in the store and in the cache; never by a wrong clock (I11).
///
/// Order: local copy, ledger, catalog with full sync, object, its metadata. A run that dies is finished by the next.
struct StoreRetention {
    private static let page = 100
    /// A pass has more to do than to delete: the rest is the next one's.
    private static let most = 500

    let work: Workspace
    let camera: CameraName
    let progress: Progress

    /// One camera's cache or object that is in the way does not keep the others.
    static func run(
        _ work: Workspace, _ cameras: [CameraName], _ progress: Progress, isStopping: () -> Bool
    ) throws {
        let isAsked = try cameras.contains { try work.policy($0).retention != nil }
        let permits = try isAsked && clockPermits(work, progress)
        let share = max(page / 5, most / max(cameras.count, 1))
        let end = ContinuousClock.now + .microseconds(work.settings.period.microseconds / 4)
        // In any order: what one camera has to delete does not keep the same others waiting each time.
        for camera in cameras.shuffled() where !isStopping() && ContinuousClock.now < end {
            var looks = 0
            let isEnough = {
                looks += 1
                return looks > share || isStopping() || ContinuousClock.now >= end
            }
            let one = StoreRetention(work: work, camera: camera, progress: progress)
            do {
                var isClean = try one.finish(isStopping: isEnough)
                // What refuses to go leaves what expires its share.
                looks = 0
                if permits, let retention = try work.policy(camera).retention {
                    isClean = try one.expire(retention, isStopping: isEnough) && isClean
                }
                if isClean { progress.clear(.retention(camera)) }
            } catch let error where error.concernsOneOnly {
                progress.blame(.retention(camera), error)
            }
        }
    }

    /// A state that cannot be read or written permits nothing.
    private static func clockPermits(_ work: Workspace, _ progress: Progress) throws -> Bool {
        do { return try ClockGuard(work: work, progress: progress).permits() } catch let error as SyncError {
            progress.blame(.clock, error)
            return false
        }
    }

    /// Deletes what an earlier run gave up and did not get to; false when something refuses to go.
    private func finish(isStopping: () -> Bool) throws -> Bool {
        var isClean = true
        var last: SegmentID?
        while true {
            let rows = try work.catalog.segments(camera, .leftInStore, after: last, limit: Self.page)
            for row in rows where !isStopping() { isClean = try delete(row) && isClean }
            guard let end = rows.last?.id, !isStopping() else { return isClean }
            last = end
        }
    }

    private func expire(_ retention: TimeSpan, isStopping: () -> Bool) throws -> Bool {
        let now = work.clock.now()
        let hasCache = try CacheIdentity.check(camera, work.settings)
        var isClean = true
        while !isStopping() {
            let rows = try work.catalog.expired(camera, before: now - retention, now: now, limit: Self.page)
            for row in rows where !isStopping() {
                try work.step("retain.begin")
                // While it is still verified: an expired file in a cache would be taken for new footage.
                if row.isLocal, hasCache { try CacheEviction(work: work).free(row) }
                let givenUp = GivenUp(work: work, cache: work.settings.cachePath(camera))
                try givenUp.write(row, reason: "retention", mayBeStored: true)
                isClean = try delete(row) && isClean
            }
            if rows.isEmpty { break }
        }
        return isClean
    }

    /// False when the object refuses to go; it is tried again in the next pass.
    private func delete(_ row: SegmentRow) throws -> Bool {
        do {
            if let key = ObjectKey(row.key), let error = try work.store.delete([key])[key] { throw error }
        } catch let error as ObjectStoreError where error.scope == .object {
            progress.blame(.retention(camera), error)
            return false
        }
        try work.step("retain.gone")
        try work.catalog.settleEvicted(camera, row.id)
        try work.step("retain.settled")
        return true
    }
}
