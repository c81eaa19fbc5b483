import Catalog
import Footage
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
        let isFirst = try work.catalog.note(surveyed) == nil
        // What was there before this catalog was: the store may have it, until it is known what the store holds.
        let isDoubted = try isFirst && !Rebuild.isDone(work.catalog)
        let fold = JournalFold(work: work, camera: camera, cache: cache, isDoubted: isDoubted)
        // The journal first: a record of a closed segment is written after its file has the final name.
        try fold.run()
        let listing = try cache.listing()
        var result = Result()
        result.bytes = listing.reduce(try PreRollFolder.bytes(in: cache) ?? 0) { $0.addingSaturated($1.bytes) }
        result.open = listing.map(\.name).filter { $0.stage != .closed }
        result.fault = result.open.first { $0.stage == .suspect }.map(Self.setAside)
        let closed = listing.map(\.name).filter { $0.stage == .closed }
        try compare(unambiguous(closed, &result), cache, isDoubted: isDoubted, &result)
        // With what closed after the cache was listed: it is not to look as if its file were gone.
        if isFirst { try fold.run() } else { try enterClosed(fold, in: cache) }
        if isFirst { try inherit() }
        try settle(cache)
        return result
    }

    private static func setAside(_ name: SegmentFileName) -> SyncError {
        SyncError(
            .failed, "\(name) was set aside when its disk failed",
            nextStep: "check the cache's disk; the camera's next worker recovers what can be read")
    }

    var surveyed: String { "surveyed \(camera)" }

    /// The last line of a first survey: evictions of earlier times are no news.
    private func inherit() throws {
        while try work.catalog.settleInherited(camera, limit: 1000) { progressed() }
        try work.catalog.setNote(surveyed, work.clock.now().rfc3339)
    }

    /// Of two files with one number the newer; the other is left alone until somebody has looked.
    private func unambiguous(_ files: [SegmentFileName], _ result: inout Result) -> [SegmentFileName] {
        var kept: [SegmentFileName] = []
        for name in files {
            if let last = kept.last, last.id == name.id {
                kept.removeLast()
                let (older, newer) = last.start < name.start ? (last, name) : (name, last)
                kept.append(newer)
                result.fault =
                    result.fault
                    ?? SyncError(
                        .failed, "\(camera): \(older) and \(newer) have the same number",
                        nextStep: "move the first one out of the cache")
            } else {
                kept.append(name)
            }
        }
        return kept
    }

    /// Merges files and rows, both in order of (session, counter).
    private func compare(
        _ files: [SegmentFileName], _ cache: CacheDirectory, isDoubted: Bool, _ result: inout Result
    ) throws {
        guard let camera = try work.catalog.camera(camera) else { return }
        var rows = LocalRows(work.catalog, self.camera)
        var found: [SegmentRow] = []
        for name in files {
            let gone = try rows.skip(below: name.id)
            if !gone.isEmpty { try work.catalog.setLocal(self.camera, gone, false) }
            guard try !rows.take(name) else { continue }
            let known = try self.known(as: name)
            do {
                if var row = try read(name, camera, known, cache) {
                    row.isUncertain = isDoubted && row.state == .closed
                    found.append(row)
                }
            } catch let error as SegmentStoreError {
                result.fault = result.fault ?? SyncError(error)
                var row = try unread(name, camera, known)
                row.isUncertain = row.isUncertain || isDoubted
                found.append(row)
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

    /// What the catalog knows of a file's segment.
    ///
    /// Another one that had its number is kept under one of the catalog's own: nothing that was true of it is of this
    /// one, which was not uploaded yet.
    private func known(as name: SegmentFileName) throws -> SegmentRow? {
        guard let known = try work.catalog.segment(camera, name.id) else { return nil }
        guard known.start.wholeMilliseconds != name.start else { return known }
        work.tell(
            "segmentDisplaced", camera,
            "\(name) has the number of the segment of \(known.start.rfc3339), \(known.state.rawValue) as \(known.key)")
        try work.catalog.moveAside(camera, name.id)
        return nil
    }

    /// It is there, and that is all that can be said of it now: it waits, and may not go as if it were verified.
    private func unread(_ name: SegmentFileName, _ row: CameraRow, _ known: SegmentRow?) throws -> SegmentRow {
        var unread =
            try known
            ?? SegmentRow(
                camera: camera, id: name.id, key: work.key(row, start: name.start, name.id), start: name.start,
                duration: .zero, bytes: 0, state: .closed, isLocal: true, isRead: false)
        unread.isLocal = true
        return unread
    }

    /// A file's row; nil when it went meanwhile.
    func read(
        _ name: SegmentFileName, _ row: CameraRow, _ known: SegmentRow?, _ cache: CacheDirectory
    ) throws -> SegmentRow? {
        progressed()
        let key = try work.key(row, start: name.start, name.id)
        do {
            try work.step("survey.read")
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
                progressed()
                // It was closed after the cache was listed: the next survey enters it.
                if access("\(cache.path)/\(work.fileName(row).relativePath)", F_OK) == 0 { continue }
                try GivenUp(work: work, cache: cache.path).settle(row)
            }
            guard let end = page.last?.id else { return }
            last = end
        }
    }
}
