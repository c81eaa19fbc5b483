import Catalog
import Glibc
import ObjectStore
import Recording
import SegmentStore

/// One pass over all caches: upload what has closed, settle what is in doubt, let retention delete.
///
/// The queue is the catalog, read a few rows at a time: memory does not grow with the backlog. Cameras take turns,
/// so that one with a long backlog does not hold up the others.
package struct UploadPass {
    package struct Report: Hashable, Sendable {
        package var uploaded: Int64 = 0
        package var failed: Int64 = 0

        package init() {}
    }

    private static let turn = 4
    private static let roundsBetweenMarks = 32

    let work: Workspace
    let progress: Progress
    /// True ends the pass after the object that is under way.
    private let isStopping: () -> Bool

    package init(work: Workspace, progress: Progress, isStopping: @escaping () -> Bool = { false }) {
        self.work = work
        self.progress = progress
        self.isStopping = isStopping
    }

    /// Errors that concern the store as a whole end the pass; all others end one segment's turn.
    package func run(_ report: inout Report) throws {
        try work.store.prepare()
        if try !Rebuild.isDone(work.catalog) { try Rebuild(work: work, isStopping: isStopping).run() }
        let cameras = try work.catalog.knownCameras()
        for selection in [SegmentSelection.pending, .unsettled] {
            try takeTurns(cameras, selection, &report)
        }
        for camera in cameras where !isStopping() {
            try StoreRetention(work: work, camera: camera).finish()
        }
        try StoreRetention.run(work, cameras, isStopping: isStopping)
        try work.catalog.boundWAL()
    }

    private func takeTurns(
        _ cameras: [CameraName], _ selection: SegmentSelection, _ report: inout Report
    ) throws {
        var waiting = cameras.map { (camera: $0, after: SegmentID?.none) }
        var round = 0
        while !waiting.isEmpty {
            var next: [(camera: CameraName, after: SegmentID?)] = []
            round += 1
            for (camera, after) in waiting {
                let rows = try work.catalog.segments(camera, selection, after: after, limit: Self.turn)
                for row in rows where selection == .pending || row.isUncertain {
                    guard !isStopping() else { return }
                    try upload(row, &report)
                }
                if let last = rows.last { next.append((camera, last.id)) }
                // A look at the whole cache: at the end of a backlog, and now and then on its way.
                if selection == .pending, rows.isEmpty || round % Self.roundsBetweenMarks == 0 {
                    publishWatermark(camera)
                }
            }
            waiting = next
        }
    }

    private func upload(_ row: SegmentRow, _ report: inout Report) throws {
        do {
            switch try Upload(work: work, progress: progress, row: row).run() {
            case .verified: report.uploaded += 1
            case .quarantined: report.failed += 1
            case .gone: break
            }
        } catch let error as ObjectStoreError where error.scope == .object {
            fail(SyncError(error), &report)
        } catch let error as CancellationError {
            throw error
        } catch let error as SegmentStoreError {
            fail(SyncError(error), &report)
        } catch {
            report.failed += 1
            throw error
        }
    }

    private func fail(_ error: SyncError, _ report: inout Report) {
        report.failed += 1
        progress.update { $0.lastError = error.fault }
    }

    /// What a worker may free by itself; below everything that is not in the catalog yet.
    private func publishWatermark(_ camera: CameraName) {
        let path = work.settings.cachePath(camera)
        guard access(path, F_OK) == 0 else { return }  // Removed for good: only the store has its footage.
        do {
            let cache = try CacheDirectory(path: path, camera: camera)
            let open = try cache.listing().first { $0.name.stage != .closed }?.name.id
            guard let mark = try work.catalog.evictableWatermark(camera, below: open) else { return }
            guard try EvictableWatermark.read(in: cache) != mark else { return }
            try EvictableWatermark.publish(mark, in: cache)
        } catch {
            // An old watermark permits less: the worker frees less by itself, until the next pass.
            let fault = SyncError(error).fault
            progress.update { $0.lastError = fault }
        }
    }
}
