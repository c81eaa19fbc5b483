import Catalog
import Foundation
import ObjectStore
import Recording

/// Deletes what is older than its camera's retention, in the store and in the cache; never by a wrong clock (I11).
///
/// Order: local copy, ledger, catalog with full sync, object, its metadata. A run that dies is finished by the next.
struct StoreRetention {
    private static let clockNote = "clock"
    private static let clockAlarm = "clockAlarm"

    let work: Workspace
    let camera: CameraName

    static func run(_ work: Workspace, _ cameras: [CameraName], isStopping: () -> Bool) throws {
        guard try clockPermits(work) else { return }
        for camera in cameras {
            guard !isStopping(), let retention = try work.policy(camera).retention else { continue }
            try StoreRetention(work: work, camera: camera)
                .expire(retention, isStopping: isStopping)
        }
    }

    /// Deletes what an earlier run gave up and did not get to.
    func finish() throws {
        while true {
            let rows = try work.catalog.segments(camera, .leftInStore, limit: 100)
            for row in rows { try delete(row) }
            if rows.isEmpty { return }
        }
    }

    private func expire(_ retention: TimeSpan, isStopping: () -> Bool) throws {
        let now = work.clock.now()
        while !isStopping() {
            let rows = try work.catalog.expired(camera, before: now - retention, now: now, limit: 100)
            for row in rows where !isStopping() {
                try work.step("retain.begin")
                // While it is still verified: an expired file in a cache would be taken for new footage.
                if row.isLocal { try CacheEviction(work: work).free(row) }
                let givenUp = GivenUp(work: work, cache: work.settings.cachePath(camera))
                try givenUp.write(row, reason: "retention", mayBeStored: true)
                try delete(row)
            }
            if rows.isEmpty { return }
        }
    }

    private func delete(_ row: SegmentRow) throws {
        if let key = ObjectKey(row.key) { try work.store.delete(key) }
        try work.step("retain.gone")
        try work.catalog.settleEvicted(camera, row.id)
        try work.step("retain.settled")
    }

    /// Judges the clock and remembers a trusted reading; one that moved is told once.
    static func clockPermits(_ work: Workspace) throws -> Bool {
        let clock = work.clock
        let reading = RetentionClock(wall: clock.now(), monotonic: clock.monotonic(), bootID: clock.bootID)
        let note = try work.catalog.note(clockNote)
        // A note that does not decode is none: it is ours, and only a damaged catalog has one.
        let last = note.flatMap { try? JSONDecoder().decode(RetentionClock.self, from: Data($0.utf8)) }
        let isSynchronised = work.settings.trustsClock || clock.isSynchronised()
        switch RetentionClock.judge(reading, isSynchronised: isSynchronised, last: last) {
        case .trusted(let reading):
            try work.catalog.setNote(clockNote, String(decoding: try JSONEncoder().encode(reading), as: UTF8.self))
            try work.catalog.setNote(clockAlarm, nil)
            return true
        case .unsynchronised:
            return false
        case .moved(let span):
            if try work.catalog.note(clockAlarm) == nil {
                try work.catalog.setNote(clockAlarm, clock.now().rfc3339)
                work.tell(
                    "clockMoved", nil,
                    "the clock is off by \(Int64(span.seconds)) s; nothing is deleted for its age until it is right")
            }
            return false
        }
    }
}
