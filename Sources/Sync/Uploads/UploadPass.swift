import Catalog
import ObjectStore
import Recording
import SegmentStore
import Synchronization

/// One pass over all caches: let retention delete, upload what has closed, settle what is in doubt.
///
/// The queue is the catalog, read a few rows at a time: memory does not grow with the backlog.
package struct UploadPass: Sendable {
    package struct Report: Hashable, Sendable {
        package var uploaded: Int64 = 0
        package var failed: Int64 = 0
        /// Cameras with a segment that has to be tried again or looked at.
        fileprivate var troubled: Set<CameraName> = []

        package init() {}
    }

    /// Of one camera; its whole cache is looked at.
    private static let uploadsBetweenMarks = 100
    /// Of a rebuild: questions about a new catalog wait for it.
    private static let piece = Duration.seconds(20)

    let work: Workspace
    let progress: Progress
    /// True ends the pass after the objects that are under way.
    private let isStopping: @Sendable () -> Bool
    private let gate: StoreGate

    package init(
        work: Workspace, progress: Progress, isStopping: @escaping @Sendable () -> Bool = { false }
    ) {
        self.work = work
        self.progress = progress
        self.isStopping = isStopping
        gate = StoreGate(work: work, progress: progress, isStopping: isStopping)
    }

    /// Errors that concern the store as a whole end the pass; all others end one segment's turn.
    package func run(_ report: inout Report) throws {
        let identity = StoreIdentity(work: work)
        // Of a store that was away nothing is asked before a probe: a look at the mark, if it is to delete.
        var isProbed = gate.isClosed || identity.isDue
        try gate.trying { try identity.prepare() }
        // First: it needs no space on the store, and may make some.
        let cameras = try cameras()
        try gate.once {
            try StoreRetention.run(work, cameras, progress, isStopping: isStopping) {
                if !isProbed { try identity.confirm() }
                isProbed = true
            }
        }
        if try !Rebuild.isDone(work.catalog) {
            // What an earlier catalog may have stored waits until the store was listed, perhaps under another name.
            try takeTurns(.fresh, &report)
            let end = ContinuousClock.now + Self.piece
            let rebuild = Rebuild(
                work: work, progress: progress, isStopping: { isStopping() || ContinuousClock.now >= end })
            try gate.once { try rebuild.run() }
        }
        if try Rebuild.isDone(work.catalog) {
            try takeTurns(.pending, &report)
            // What a store that went away does not have is not lost.
            try gate.trying { try identity.prepare() }
            try takeTurns(.unsettled, &report)
            // With those that a rebuild found.
            let all = try self.cameras()
            try gate.once {
                try Summaries(work: work, progress: progress, isStopping: isStopping).run(all)
                try SampledAudit(work: work, progress: progress).run(all, isStopping: isStopping)
            }
        }
        if !isStopping() {
            // What was asked for was done; without anything to upload the mark was the probe.
            gate.succeeded()
            for camera in cameras where !report.troubled.contains(camera) { progress.clear(.uploads(camera)) }
        }
        try work.catalog.boundWAL()
    }

    /// All that were ever recorded, but for those whose cache is on the wrong disk.
    private func cameras() throws -> [CameraName] {
        let strangers = Set(try work.caches().filter { $0.trouble != nil }.map(\.camera))
        return try work.catalog.knownCameras().filter { !strangers.contains($0) }
    }

    private func takeTurns(_ selection: SegmentSelection, _ report: inout Report) throws {
        let turns = UploadTurns(try queue(selection), report, progress.turns, isStopping: isStopping)
        defer { report = turns.report }
        // A store that was away is tried with one object first.
        if !gate.isClosed { _ = takeTurn(turns) || takeTurn(turns, isLast: true) }
        if gate.isClosed { UploadThreads.run(work.store.uploadsAtOnce) { while takeTurn(turns) {} } }
        // What was refused before, by what came of the others.
        while gate.isClosed, takeTurn(turns, isLast: true) {}
        // Of all: who uploaded may have been killed before it got to this.
        if selection != .unsettled { for camera in try cameras() { publishWatermark(camera) } }
        try turns.end()
    }

    /// Five periods are fresh: what one pass did not get to must not fall behind a backlog of days.
    private func queue(_ selection: SegmentSelection) throws -> UploadQueue {
        let now = work.clock.now()
        let (forecasts, refusals) = (progress.current.forecasts, progress.current.refusals)
        let queues = try cameras().map { camera in
            let length = work.settings.cameras[camera]?.segmentLength ?? .zero
            return CameraQueue(
                camera: camera, selection: selection,
                liveSince: selection == .unsettled ? nil : now - max(length, work.settings.period) * 5,
                deadline: forecasts[camera]?.deadline)
        }
        return UploadQueue(queues, in: work.catalog, last: { refusals.has($0, $1) })
    }

    /// False when there is no other turn.
    private func takeTurn(_ turns: UploadTurns, isLast: Bool = false) -> Bool {
        do {
            let allowance = work.pace.allowance
            if isLast {
                guard let row = try turns.nextOfLast(allowance) else { return false }
                try run(row, turns)
                return true
            }
            let rings = progress.turns.rings
            switch try turns.next(allowance, progress.current.entered, share: max(1, work.store.uploadsAtOnce / 2)) {
            case .none: return false
            case .wait: progress.turns.wait(past: rings)
            case .upload(let row):
                defer { turns.done(row) }
                try run(row, turns)
            }
            return true
        } catch {
            turns.fail(error)
            return false
        }
    }

    private func run(_ row: SegmentRow, _ turns: UploadTurns) throws {
        try upload(row, turns)
        if turns.isMarkDue(row.camera, every: Self.uploadsBetweenMarks) { publishWatermark(row.camera) }
    }

    private func upload(_ row: SegmentRow, _ turns: UploadTurns) throws {
        do {
            let gate = StoreGate(
                work: work, progress: progress, isStopping: { turns.isOver },
                isTaking: { turns.report.uploaded > 0 })
            switch try gate.trying({ try bring(row) }) {
            case .verified:
                turns.note { $0.uploaded += 1 }
                noteProgress(row)
                gate.succeeded()
            case .quarantined:
                progress.update { $0.refusals.forget(row) }
                turns.note { $0.fail(row.camera) }
            case .refused: turns.note { $0.fail(row.camera) }
            case .gone: progress.update { $0.refusals.forget(row) }
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            turns.note { $0.fail(row.camera) }
            let isStoresOwn = (error as? ObjectStoreError)?.scope == .store
            // One object's tries are used up while the others go on: it is the next pass's.
            guard error.concernsOneOnly || isStoresOwn && gate.isClosed else { throw error }
            progress.blame(.uploads(row.camera), error)
        }
    }

    /// The row as it is now: an earlier try left it in doubt.
    private func bring(_ row: SegmentRow) throws -> Upload.Outcome {
        guard let row = try work.catalog.segment(row.camera, row.id), row.state != .evicted else { return .gone }
        return try Upload(work: work, progress: progress, row: row).run()
    }

    private func noteProgress(_ row: SegmentRow) {
        let (now, span) = (work.clock.monotonic(), max(.seconds(300), work.settings.period * 2))
        progress.update { numbers in
            numbers.retryBudget.verified(bytes: row.bytes)
            numbers.refusals.forget(row)
            numbers.uploads[row.camera, default: RateMeter(over: span, from: now)].add(row.bytes, at: now)
        }
    }

    /// What a worker may free by itself; below everything that is not in the catalog yet.
    private func publishWatermark(_ camera: CameraName) {
        work.watermarks.run { replaceWatermark(camera) }
    }

    private func replaceWatermark(_ camera: CameraName) {
        do {
            // Removed for good: only the store has its footage.
            guard try CacheIdentity.check(camera, work.settings) else { return }
            let cache = try CacheDirectory(path: work.settings.cachePath(camera), camera: camera)
            let published = try EvictableWatermark.read(in: cache)
            // The walk through the cache is for news only.
            if try work.catalog.evictableWatermark(camera, below: nil) != published {
                let open = try cache.names().filter { $0.stage != .closed }.map(\.id).min()
                let mark = try work.catalog.evictableWatermark(camera, below: open)
                // Also down: an audit may have found that the store does not have what it was thought to have.
                if mark != published { try EvictableWatermark.publish(mark ?? .beforeAll, in: cache) }
            }
            progress.clear(.watermark(camera))
        } catch {
            // What lowers it was told to the worker before: the worker frees less by itself, until the next pass.
            progress.blame(.watermark(camera), error)
        }
    }
}

extension UploadPass.Report {
    fileprivate mutating func fail(_ camera: CameraName) {
        failed += 1
        troubled.insert(camera)
    }
}

extension ObjectStore {
    /// A disk has nothing from more at a time; a service answers after a round trip, in which others may be asked.
    package var uploadsAtOnce: Int { canVanish ? 1 : 4 }
}
