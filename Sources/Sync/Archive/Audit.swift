import Catalog
import Checksums
import FragmentedMP4
import Messages
import ObjectStore
import Recording
import SegmentStore

/// Compares what the catalog calls verified with the store, both ways, and with the cache; repairs what can be.
///
/// The store is listed once, a day at a time: memory does not grow with the archive. Deep, each object's checksum is asked
/// for, which a store that keeps none answers by reading it, and each local copy is read.
struct Audit {
    private static let page = 200

    let work: Workspace
    let progress: Progress
    let camera: CameraName
    let isDeep: Bool
    /// True ends the audit after the segment that is under way.
    let isStopping: () -> Bool
    let findings: Findings

    private struct Interrupted: Error {}

    /// Errors that concern the store as a whole end it.
    func run() throws {
        defer { end() }
        try StoreIdentity(work: work).prepare()
        let own = try work.policy(camera).asset
        let others = Set(try work.catalog.assets(camera)).subtracting([own])
        do {
            try compare(own, .earliest, .latest) { !others.contains($0) }
            for asset in others.sorted() {
                guard let bounds = try work.catalog.bounds(camera, ofAsset: asset) else { continue }
                try compare(asset, bounds.first, bounds.last + TimeSpan(microseconds: 1)) { $0 == asset }
            }
            try tryAgain()
        } catch is Interrupted {
            return
        }
    }

    /// One asset's objects against the rows from a moment on, and before another, that lie in assets that are this one's
    /// to look at.
    private func compare(
        _ asset: String, _ first: WallTime, _ last: WallTime, _ isIts: @escaping (String) -> Bool
    ) throws {
        var (from, day, found) = (first, WallTime?.none, [String: Int64]())
        try work.store.list(
            "\(work.settings.site)/\(asset)", after: nil,
            skipped: { report("\($0.thing)", "unreadable", isRepaired: false, "\($0)") }
        ) { key, bytes in
            if let last = day, key.start.startOfDay != last {
                try compare(from, last + WallTime.dayLength, &found, isIts)
                from = last + WallTime.dayLength
            }
            day = key.start.startOfDay
            found[key.text] = bytes
        }
        try compare(from, last, &found, isIts)
    }

    /// What was quarantined while the store has nothing under its name: the store may take it by now, or what it had there
    /// was moved away.
    private func tryAgain() throws {
        var last: SegmentID?
        while true {
            let rows = try work.catalog.segments(camera, .unverified, after: last, limit: Self.page)
            for row in rows where row.state == .quarantined {
                guard !isStopping() else { throw Interrupted() }
                try alone(row) {
                    guard let key = ObjectKey(row.key), try work.store.head(key) == nil, try work.catalog.reopen(row)
                    else { return }
                    report(row.key, "missing", isRepaired: true, "it was quarantined; its upload is tried once more")
                }
            }
            guard let end = rows.last?.id else { return }
            last = end
        }
    }

    /// An object or a copy that cannot be read does not keep the others from being looked at.
    private func alone(_ row: SegmentRow, _ body: () throws -> Void) throws {
        do { try body() } catch let error where error.concernsOneOnly {
            report(row.key, "unreadable", isRepaired: false, "\(error)")
        }
    }

    /// Rows that start in a stretch of time against the objects that the store has there, which are used up.
    private func compare(
        _ from: WallTime, _ to: WallTime, _ found: inout [String: Int64], _ isIts: (String) -> Bool
    ) throws {
        var last: SegmentPlace?
        while from < to {
            let rows = try work.catalog.settled(camera, from: from, to: to, after: last, limit: Self.page)
            let own = rows.filter { ObjectKey($0.key).map { isIts($0.asset) } ?? true }
            for row in own {
                guard !isStopping() else { throw Interrupted() }
                try alone(row) { try check(row, found.removeValue(forKey: row.key)) }
            }
            findings.checked(Int64(own.count))
            guard let end = rows.last?.place else { break }
            last = end
        }
        for (key, bytes) in found.sorted(by: { $0.key < $1.key }) {
            guard !isStopping() else { throw Interrupted() }
            try enter(key, bytes)
        }
        found = [:]
    }

    private func check(_ row: SegmentRow, _ listed: Int64?) throws {
        guard let key = ObjectKey(row.key) else { return }
        if row.state == .quarantined { return try reconsider(row, key) }
        guard row.state == .verified else {
            if listed != nil, !row.isUncertain { try judgeLeft(row, key) }
            return
        }
        // Of another asset, or stored after the listing had passed.
        guard let bytes = try listed ?? work.store.head(key)?.bytes else { return try miss(row) }
        // Asked twice: one answer may be damaged on its way, and a quarantine lasts.
        guard try bytes == row.bytes || work.store.head(key)?.bytes == row.bytes else {
            return try quarantine(row, "the object has \(bytes) bytes, not \(row.bytes)")
        }
        if isDeep, let sum = row.checksum {
            guard let stored = try work.store.checksum(of: key) else { return try miss(row) }
            guard try stored == sum || work.store.checksum(of: key) == sum else {
                return try quarantine(row, "the object's bytes are not those that were stored")
            }
        }
        if row.isLocal { try checkCopy(row) }
    }

