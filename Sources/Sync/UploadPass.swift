import Catalog
import ObjectStore
import Recording
import SegmentStore

/// One pass over all caches: let retention delete, upload what has closed, settle what is in doubt.
///
/// The queue is the catalog, read a few rows at a time: memory does not grow with the backlog. Cameras take turns,
/// so that one with a long backlog does not hold up the others.
package struct UploadPass {
    package struct Report: Hashable, Sendable {
        package var uploaded: Int64 = 0
        package var failed: Int64 = 0
        /// Cameras with a segment that has to be tried again or looked at.
        fileprivate var troubled: Set<CameraName> = []

        package init() {}
    }

    private static let roundsBetweenMarks = 32
    /// Of a rebuild: questions about a new catalog wait for it.
    private static let piece = Duration.seconds(20)

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
        try StoreIdentity(work: work).prepare()
        // First: it needs no space on the store, and may make some.
        try StoreRetention.run(work, try cameras(), progress, isStopping: isStopping)
        if try !Rebuild.isDone(work.catalog) {
            // What an earlier catalog may have stored waits until the store was listed, perhaps under another name.
            try takeTurns(.fresh, &report)
            let end = ContinuousClock.now + Self.piece
            try Rebuild(work: work, progress: progress, isStopping: { isStopping() || ContinuousClock.now >= end })
                .run()
        }
        if try Rebuild.isDone(work.catalog) {
            try takeTurns(.pending, &report)
            // What a store that went away does not have is not lost.
            try StoreIdentity(work: work).prepare()
            try takeTurns(.unsettled, &report)
            try Summaries(work: work, progress: progress, isStopping: isStopping).run(try cameras())
            try SampledAudit(work: work, progress: progress).run(try cameras(), isStopping: isStopping)
        }
        if !isStopping() {
            for camera in try cameras() where !report.troubled.contains(camera) { progress.clear(.uploads(camera)) }
        }
        try work.catalog.boundWAL()
    }

    /// All that were ever recorded, but for those whose cache is on the wrong disk.
    private func cameras() throws -> [CameraName] {
        let strangers = Set(try work.caches().filter { $0.trouble != nil }.map(\.camera))
        return try work.catalog.knownCameras().filter { !strangers.contains($0) }
    }

    private func takeTurns(_ selection: SegmentSelection, _ report: inout Report) throws {
        var waiting = try cameras().map { TurnQueue(camera: $0, selection: selection) }
        var round = 0
        while !waiting.isEmpty {
            round += 1
            for index in waiting.indices {
                let camera = waiting[index].camera
                for row in try waiting[index].next(work.catalog) {
                    guard !isStopping() else { return }
                    try upload(row, &report)
                }
                // A look at the whole cache: at the end of a backlog, and now and then on its way.
                if selection != .unsettled, waiting[index].isEmpty || round % Self.roundsBetweenMarks == 0 {
                    publishWatermark(camera)
                }
            }
            waiting.removeAll { $0.isEmpty }
        }
    }

    private func upload(_ row: SegmentRow, _ report: inout Report) throws {
        do {
            switch try Upload(work: work, progress: progress, row: row).run() {
            case .verified: report.uploaded += 1
            case .quarantined:
                report.failed += 1
                report.troubled.insert(row.camera)
            case .gone: break
            }
        } catch let error where error.concernsOneOnly {
            report.failed += 1
            report.troubled.insert(row.camera)
            progress.blame(.uploads(row.camera), error)
        } catch let error as CancellationError {
            throw error
        } catch {
            report.failed += 1
            throw error
        }
    }

    /// What a worker may free by itself; below everything that is not in the catalog yet.
    private func publishWatermark(_ camera: CameraName) {
        do {
            // Removed for good: only the store has its footage.
            guard try CacheIdentity.check(camera, work.settings) else { return }
            let cache = try CacheDirectory(path: work.settings.cachePath(camera), camera: camera)
            let published = try EvictableWatermark.read(in: cache)
            // The walk through the cache is for news only.
            if try work.catalog.evictableWatermark(camera, below: nil) != published {
                let open = try cache.names().filter { $0.stage != .closed }.map(\.id).min()
                let mark = try work.catalog.evictableWatermark(camera, below: open)
                if let mark, mark != published { try EvictableWatermark.publish(mark, in: cache) }
            }
            progress.clear(.watermark(camera))
        } catch {
            // An old watermark permits less: the worker frees less by itself, until the next pass.
            progress.blame(.watermark(camera), error)
        }
    }
}

/// One camera's segments in the order of their uploads: the oldest first, and one of the newest with each few of them,
/// so that after an outage fresh footage does not wait for all that is older.
private struct TurnQueue {
    private static let oldest = 3

    let camera: CameraName
    let selection: SegmentSelection
    private(set) var isEmpty = false
    private var after: SegmentID?
    private var before: SegmentID?

    init(camera: CameraName, selection: SegmentSelection) {
        self.camera = camera
        self.selection = selection
    }

    mutating func next(_ catalog: Catalog) throws -> [SegmentRow] {
        var rows = try catalog.segments(camera, selection, after: after, limit: Self.oldest)
        if let before { rows.removeAll { $0.id >= before } }
        after = rows.last?.id ?? after
        isEmpty = rows.count < Self.oldest
        if !isEmpty, selection != .unsettled, let newest = try catalog.newest(camera, selection, before: before),
            after.map({ $0 < newest.id }) ?? true
        {
            before = newest.id
            rows.append(newest)
        }
        return rows.filter { selection != .unsettled || $0.isUncertain }
    }
}
