import Catalog
import FragmentedMP4
import ObjectStore
import Recording

/// Enters into a new catalog what only the store holds (I6); the caches were surveyed before.
///
/// A pass does a piece of it when it has nothing to upload: it goes on after the last object that it came to, and a
/// killed one reads again what it did not note.
struct Rebuild {
    private static let done = "storeListed"
    private static let reached = "storeListedTo"
    private static let objectsBetweenNotes = 100

    let work: Workspace
    let progress: Progress
    var isStopping: () -> Bool = { false }

    static func isDone(_ catalog: Catalog) throws(CatalogError) -> Bool { try catalog.note(done) != nil }

    /// Comes back when it is done or stopped.
    ///
    /// Only an error of the store as a whole ends it otherwise: an object that cannot be read is told of and left where
    /// it is.
    func run() throws {
        var (last, count) = (try work.catalog.note(Self.reached).flatMap { ObjectKey($0) }, 0)
        do {
            try work.store.list(work.settings.site.text, after: last, skipped: complain) { key, bytes in
                guard !isStopping() else { throw Interrupted() }
                try enter(key, bytes)
                (last, count) = (key, count + 1)
                if count % Self.objectsBetweenNotes == 0 { try work.catalog.setNote(Self.reached, key.text) }
            }
            // A store that went away meanwhile looks empty from there on.
            try StoreIdentity(work: work).prepare()
            try work.catalog.setNote(Self.done, work.clock.now().rfc3339)
            try work.catalog.setNote(Self.reached, nil)
        } catch is Interrupted {
            if let last { try work.catalog.setNote(Self.reached, last.text) }
        }
    }

    private func enter(_ key: ObjectKey, _ bytes: Int64) throws {
        do { try look(at: key, bytes) } catch let error as MP4Error {
            work.tell("segmentQuarantined", nil, "\(key) in the store is not a segment: \(error.thing)")
        } catch let error as ObjectStoreError where error.scope == .object {
            complain(error)
        }
    }

    private func complain(_ error: ObjectStoreError) {
        work.tell("objectUnreadable", nil, "\(error)")
        progress.blame(.rebuild, error)
    }

    private func look(at key: ObjectKey, _ bytes: Int64) throws {
        let stored = try work.store.head(key)?.metadata
        let claimed = stored.map { SegmentID(session: $0.session, counter: key.counter) }
        if let claimed, let camera = stored.flatMap({ CameraName($0.camera) }), try isKnown(key, camera, claimed) {
            return
        }
        let reader = try SegmentReader(length: bytes, verifyChecksums: false) { offset, count in
            try work.store.read(key, offset: offset, count: count)
        }
        let scan = SegmentScan(reader, named: key.start)
        if try claimed != scan.info.id && isKnown(key, scan.info.camera, scan.info.id) { return }
        // Listed is not compared: what does not look as it was written is asked for before it counts as verified (I2).
        let isWhole = scan.isComplete && !scan.media.fragments.isEmpty && scan.agrees(with: stored)
        var row = scan.row(
            scan.info.camera, key: key.text, bytes: bytes, state: isWhole ? .verified : .uploaded, isLocal: false)
        row.isUncertain = !isWhole
        row.checksum = stored?.checksum
        let session = SessionRow(
            session: scan.info.id.session, anchor: scan.info.anchor, quality: scan.info.quality,
            codecs: scan.media.codecs)
        try work.catalog.enterStored(row, of: session, asset: key.asset, gapBefore: scan.info.gapBefore)
    }

    /// True when the catalog needs nothing more of this object: the cache has the segment, or it was entered before, or
    /// its number belongs to another one, in the cache or of a later time.
    private func isKnown(_ key: ObjectKey, _ camera: CameraName, _ id: SegmentID) throws -> Bool {
        guard let known = try work.catalog.segment(camera, id) else { return false }
        guard known.start.wholeMilliseconds == key.start else {
            let isOutranked = known.isLocal || known.start > key.start
            work.tell(
                "segmentDisplaced", camera,
                "\(key) and \(known.key) have one number, \(id.session).\(id.counter); "
                    + "\(isOutranked ? known.key : key.text) is listed")
            return isOutranked
        }
        if known.isLocal {
            try work.catalog.noteStored(camera, id, key: key.text)
            return true
        }
        return known.state == .verified && known.key == key.text && known.isRead
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
