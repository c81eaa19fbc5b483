import Catalog
import Footage
import Foundation
import ObjectStore
import Recording
import SegmentStore

/// Folds a camera's journal and ledger into the catalog, from where the last fold ended.
struct JournalFold {
    let work: Workspace
    let camera: CameraName
    let cache: CacheDirectory
    /// An earlier catalog may have brought to the store what the records speak of.
    let isDoubted: Bool

    /// `closed` hears of each segment that a new record of the journal tells of.
    func run(closed: (SegmentID) -> Void = { _ in }) throws {
        var row = try work.catalog.camera(camera) ?? CameraRow(name: camera, asset: "", retention: nil)
        let identity = identity()
        if row.identity != identity {
            // Another disk: what the former one held and its journal said is not what this one does.
            try work.catalog.leaveDisk(camera)
            try forget(&row)
            row.identity = identity
        }
        try foldLedger(&row)
        if let policy = work.settings.cameras[camera] {
            // A sink that is gone still has the files of its sessions to write.
            let files = policy.files ?? row.files
            if row.asset != policy.asset || row.retention != policy.retention || row.files != files {
                try Ledger(cache: cache.path).append(
                    .policy(
                        asset: policy.asset, retention: policy.retention?.microseconds, directory: files?.directory,
                        maximumBytes: files?.maximumBytes))
                try adopt(asset: policy.asset, policy.retention, files, &row)
                try work.catalog.save(row)
            }
        }
        try foldJournal(&row, closed)
    }

    private func identity() -> String {
        // An unreadable identity is none: the worker refuses such a cache, and says so.
        let text = try? Data(contentsOf: URL(filePath: cache.path + "/identity.json"))
        return String(decoding: text?.prefix(1024) ?? Data(), as: UTF8.self)
    }

    private func forget(_ row: inout CameraRow) throws {
        try work.catalog.forgetJournal(of: camera)
        row.journal = CameraRow.Position()
        row.ledger = 0
        try work.catalog.save(row)
    }

    private func adopt(asset: String, _ retention: TimeSpan?, _ files: FileSink?, _ row: inout CameraRow) throws {
        if row.asset != asset, !row.asset.isEmpty {
            let site = work.settings.site
            try work.catalog.rekey(camera, from: "\(site)/\(row.asset)/", to: "\(site)/\(asset)/")
        }
        row.asset = asset
        row.retention = retention
        row.files = files
    }

    private func foldJournal(_ row: inout CameraRow, _ closed: (SegmentID) -> Void) throws {
        var assets: [Int64: String] = [:]
        while true {
            let batch = try JournalReader.read(in: cache, from: row.journal.offset)
            if batch.restarted, row.journal.offset > 0 {
                try forget(&row)
                try foldLedger(&row)
            }
            if !batch.records.isEmpty || batch.next != row.journal.offset {
                var facts: [Fact] = []
                for record in batch.records { facts += try self.facts(record, &row, &assets) }
                row.journal.offset = batch.next
                try work.catalog.apply(facts, row, isDoubted: isDoubted)
                for case .segmentClosed(let id, _, _, _) in batch.records.map(\.event) { closed(id) }
            }
            guard batch.hasMore else { return }
        }
    }

    private func foldLedger(_ row: inout CameraRow) throws {
        while true {
            let (records, next) = try Ledger(cache: cache.path).read(from: row.ledger)
            guard next != row.ledger else { return }
            for record in records {
                switch record {
                case .policy(let asset, let retention, let directory, let maximumBytes):
                    let files = directory.map { FileSink(directory: $0, maximumBytes: maximumBytes) }
                    try adopt(asset: asset, retention.map { TimeSpan(microseconds: $0) }, files, &row)
                case .evicted(let session, let counter, let start, let duration, let bytes, let reason):
                    let eviction = EvictionRow(
                        id: SegmentID(session: session, counter: counter), start: WallTime(microseconds: start),
                        duration: TimeSpan(microseconds: duration), bytes: bytes, reason: reason)
                    let asset = try work.catalog.session(camera, session)?.asset ?? ""
                    try work.catalog.apply(evicted(eviction, asset, row), row, isDoubted: isDoubted)
                case .replaced(let from, let to):
                    let (from, to) = (WallTime(microseconds: from), WallTime(microseconds: to))
                    try work.catalog.enterGap(Gap(replacingBoxFrom: from, to: to), session: 0, camera)
                case .filing(let file): try work.catalog.save(SinkFile(file), of: camera)
                case .written(let path): try work.catalog.noteWritten(camera, path: path)
                case .filed(let session): try work.catalog.noteFiled(camera, session: session)
                case .removed(let path): try work.catalog.forgetFile(camera, path: path)
                }
            }
            row.ledger = next
            try work.catalog.save(row)
        }
    }

    /// `assets` are of the sessions that began in the records so far.
    private func facts(
        _ record: JournalRecord, _ row: inout CameraRow, _ assets: inout [Int64: String]
    ) throws -> [Fact] {
        switch record.event {
        case .sessionStart(let number, let anchor, let quality, let codecs, let names):
            row.journal.session = number
            // No store can hold another name: the camera's own asset does.
            let safe = ObjectKey.isSafe(names.asset) ? names.asset : ""
            assets[number] = safe
            var session = SessionRow(session: number, anchor: anchor, quality: quality, codecs: codecs)
            (session.asset, session.file) = (safe, names.file)
            let isOfFile = !names.file.isEmpty || work.settings.cameras[camera]?.uploads == false
            session.goesToStore = !names.asset.isEmpty || !isOfFile
            return [.sessionStarted(session)]
        case .sessionEnd(let session, let end, let reason):
            return [.sessionEnded(session: session, end: end, reason: reason)]
        case .segmentClosed(let id, let start, let duration, let bytes):
            let asset = try asset(of: id, assets)
            let key = work.key(row, asset: asset, start: start, id)
            return [.segmentClosed(id, key: key, start: start, duration: duration, bytes: bytes)]
        case .handOver(let session, let handOver):
            return [.sessionEnded(session: session, end: handOver.at, reason: .upgrade)]
        case .gapOpen(let from, let reason, let detail):
            let gap = Gap(from: from, to: nil, reason: reason, detail: detail)
            return [.gapOpened(GapRow(sequence: record.sequence, session: row.journal.session, gap: gap))]
        case .gapClose(let to):
            return [.gapClosed(to: to)]
        case .evicted(let id, let start, let duration, let bytes, let reason):
            return evicted(
                EvictionRow(id: id, start: start, duration: duration, bytes: bytes, reason: reason.rawValue),
                try asset(of: id, assets), row)
        case .segmentOpen, .segmentDiscarded, .formatChange, .clockStep, .recovered, .checkpoint, .other:
            return []
        }
    }

    private func asset(of id: SegmentID, _ assets: [Int64: String]) throws -> String {
        try assets[id.session] ?? work.catalog.session(camera, id.session)?.asset ?? ""
    }

    /// An eviction also says that the segment was there: with another journal gone, it alone.
    private func evicted(_ eviction: EvictionRow, _ asset: String, _ row: CameraRow) -> [Fact] {
        let key = work.key(row, asset: asset, start: eviction.start, eviction.id)
        return [
            .segmentClosed(
                eviction.id, key: key, start: eviction.start, duration: eviction.duration, bytes: eviction.bytes),
            .evicted(eviction),
        ]
    }
}
