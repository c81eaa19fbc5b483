import Catalog
import ObjectStore
import Recording

/// Deletes what is older than its camera's retention, in the store and in the cache; never by a wrong clock (I11).
///
/// At most once an hour for each camera, and in batches: a delete is a request, if not a bill. Order: holds are read,
/// then local copy, ledger, catalog with full sync, object, its metadata. A run that dies is finished by the next.
struct StoreRetention {
    private static let page = 100
    /// A pass has more to do than to delete: the rest is the next one's.
    private static let most = 500

    let work: Workspace
    let camera: CameraName
    let progress: Progress
    /// Called before anything is asked of the store for this camera; what it throws ends the run.
    private let probe: () throws -> Void

    /// One camera's cache or object that is in the way does not keep the others.
    static func run(
        _ work: Workspace, _ cameras: [CameraName], _ progress: Progress, isStopping: () -> Bool,
        probe: @escaping () throws -> Void
    ) throws {
        let all = cameras.map { StoreRetention(work: work, camera: $0, progress: progress, probe: probe) }
        let due = try all.filter { try $0.isDue() }
        let isAsked = try due.contains { try work.policy($0.camera).retention != nil }
        let permits = try isAsked && clockPermits(work, progress)
        let share = max(page / 5, most / max(due.count, 1))
        let end = ContinuousClock.now + .microseconds(work.settings.period.microseconds / 4)
        // In any order: what one camera has to delete does not keep the same others waiting each time.
        for one in due.shuffled() where !isStopping() && ContinuousClock.now < end {
            do {
                try one.run(permits: permits, share: share) { isStopping() || ContinuousClock.now >= end }
            } catch let error where error.concernsOneOnly {
                progress.blame(.retention(one.camera), error)
            }
        }
    }

    /// Done for an hour is what ran to its end, by a clock that could be believed; in a folder, whose permissions change
    /// and whose requests are free, also what had nothing refused.
    private func run(permits: Bool, share: Int, isStopping: () -> Bool) throws {
        let policy = try work.policy(camera).retention
        let retention = permits ? policy : nil
        var (looks, isCutShort) = (0, false)
        let isEnough = {
            looks += 1
            let isEnough = looks > share || isStopping()
            isCutShort = isCutShort || isEnough
            return isEnough
        }
        // The store is asked for its holds when there is anything to delete.
        if try hasWork(retention) {
            try probe()
            try Holds(work: work, camera: camera).refresh()
        }
        let left = try finish(isStopping: isEnough)
        // More of what refuses to go is no reason to come back soon, and leaves what expires its share.
        if left.refused > 0, left.refused == left.asked, !isStopping() { isCutShort = false }
        looks = 0
        var isClean = left.refused == 0
        if let retention { isClean = try expire(retention, isStopping: isEnough) && isClean }
        if isClean { progress.clear(.retention(camera)) }
        let isDone = !isCutShort && (isClean || !work.store.canVanish)
        if isDone, permits || policy == nil { noteDone() }
    }

    private func isDue() throws -> Bool {
        guard let last = progress.current.retained[camera] else { return true }
        // Nothing expires, but what was given up may still be there.
        let retention = try work.policy(camera).retention ?? TimeSpan(microseconds: .max)
        return work.clock.monotonic() - last >= retention.pause(period: work.settings.period)
    }

    private func hasWork(_ retention: TimeSpan?) throws -> Bool {
        if try !work.catalog.segments(camera, .leftInStore, limit: 1).isEmpty { return true }
        guard let retention else { return false }
        let now = work.clock.now()
        // What a hold keeps, too: it may have been lifted elsewhere.
        return try !work.catalog.expired(camera, before: now - retention, now: now, sparesHeld: false, limit: 1).isEmpty
    }

    private func noteDone() {
        let (now, camera) = (work.clock.monotonic(), camera)
        progress.update { $0.retained[camera] = now }
    }

    /// A state that cannot be read or written permits nothing.
    private static func clockPermits(_ work: Workspace, _ progress: Progress) throws -> Bool {
        do { return try ClockGuard(work: work, progress: progress).permits() } catch let error as SyncError {
            progress.blame(.clock, error)
            return false
        }
    }

    /// Deletes what an earlier run gave up and did not get to: how many were asked for, and how many refuse to go.
    private func finish(isStopping: () -> Bool) throws -> (asked: Int, refused: Int) {
        var (asked, refused) = (0, 0)
        var last: SegmentID?
        while true {
            let rows = try work.catalog.segments(camera, .leftInStore, after: last, limit: Self.page)
            var due: [SegmentRow] = []
            // Given up, and held since: its object stays as long as the hold does.
            for row in rows where !isStopping() { if try !work.catalog.isHeld(row) { due.append(row) } }
            asked += due.count
            refused += try delete(due)
            guard let end = rows.last?.id, !isStopping() else { return (asked, refused) }
            last = end
        }
    }

    private func expire(_ retention: TimeSpan, isStopping: () -> Bool) throws -> Bool {
        let now = work.clock.now()
        let hasCache = try CacheIdentity.check(camera, work.settings)
        let givenUp = GivenUp(work: work, cache: work.settings.cachePath(camera))
        var isClean = true
        while !isStopping() {
            let rows = try work.catalog.expired(camera, before: now - retention, now: now, limit: Self.page)
            var due: [SegmentRow] = []
            for row in rows where !isStopping() {
                try work.step("retain.begin")
                // While it is still verified: an expired file in a cache would be taken for new footage.
                if row.isLocal, hasCache, try !CacheEviction(work: work).free(row) { continue }
                // Refused for what was held a moment ago.
                if try givenUp.write(row, reason: "retention", mayBeStored: true) { due.append(row) }
            }
            isClean = try delete(due) == 0 && isClean
            if due.isEmpty { break }
        }
        return isClean
    }

    /// How many objects refuse to go; they are tried again by the next run.
    private func delete(_ rows: [SegmentRow]) throws -> Int {
        let keys = rows.compactMap { ObjectKey($0.key) }
        let refused = keys.isEmpty ? [:] : try work.store.delete(keys)
        if let error = refused.values.first(where: { $0.scope == .store }) { throw error }
        if let error = refused.values.first { progress.blame(.retention(camera), error) }
        // What a store that went away does not have is not deleted.
        if work.store.canVanish, !keys.isEmpty { try StoreIdentity(work: work).prepare() }
        for row in rows where ObjectKey(row.key).map({ refused[$0] == nil }) ?? true {
            try work.step("retain.gone")
            try work.catalog.settleEvicted(camera, row.id)
            try work.step("retain.settled")
        }
        return refused.count
    }
}
