import Catalog
import FragmentedMP4
import ObjectStore
import Recording

/// Enters into a new catalog what only the store holds (I6); the caches were surveyed before.
///
/// Resumable: a second run reads again only what the first did not enter.
struct Rebuild {
    private static let done = "storeListed"

    let work: Workspace
    var isStopping: () -> Bool = { false }

    static func isDone(_ catalog: Catalog) throws(CatalogError) -> Bool { try catalog.note(done) != nil }

    func run() throws {
        try work.store.list(work.settings.site.text) { key, bytes in
            guard !isStopping() else { throw CancellationError() }
            do { try enter(key, bytes) } catch let error as MP4Error {
                work.tell("segmentQuarantined", nil, "\(key) in the store is no segment: \(error.thing)")
            }
        }
        try work.catalog.setNote(Self.done, work.clock.now().rfc3339)
    }

    private func enter(_ key: ObjectKey, _ bytes: Int64) throws {
        let stored = try work.store.head(key)?.metadata
        if let stored, let camera = CameraName(stored.camera) {
            let id = SegmentID(session: stored.session, counter: key.counter)
            let known = try work.catalog.segment(camera, id)
            if known?.isLocal == true { return try work.catalog.noteStored(camera, id, key: key.text) }
            if known?.state == .verified, known?.key == key.text, known?.isRead == true { return }
        }
        let reader = try SegmentReader(length: bytes, verifyChecksums: false) { offset, count in
            try work.store.read(key, offset: offset, count: count)
        }
        let scan = SegmentScan(reader, named: key.start)
        if try work.catalog.segment(scan.info.camera, scan.info.id)?.isLocal == true {
            return try work.catalog.noteStored(scan.info.camera, scan.info.id, key: key.text)
        }
        var row = scan.row(scan.info.camera, key: key.text, bytes: bytes, state: .verified, isLocal: false)
        row.checksum = stored?.checksum
        try work.catalog.enterStored(row, asset: key.asset)
    }
}
