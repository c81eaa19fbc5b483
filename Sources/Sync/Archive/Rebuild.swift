import Catalog
import Footage
import FragmentedMP4
import ObjectStore
import Recording

/// Enters into a new catalog what only the store holds (I6); the caches were surveyed before.
///
/// Day by day, asset by asset: which objects there are the day's listing says; what they are its summary, and the objects
/// themselves where there is none or it does not agree. So a day costs one read and its own pages, however much the store
/// holds. A pass does a piece of it when it has nothing to upload: it goes on after the last object that it came to, and a
/// killed one reads again what it did not note.
struct Rebuild {
    private static let done = "storeListed"
    private static let reached = "storeRebuiltTo"
    private static let objectsBetweenNotes = 100

    let work: Workspace
    let progress: Progress
    var isStopping: () -> Bool = { false }

    /// The store has changed hands: it is listed once more.
    static func restart(_ catalog: Catalog) throws(CatalogError) {
        try catalog.setNote(reached, nil)
        try catalog.setNote(done, nil)
    }

    static func isDone(_ catalog: Catalog) throws(CatalogError) -> Bool { try catalog.note(done) != nil }

    /// Comes back when it is done or stopped; however soon it is stopped, it got further.
    ///
    /// Only an error of the store as a whole ends it otherwise: an object that cannot be read is told of and left where
    /// it is.
    func run() throws {
        let place = try work.catalog.note(Self.reached).flatMap { RebuildPlace($0) }
        let piece = RebuildPiece(isStopping: isStopping)
        do {
            let assets = try work.store.folders(in: work.settings.site.text).filter { ObjectKey.isSafe($0) }
            if place == nil { for asset in assets { try enterHolds(asset) } }
            for asset in assets {
                guard place.map({ $0.asset <= asset }) ?? true else { continue }
                for day in try days(of: asset) where place.map({ $0.isBefore(day) }) ?? true {
                    try run(day, after: place.flatMap { $0.isWithin(day) ? $0.last : nil }, piece)
                }
            }
            // A store that went away meanwhile looks empty from there on.
            try StoreIdentity(work: work).prepare()
            try Self.restart(work.catalog)
            try work.catalog.setNote(Self.done, work.clock.now().rfc3339)
        } catch is RebuildPiece.Over {}
    }

    private func days(of asset: String) throws -> [RebuildDay] {
        let folder = "\(work.settings.site)/\(asset)"
        do {
            return try work.store.folders(in: folder).compactMap { name in
                DocumentKey("\(folder)/\(name)/summary.ndjson").flatMap { RebuildDay(work: work, document: $0) }
            }
        } catch let error as ObjectStoreError where error.scope == .object {
            complain(error)
            return []
        }
    }

    private func run(_ day: RebuildDay, after reached: ObjectKey?, _ piece: RebuildPiece) throws {
        var (last, count) = (reached, 0)
        do {
            try piece.mayGoOn()
            try day.begin()
            try work.store.list(day.folder, after: last, skipped: complain) { key, bytes in
                // A store that does not go on after a key begins anew.
                guard last.map({ $0.text < key.text }) ?? true else { return }
                try piece.mayGoOn()
                try enter(key, bytes, day)
                piece.wentOn()
                (last, count) = (key, count + 1)
                if count % Self.objectsBetweenNotes == 0 { try note(key.text, day) }
            }
            try day.end(piece)
        } catch let over as RebuildPiece.Over {
            if let last { try note(last.text, day) }
            throw over
        }
        // A store that went away has nothing of this day.
        if work.store.canVanish { try StoreIdentity(work: work).prepare() }
        try note(day.document.text, day)
        piece.wentOn()
    }

    private func note(_ place: String, _ day: RebuildDay) throws {
        try day.flush()
        try work.catalog.setNote(Self.reached, place)
    }

    /// Of every camera: also of one that nothing else tells of yet.
    private func enterHolds(_ asset: String) throws {
        let keys: [DocumentKey]
        do { keys = try work.store.documents(in: "\(work.settings.site)/\(asset)/holds") } catch let error
            as ObjectStoreError where error.scope == .object
        {
            return complain(error)
        }
        for key in keys {
            do { try Holds(work: work, camera: nil).enter(key, asset) } catch let error as ObjectStoreError
                where error.scope == .object
            {
                work.tell("objectUnreadable", nil, "\(error)")
            }
        }
    }

    private func enter(_ key: ObjectKey, _ bytes: Int64, _ day: RebuildDay) throws {
        do {
            if try !day.enter(key, bytes) { try look(at: key, bytes) }
        } catch let error as MP4Error {
            work.tell("segmentQuarantined", nil, "\(key) in the store is not a segment: \(error.thing)")
        } catch let error as ObjectStoreError where error.scope == .object {
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
}

extension SegmentScan {
    fileprivate func agrees(with stored: ObjectMetadata?) -> Bool {
        guard let stored else { return false }
        return stored.camera == info.camera.text && stored.session == info.id.session && stored.checksum != nil
            && abs(stored.duration - duration.seconds) < 0.001
    }
}
