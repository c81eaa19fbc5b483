import Catalog
import FragmentedMP4
import ObjectStore
import Recording
import SegmentStore

/// What one camera's cache says of itself: names of files, and records of its worker's journal and of cvr-sync's ledger,
/// taken up as they come.
struct CacheSurvey {
    /// The journal's word for a segment: what its name does not tell.
    private struct Told {
        let start: WallTime
        let duration: TimeSpan
        let bytes: Int64
    }

    /// New files appear in the newest hours; all are listed as often as this.
    private static let whole = Duration.seconds(60)
    private static let recent = Duration.milliseconds(500)
    private static let lookBack = TimeSpan.seconds(4 * 3600)

    private let camera: Archive.Camera
    private let site: SiteName
    private var names: [SegmentFileName] = []
    private var listedAt: ContinuousClock.Instant?
    private var wholeAt: ContinuousClock.Instant?
    private var offset: Int64 = 0
    private var session: Int64 = 0
    /// Of sessions that have one of their own.
    private(set) var assets: [Int64: String] = [:]
    /// Where the ledger's next record begins.
    private var ledger: Int64 = 0
    private var told: [SegmentID: Told] = [:]
    /// By beginning; the last one may be open.
    private var gaps: [GapRow] = []
    /// Segments that were given up, those that follow one another as one.
    private var losses: [SegmentExtent] = []
    private var latest: CacheIndex?

    init(_ camera: Archive.Camera, site: SiteName) {
        self.camera = camera
        self.site = site
    }

    mutating func index(_ cache: CacheDirectory, now: WallTime) throws -> CacheIndex {
        if let latest, let listedAt, .now - listedAt < Self.recent { return latest }
        // The journal first: a record of a closed segment is written after its file has the final name.
        try readJournal(cache)
        try readLedger(cache)
        try list(cache, now: now)
        let index = CacheIndex(camera.name, rows: try rows(cache), losses: losses, gaps: gaps)
        (latest, listedAt) = (index, .now)
        return index
    }

    private mutating func list(_ cache: CacheDirectory, now: WallTime) throws {
        if let wholeAt, .now - wholeAt < Self.whole {
            let from = now - Self.lookBack
            let newer = try cache.names(from: from)
            let hour = WallTime(microseconds: from.microseconds - floorModulo(from.microseconds, 3_600_000_000))
            names = names.filter { $0.start < hour } + newer
        } else {
            names = try cache.names()
            wholeAt = .now
            let there = Set(names.map(\.id))
            told = told.filter { there.contains($0.key) }
        }
    }

    private mutating func readJournal(_ cache: CacheDirectory) throws {
        while true {
            let batch = try JournalReader.read(in: cache, from: offset)
            if batch.restarted, offset > 0 { (told, gaps, losses, session, ledger, assets) = ([:], [], [], 0, 0, [:]) }
            for record in batch.records { take(record) }
            offset = batch.next
            guard batch.hasMore else { return }
        }
    }

    private mutating func take(_ record: JournalRecord) {
        switch record.event {
        case .sessionStart(let number, _, _, _, let names):
            session = number
            if ObjectKey.isSafe(names.asset) { assets[number] = names.asset }
        case .segmentClosed(let id, let start, let duration, let bytes):
            told[id] = Told(start: start, duration: duration, bytes: bytes)
        case .evicted(let id, let start, let duration, _, let reason):
            guard reason != .verified else { return told[id] = nil }
            lose(SegmentPlace(start: start, id: id), duration, reason.rawValue)
        case .gapOpen(let from, let reason, let detail):
            close(at: from)
            let gap = Gap(from: from, to: nil, reason: reason, detail: detail)
            gaps.append(GapRow(sequence: record.sequence, session: session, gap: gap))
        case .gapClose(let to): close(at: to)
        case .segmentOpen, .segmentDiscarded, .sessionEnd, .handOver, .formatChange, .clockStep, .recovered,
            .checkpoint, .other:
            break
        }
    }

    /// cvr-sync's own facts: what it dropped or deleted, and since when this box records.
    private mutating func readLedger(_ cache: CacheDirectory) throws {
        while true {
            let (records, next) = try Ledger(cache: cache.path).read(from: ledger)
            guard next != ledger else { return }
            ledger = next
            for record in records {
                switch record {
                case .evicted(let session, let counter, let start, let duration, _, let reason):
                    let place = SegmentPlace(
                        start: WallTime(microseconds: start), id: SegmentID(session: session, counter: counter))
                    // A record may say anything: nothing ends after time does.
                    lose(place, max(.zero, min(TimeSpan(microseconds: duration), .latest - place.start)), reason)
                case .replaced(let from, let to):
                    let gap = Gap(
                        replacingBoxFrom: WallTime(microseconds: from), to: WallTime(microseconds: max(from, to)))
                    gaps.insert(GapRow(sequence: 0, session: 0, gap: gap), at: 0)
                case .policy, .filing, .written, .filed, .removed: break
                }
            }
        }
    }

    private mutating func close(at moment: WallTime) {
        guard let last = gaps.last, last.gap.to == nil else { return }
        gaps[gaps.endIndex - 1].gap.to = max(last.gap.from, moment)
    }

    private mutating func lose(_ place: SegmentPlace, _ duration: TimeSpan, _ reason: String) {
        told[place.id] = nil
        let lost = SegmentExtent(place: place, duration: duration, state: .evicted, reason: reason)
        guard let last = losses.last, last.reason == reason, last.end <= place.start,
            place.start - last.end < Gap.least
        else { return losses.append(lost) }
        losses[losses.endIndex - 1].duration = lost.end - last.place.start
    }

    /// What closed; a file that no record speaks of is read.
    private mutating func rows(_ cache: CacheDirectory) throws -> [SegmentRow] {
        try names.compactMap { name in
            guard name.stage == .closed else { return nil }
            if told[name.id]?.start.wholeMilliseconds != name.start { told[name.id] = try read(name, cache) }
            guard let known = told[name.id], known.bytes > 0 else { return nil }
            let asset = assets[name.id.session] ?? camera.asset
            let key = ObjectKey(site: site, asset: asset, start: name.start, counter: name.id.counter)
            return SegmentRow(
                camera: camera.name, id: name.id, key: key?.text ?? "", start: known.start, duration: known.duration,
                bytes: known.bytes, state: .closed, isLocal: true, isRead: false)
        }
    }

    /// Nil for what is gone; without bytes for what is no segment.
    private func read(_ name: SegmentFileName, _ cache: CacheDirectory) throws -> Told? {
        do {
            let (scan, bytes) = try SegmentScan.local(name, in: cache, checkingEveryByte: false)
            return Told(start: scan.start, duration: scan.duration, bytes: bytes)
        } catch let error as SegmentStoreError where error.isNoSuchFile {
            return nil
        } catch is MP4Error {
            return Told(start: name.start, duration: .zero, bytes: 0)
        }
    }
}