    /// A local copy that is not what the store has is let go: the store's is the one that was verified.
    private func checkCopy(_ row: SegmentRow) throws {
        let cache = try CacheDirectory(path: work.settings.cachePath(camera), camera: camera)
        let name = work.fileName(row)
        do {
            let isWhole = try cache.open(name).length() == row.bytes
            guard try !isWhole || isDeep && checksum(name, in: cache) != row.checksum else { return }
        } catch let error as SegmentStoreError where error.isNoSuchFile {
            return  // Freed meanwhile: the next survey notes it.
        }
        guard try CacheEviction(work: work).free(row) else { return }
        report(
            row.key, "damagedCopy", isRepaired: true, "the copy in the cache was damaged and is freed; the store has it"
        )
    }

    /// Of a file that may not parse any more.
    private func checksum(_ name: SegmentFileName, in cache: CacheDirectory) throws -> UInt32 {
        let file = try cache.open(name)
        var (checksum, offset) = (CRC32C(), Int64(0))
        while true {
            let bytes = try file.read(at: offset, count: 256 << 10)
            if bytes.isEmpty { return checksum.value }
            checksum.update(bytes)
            offset = offset.addingSaturated(Int64(bytes.count))
        }
    }

    func miss(_ row: SegmentRow) throws {
        // A store that is away, or another one, has nothing.
        try StoreIdentity(work: work).confirm()
        // Retention may have deleted it since the page was read.
        guard try work.catalog.segment(camera, row.id)?.state == .verified else { return }
        let waitsAgain = try work.watermarks.run {
            try withdraw(row)
            return try row.isLocal && work.catalog.reopen(row)
        }
        if waitsAgain {
            return report(
                row.key, "missing", isRepaired: true, "the store lost it; it is uploaded again from the cache")
        }
        try GivenUp(work: work, cache: work.settings.cachePath(camera))
            .write(row, reason: "vanished", mayBeStored: false)
        report(row.key, "missing", isRepaired: false, "the store lost it, and no copy is left")
    }

    /// Quarantined, and in no cache any more: the store's copy is the right one, or there is none.
    private func reconsider(_ row: SegmentRow, _ key: ObjectKey) throws {
        guard let stored = try work.store.checksum(of: key) else {
            try StoreIdentity(work: work).confirm()
            try GivenUp(work: work, cache: work.settings.cachePath(camera))
                .write(row, reason: "vanished", mayBeStored: false)
            return report(row.key, "missing", isRepaired: false, "it was quarantined, and no copy is left")
        }
        guard stored == row.checksum else {
            return report(row.key, "different", isRepaired: false, "it is quarantined, and no other copy is left")
        }
        try work.catalog.commitVerified(camera, row.id, checksum: stored)
        report(row.key, "different", isRepaired: true, "it was quarantined; the store has the right bytes now")
    }

    /// The worker may not free by itself what the store does not have; the next pass looks how far it may.
    private func withdraw(_ row: SegmentRow) throws {
        guard row.isLocal, try CacheIdentity.check(camera, work.settings) else { return }
        let cache = try CacheDirectory(path: work.settings.cachePath(camera), camera: camera)
        if try EvictableWatermark.read(in: cache) != nil { try EvictableWatermark.publish(.beforeAll, in: cache) }
    }

    func quarantine(_ row: SegmentRow, _ why: String) throws {
        try work.watermarks.run {
            try withdraw(row)
            try work.catalog.quarantine(camera, row.id)
        }
        work.tell("segmentQuarantined", camera, "\(row.start.rfc3339) \(row.key): \(why)")
        report(row.key, "different", isRepaired: false, why)
    }

    /// The object of a segment that the catalog calls evicted.
    private func judgeLeft(_ row: SegmentRow, _ key: ObjectKey) throws {
        guard try work.catalog.eviction(camera, row.id)?.reason == "retention" else {
            return try enter(key.text, row.bytes)
        }
        // Listed a while ago: retention goes on meanwhile.
        guard try work.store.head(key) != nil else { return }
        try work.catalog.noteLeft(row)
        report(row.key, "leftover", isRepaired: true, "it is too old; the next retention deletes it")
    }

    /// An object that the catalog does not list.
    private func enter(_ name: String, _ bytes: Int64) throws {
        guard let key = ObjectKey(name) else { return }
        // On its way to the store, or told of already and not decided yet.
        if let state = try work.catalog.state(ofKey: name, from: key.start, of: camera), state != .evicted {
            guard state == .quarantined else { return }
            return report(name, "different", isRepaired: false, "it is quarantined: compare it with the cache's copy")
        }
        do {
            try Rebuild(work: work, progress: progress).look(at: key, bytes)
            guard try work.catalog.state(ofKey: name, from: key.start, of: camera) != nil else {
                return report(name, "unknown", isRepaired: false, "it is a second copy, or of another camera")
            }
            report(name, "unknown", isRepaired: true, "the catalog did not list it; now it does")
        } catch let error as MP4Error {
            report(name, "unknown", isRepaired: false, "it is not a segment: \(error.thing)")
        } catch let error as ObjectStoreError where error.scope == .object {
            report(name, "unreadable", isRepaired: false, "\(error)")
        }
    }

    private func report(_ key: String, _ kind: String, isRepaired: Bool, _ detail: String) {
        let finding = Listing.Finding(
            camera: camera.text, key: key, kind: kind, repaired: isRepaired, detail: detail)
        guard findings.add(finding) else { return }
        work.tell("auditFinding", camera, "\(key): \(kind), \(detail)")
        if !isRepaired {
            progress.blame(
                .audit(camera),
                SyncError(.failed, "\(key): \(detail)", nextStep: "run cvrctl verify \(camera) for the whole picture"))
        }
    }

    private func end() {
        let omitted = findings.end()
        if omitted > 0 { work.tell("auditFinding", camera, "\(omitted) further findings") }
    }
}
