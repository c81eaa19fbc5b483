import Catalog
import Checksums
import Footage
import ObjectStore
import Recording

/// Writes the summaries of the days that are over, at most one a day for each of them.
///
/// A day is over an hour or two after its midnight; its summary waits another day at most for footage that is not in the
/// store yet. What happens to it later, such as a late upload or retention, asks for another one. By a wrong clock a
/// day's summary is only written too early, and again when the day goes on (I11). Killed after the write it is written
/// once more, with the same generation.
struct Summaries {
    private static let page = 50
    /// A camera that was away for longer has a gap that its own two ends tell of.
    private static let longestGap = 400

    let work: Workspace
    let progress: Progress
    let isStopping: () -> Bool

    /// One camera's object that is in the way does not keep the others.
    func run(_ cameras: [CameraName]) throws {
        for camera in cameras where !isStopping() {
            do {
                try expectGaps(camera)
                try write(camera)
                progress.clear(.summaries(camera))
            } catch let error where error.concernsOneOnly {
                progress.blame(.summaries(camera), error)
            }
        }
    }

    private func write(_ camera: CameraName) throws {
        var last: WallTime?
        while !isStopping() {
            let days = try work.catalog.changedDays(camera, after: last, limit: Self.page)
            for row in days where !isStopping() {
                if try isDue(camera, row) { try write(camera, row) }
            }
            guard let end = days.last?.day else { return }
            last = end
        }
    }

    private func write(_ camera: CameraName, _ row: DayRow) throws {
        var told = row
        told.generation += 1
        told.written = work.clock.now()
        do {
            try work.catalog.noteSummary(camera, try put(camera, told) ? told : row)
        } catch is SummaryWriter.TooLong {
            work.tell("summaryTooLong", camera, "\(row.day.rfc3339.prefix(10)) has more to tell than a summary can")
            told.generation = row.generation
            try work.catalog.noteSummary(camera, told)
        }
    }

    /// False when there is nothing to tell.
    private func put(_ camera: CameraName, _ row: DayRow) throws -> Bool {
        guard try isStored(camera, row.day) else { return false }
        let assets = try DayAssets(work, camera, of: row.day).all
        var isTold = false
        for asset in assets { isTold = try put(camera, row, asset, isOnly: assets.count == 1) || isTold }
        return isTold
    }

    /// Of footage that goes into files alone the store is told nothing.
    private func isStored(_ camera: CameraName, _ day: WallTime) throws -> Bool {
        if let configured = work.settings.cameras[camera] {
            return try configured.uploads || work.catalog.goesToStore(camera, day)
        }
        return try work.policy(camera).files == nil || work.catalog.goesToStore(camera, day)
    }

    /// One of several is read first: what happened to the day may be another asset's.
    private func put(_ camera: CameraName, _ row: DayRow, _ asset: String, isOnly: Bool) throws -> Bool {
        let writer = SummaryWriter(work: work, camera: camera, day: row.day, asset: asset)
        // No store can hold an asset of another name; nor has it any segments.
        guard let key = DocumentKey(.summary(asset: asset, day: row.day), of: work.settings.site) else { return false }
        let known = try isOnly ? nil : work.store.document(key).flatMap { Summary($0.bytes) }
        if let known, try writer.wouldWrite(known) { return true }
        let generation = max(row.generation, known?.generation.addingSaturated(1) ?? 0)
        guard let summary = try writer.compose(generation: generation, written: row.written ?? row.day) else {
            return false
        }
        _ = try work.store.putDocument(summary.bytes, as: key, if: .always)
        return true
    }

    /// The day that is under way, as summaries go: it changes in the first hours of the UTC day, at another moment for
    /// each site, so that a thousand boxes do not write at once.
    private func currentDay(_ now: WallTime) -> WallTime {
        let jitter = Int64(CRC32C(Array(work.settings.site.text.utf8)).value) % 3600
        return (now - .seconds(3600 + jitter)).startOfDay
    }

    private func isDue(_ camera: CameraName, _ row: DayRow) throws -> Bool {
        let now = work.clock.now()
        let today = currentDay(now)
        // Midnight may be past already.
        guard row.day != today, row.day != today + WallTime.dayLength else { return false }
        if let written = row.written, currentDay(written) == today { return false }
        guard row.day < today else { return work.settings.trustsClock || work.clock.isSynchronised() }
        return try now - row.day >= WallTime.dayLength * 2 || !work.catalog.waits(camera, row.day)
    }

    /// A day without a segment has a summary too, while its camera is configured: it tells the gap that spans it.
    private func expectGaps(_ camera: CameraName) throws {
        guard work.settings.cameras[camera] != nil else { return }
        let (today, note) = (currentDay(work.clock.now()), "summarised \(camera)")
        let noted = try work.catalog.note(note).flatMap { WallTime(rfc3339: $0) }
        // A clock that may be wrong makes no days up.
        guard noted != today, work.settings.trustsClock || work.clock.isSynchronised() else { return }
        let first = max(noted ?? .earliest, today - WallTime.dayLength * Int64(Self.longestGap))
        for row in try work.catalog.gaps(camera, from: first, to: today) {
            var day = max(first, row.gap.from).startOfDay
            let end = min(today, row.gap.to ?? today)
            while day < end {
                try work.catalog.expectSummary(camera, day)
                day = day + WallTime.dayLength
            }
        }
        try work.catalog.setNote(note, today.rfc3339)
    }
}
