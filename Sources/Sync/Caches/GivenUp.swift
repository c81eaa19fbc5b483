import Catalog
import Footage
import Recording

/// Footage whose bytes exist nowhere any more: on record, alarmed, then committed (I3).
struct GivenUp {
    let work: Workspace
    let cache: String

    /// The reason is what a worker or this process wrote down; with none the segment vanished.
    func settle(_ row: SegmentRow) throws {
        if let known = try work.catalog.eviction(row.camera, row.id) {
            // A worker frees under `verified` what it was told is in the store or whole in a file.
            if known.reason == "verified", try isFiled(row) {
                _ = try commit(row, filed(row))
                return
            }
            // The store must say so itself.
            if known.reason == "verified", !row.isUncertain {
                try work.catalog.beginUpload(row.camera, row.id)
                return
            }
            _ = try commit(row, known)
        } else {
            try write(row, reason: try isFiled(row) ? "filed" : "vanished", mayBeStored: false)
        }
    }

    private func isFiled(_ row: SegmentRow) throws -> Bool { try work.catalog.isFiled(row.camera, row.id) }

    private func filed(_ row: SegmentRow) -> EvictionRow {
        EvictionRow(id: row.id, start: row.start, duration: row.duration, bytes: row.bytes, reason: "filed")
    }

    /// Writes the reason down first, then gives the footage up; false when an upload of it began meanwhile.
    @discardableResult
    func write(_ row: SegmentRow, reason: String, mayBeStored: Bool) throws -> Bool {
        let eviction = try announce(row, reason: reason)
        return try commit(row, eviction, mayBeStored: mayBeStored, sparesHeld: reason != "vanished")
    }

    /// Writes the reason down; the segment is not given up yet.
    @discardableResult
    func announce(_ row: SegmentRow, reason: String) throws -> EvictionRow {
        let eviction = EvictionRow(
            id: row.id, start: row.start, duration: row.duration, bytes: row.bytes, reason: reason)
        // Footage of a camera whose cache is gone for good has nowhere else to be written down than in the catalog; a
        // mount point without its disk is no cache.
        if try CacheIdentity.check(row.camera, work.settings) {
            try Ledger(cache: cache).append(Ledger.Record(eviction))
        }
        try work.step("evict.journalled")
        return eviction
    }

    private func commit(
        _ row: SegmentRow, _ eviction: EvictionRow, mayBeStored: Bool = false, sparesHeld: Bool = false
    ) throws -> Bool {
        // Refused when an upload was begun meanwhile: what was written down stands, and the next pass asks the store.
        guard try work.catalog.commitEvicted(row, eviction, mayBeStored: mayBeStored, sparesHeld: sparesHeld) else {
            return false
        }
        if eviction.reason != "retention", eviction.reason != "filed" {
            let why = "\(row.start.rfc3339) \(row.duration.seconds) s: \(eviction.reason)"
            work.tell("footageLost", row.camera, why)
        }
        try work.step("evict.committed")
        return true
    }
}
