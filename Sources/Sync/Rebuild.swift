import Catalog
import FragmentedMP4
import ObjectStore
import Recording

/// Enters into a new catalog what only the store holds (I6); the caches were surveyed before.
///
/// Which objects there are the listing says; what they are the summary of their day, and the objects themselves where
/// there is none or it does not agree. A pass does a piece of it when it has nothing to upload: it goes on after the last
/// object that it came to, and a killed one reads again what it did not note.
struct Rebuild {
    private static let done = "storeListed"
    private static let reached = "storeListedTo"
    private static let objectsBetweenNotes = 100

    let work: Workspace
    let progress: Progress
    var isStopping: () -> Bool = { false }

    /// The store has changed hands: it is listed once more.
    static func restart(_ catalog: Catalog) throws(CatalogError) {
        try catalog.setNote(reached, nil)
        try catalog.setNote(RebuildDays.reached, nil)
        try catalog.setNote(done, nil)
    }

    static func isDone(_ catalog: Catalog) throws(CatalogError) -> Bool { try catalog.note(done) != nil }

    /// Comes back when it is done or stopped.
    ///
    /// Only an error of the store as a whole ends it otherwise: an object that cannot be read is told of and left where
    /// it is.
    func run() throws {
        let days = RebuildDays(work: work)
        var (last, count) = (try work.catalog.note(Self.reached).flatMap { ObjectKey($0) }, 0)
        do {
            try days.find(after: last)
            try work.store.list(work.settings.site.text, after: last, skipped: complain) { key, bytes in
                guard !isStopping() else { throw Interrupted() }
                try days.reach(key)
                try enter(key, bytes, days)
                (last, count) = (key, count + 1)
                if count % Self.objectsBetweenNotes == 0 { try note(key, days) }
            }
            while !days.isEmpty {
                guard !isStopping() else { throw Interrupted() }
                try days.next()
            }
            // A store that went away meanwhile looks empty from there on.
            try StoreIdentity(work: work).prepare()
            try days.end()
            try Self.restart(work.catalog)
            try work.catalog.setNote(Self.done, work.clock.now().rfc3339)
        } catch is Interrupted {
            if let last { try note(last, days) }
        }
    }

    private func note(_ key: ObjectKey, _ days: RebuildDays) throws {
        try days.flush()
        try work.catalog.setNote(Self.reached, key.text)
    }

    private func enter(_ key: ObjectKey, _ bytes: Int64, _ days: RebuildDays) throws {
        do {
            if try !days.enter(key, bytes) { try look(at: key, bytes) }
        } catch let error as MP4Error {
            days.leave(key)
            work.tell("segmentQuarantined", nil, "\(key) in the store is not a segment: \(error.thing)")
        } catch let error as ObjectStoreError where error.scope == .object {
            days.leave(key)
            complain(error)
        }
    }

    private func complain(_ error: ObjectStoreError) {
        work.tell("objectUnreadable", nil, "\(error)")
        progress.blame(.rebuild, error)
    }

    /// Enters an object as its own bytes and metadata tell it.
    func look(at key: ObjectKey, _ bytes: Int64) throws {
        let stored = try work.store.head(key)?.metadata
        let claimed = stored.map { SegmentID(session: $0.session, counter: key.counter) }
        let place = Placement(work: work)
        if let claimed, let camera = stored.flatMap({ CameraName($0.camera) }),
            case .known = try place.find(key, camera, claimed)
        {
            return
        }
        let reader = try SegmentReader(length: bytes, verifyChecksums: false) { offset, count in
            try work.store.read(key, offset: offset, count: count)
        }
        let scan = SegmentScan(reader, named: key.start)
        guard case .free(let id) = try place.take(key, scan.info.camera, scan.info.id) else { return }
        // Listed is not compared: what does not look as it was written is asked for before it counts as verified (I2).
        let isWhole = scan.isComplete && !scan.media.fragments.isEmpty && scan.agrees(with: stored)
        var row = scan.row(
            scan.info.camera, key: key.text, bytes: bytes, state: isWhole ? .verified : .uploaded, isLocal: false)
        row.id = id
        row.isUncertain = !isWhole
        row.checksum = stored?.checksum
        let session = SessionRow(
            session: scan.info.id.session, anchor: scan.info.anchor, quality: scan.info.quality,
            codecs: scan.media.codecs)
        try work.catalog.enterStored(
            [StoredSegment(row: row, session: session, gapBefore: scan.info.gapBefore)], asset: key.asset)
    }

    private struct Interrupted: Error {}
}

extension SegmentScan {
    fileprivate func agrees(with stored: ObjectMetadata?) -> Bool {
        guard let stored else { return false }
        return stored.camera == info.camera.text && stored.session == info.id.session && stored.checksum != nil
            && abs(stored.duration - duration.seconds) < 0.001
    }
}
