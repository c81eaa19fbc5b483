import Catalog
import ObjectStore
import Recording

/// The audit that runs by itself: about one in a hundred verified segments a day, by one HEAD each.
///
/// Fresh footage is left alone: its upload was verified a moment ago. What has not been asked for yet is forgotten when
/// the process ends.
struct SampledAudit {
    /// What it remembers from pass to pass.
    package struct Credit: Hashable, Sendable {
        var last: MonotonicTime?
        var counted: MonotonicTime?
        /// By camera: verified segments of at least a day.
        var counts: [CameraName: Int64] = [:]
        var looks = 0.0
    }

    private static let sharePerDay = 0.01
    private static let recount = TimeSpan.seconds(3600)
    /// A pass has more to do; what a long outage put off is not made up for.
    private static let most = 20.0

    let work: Workspace
    let progress: Progress

    func run(_ cameras: [CameraName], isStopping: () -> Bool) throws {
        var credit = progress.current.audit
        try count(cameras, &credit)
        let now = work.clock.monotonic()
        let passed = credit.last.map { (now - $0).seconds } ?? 0
        let total = credit.counts.values.reduce(0, +)
        credit.last = now
        credit.looks = min(Self.most, credit.looks + Double(total) * Self.sharePerDay * passed / 86_400)
        while credit.looks >= 1, !isStopping() {
            credit.looks -= 1
            if let camera = pick(credit.counts, of: total) { try look(camera) }
        }
        let kept = credit
        progress.update { $0.audit = kept }
    }

    private func count(_ cameras: [CameraName], _ credit: inout Credit) throws {
        let now = work.clock.monotonic()
        guard credit.counted.map({ now - $0 >= Self.recount }) ?? true else { return }
        credit.counted = now
        credit.counts = [:]
        for camera in cameras { credit.counts[camera] = try work.catalog.verified(camera, before: dayAgo)?.count }
    }

    private var dayAgo: WallTime { work.clock.now() - WallTime.dayLength }

    /// By how many each has.
    private func pick(_ counts: [CameraName: Int64], of total: Int64) -> CameraName? {
        guard total > 0 else { return nil }
        var rest = Int64.random(in: 0..<total)
        for (camera, count) in counts {
            if rest < count { return camera }
            rest -= count
        }
        return nil
    }

    private func look(_ camera: CameraName) throws {
        guard let range = try work.catalog.verified(camera, before: dayAgo) else { return }
        let moment = Int64.random(in: range.first.microseconds...range.last.microseconds)
        guard let row = try work.catalog.verified(camera, from: WallTime(microseconds: moment)),
            let key = ObjectKey(row.key)
        else { return }
        let audit = Audit(
            work: work, progress: progress, camera: camera, isDeep: false, isStopping: { false }, findings: Findings())
        do {
            guard let stored = try work.store.head(key) else { return try audit.miss(row) }
            // Asked twice: one answer may be damaged on its way, and a quarantine lasts.
            guard Self.difference(stored, row) != nil, let again = try work.store.head(key),
                let why = Self.difference(again, row)
            else { return }
            try audit.quarantine(row, why)
        } catch let error where error.concernsOneOnly {
            progress.blame(.audit(camera), error)
        }
    }

    private static func difference(_ stored: StoredObject, _ row: SegmentRow) -> String? {
        if stored.bytes != row.bytes { return "the object has \(stored.bytes) bytes, not \(row.bytes)" }
        guard let sum = stored.metadata?.checksum, sum != row.checksum else { return nil }
        return "the object's metadata tells another checksum"
    }
}
