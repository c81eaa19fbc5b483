import Catalog
import FragmentedMP4
import Glibc
package import Recording
package import SegmentStore

/// Brings the catalog up to what one camera's cache holds now: level-triggered, both ways, cheap when nothing changed.
///
/// Runs on one thread at a time per camera. Any step may be killed and run again with the same result.
package struct Survey {
    /// What a survey saw in a cache.
    package struct Result: Sendable {
        package var bytes: Int64 = 0
        /// Segments without their final name, by session and counter.
        package var open: [SegmentFileName] = []
        /// The first thing that could not be read; everything else was.
        package var fault: SyncError?
    }

    let work: Workspace
    let camera: CameraName
    /// Called after each file that was read, so that a long first survey shows that it goes on.
    private let progressed: () -> Void

    package init(work: Workspace, camera: CameraName, progressed: @escaping () -> Void = {}) {
        self.work = work
        self.camera = camera
        self.progressed = progressed
    }

    package func run() throws -> Result {
        let cache = try CacheDirectory(path: work.settings.cachePath(camera), camera: camera)
        let fold = JournalFold(work: work, camera: camera, cache: cache)
        // The journal first: a record of a closed segment is written after its file has the final name.
        try fold.run()
        let listing = try cache.listing()
        var result = Result()
        result.bytes = listing.reduce(0) { $0.addingSaturated($1.bytes) }
        result.open = listing.map(\.name).filter { $0.stage != .closed }
        try compare(listing.map(\.name).filter { $0.stage == .closed }, cache, &result)
        try fold.run()
        try settle(cache)
        return result
    }

    /// Merges files and rows, both in order of (session, counter).
    private func compare(_ files: [SegmentFileName], _ cache: CacheDirectory, _ result: inout Result) throws {
        guard let camera = try work.catalog.camera(camera) else { return }
        var rows = LocalRows(work.catalog, self.camera)
        var found: [SegmentRow] = []
        for name in files {
            let gone = try rows.skip(below: name.id)
            if !gone.isEmpty { try work.catalog.setLocal(self.camera, gone, false) }
            guard try !rows.take(name.id) else { continue }
            do {
                if let row = try read(name, camera, cache) { found.append(row) }
            } catch let error as SegmentStoreError {
                result.fault = result.fault ?? SyncError(error)
            }
            if found.count == 50 {
                try work.catalog.enter(found)
                found = []
            }
        }
        try work.catalog.enter(found)
        let gone = try rows.skip(below: nil)
        if !gone.isEmpty { try work.catalog.setLocal(self.camera, gone, false) }
    }

    /// A file's row; nil when it went meanwhile.
    private func read(_ name: SegmentFileName, _ row: CameraRow, _ cache: CacheDirectory) throws -> SegmentRow? {
        progressed()
        let key = work.key(row, start: name.start, name.id)
        do {
            let (scan, bytes) = try SegmentScan.local(name, in: cache, checkingEveryByte: false)
            if scan.info.id == name.id, scan.info.camera == camera, !scan.media.fragments.isEmpty {
                return scan.row(camera, key: key, bytes: bytes, state: .closed, isLocal: true)
            }
        } catch let error as SegmentStoreError where error.isNoSuchFile {
            return nil
        } catch is MP4Error {
            // Falls through: a closed file that is no segment.
        }
        work.tell(
            "segmentQuarantined", camera, "\(name) is not the segment that its name says; look at the cache's disk")
        let known = try work.catalog.segment(camera, name.id)
        return SegmentRow(
            camera: camera, id: name.id, key: key, start: name.start, duration: known?.duration ?? .zero,
            bytes: known?.bytes ?? 0, state: .quarantined, isLocal: true, isRead: true)
    }

    /// Decides about segments that left the cache unverified; what the store may hold is left for an upload pass.
    private func settle(_ cache: CacheDirectory) throws {
        guard try Rebuild.isDone(work.catalog) else { return }
        var last: SegmentID?
        while true {
            let page = try work.catalog.segments(camera, .unsettled, after: last, limit: 100)
            for row in page where !row.isUncertain {
                try GivenUp(work: work, cache: cache.path).settle(row)
            }
            guard let end = page.last?.id else { return }
            last = end
        }
    }
}

/// Walks the rows that the catalog believes to be in a cache, a page at a time.
private struct LocalRows {
    private let catalog: Catalog
    private let camera: CameraName
    private var page: ArraySlice<Catalog.CacheEntry> = []
    private var last: SegmentID?
    private var isAtEnd = false

    init(_ catalog: Catalog, _ camera: CameraName) {
        self.catalog = catalog
        self.camera = camera
    }

    /// Ids of the rows before `id`; all that are left for nil.
    mutating func skip(below id: SegmentID?) throws -> [SegmentID] {
        var skipped: [SegmentID] = []
        while let row = try peek(), id.map({ row.id < $0 }) ?? true {
            skipped.append(row.id)
            page.removeFirst()
        }
        return skipped
    }

    /// True when the next row is `id`'s and says all that its file does.
    mutating func take(_ id: SegmentID) throws -> Bool {
        guard let row = try peek(), row.id == id else { return false }
        page.removeFirst()
        return row.isEntered
    }

    private mutating func peek() throws -> Catalog.CacheEntry? {
        if page.isEmpty, !isAtEnd {
            let next = try catalog.inCache(camera, after: last, limit: 1000)
            last = next.last?.id ?? last
            isAtEnd = next.isEmpty
            page = next[...]
        }
        return page.first
    }
}

/// Footage whose bytes exist nowhere any more: on record, alarmed, then committed (I3).
struct GivenUp {
    let work: Workspace
    let cache: String

    /// The reason is what a worker or this process wrote down; with none the segment vanished.
    func settle(_ row: SegmentRow) throws {
        if let known = try work.catalog.eviction(row.camera, row.id) {
            // A worker frees under `verified` what it was told is in the store: the store must say so itself.
            if known.reason == "verified", !row.isUncertain {
                return try work.catalog.beginUpload(row.camera, row.id)
            }
            try commit(row, known)
        } else {
            try write(row, reason: "vanished", mayBeStored: false)
        }
    }

    /// Writes the reason down first, then gives the footage up.
    func write(_ row: SegmentRow, reason: String, mayBeStored: Bool) throws {
        let eviction = try announce(row, reason: reason)
        try commit(row, eviction, mayBeStored: mayBeStored)
    }

    /// Writes the reason down; the segment is not given up yet.
    @discardableResult
    func announce(_ row: SegmentRow, reason: String) throws -> EvictionRow {
        let eviction = EvictionRow(
            id: row.id, start: row.start, duration: row.duration, bytes: row.bytes, reason: reason)
        // Footage of a camera whose cache is gone for good has nowhere else to be written down than in the catalog.
        if access(cache, W_OK) == 0 { try Ledger(cache: cache).append(Ledger.Record(eviction)) }
        try work.step("evict.journalled")
        return eviction
    }

    private func commit(_ row: SegmentRow, _ eviction: EvictionRow, mayBeStored: Bool = false) throws {
        if eviction.reason != "retention" {
            let why = "\(row.start.rfc3339) \(row.duration.seconds) s: \(eviction.reason)"
            work.tell("footageLost", row.camera, why)
        }
        try work.catalog.commitEvicted(row.camera, eviction, mayBeStored: mayBeStored)
        try work.step("evict.committed")
    }
}
