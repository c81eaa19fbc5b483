import Catalog
import FragmentedMP4
import ObjectStore
import Recording
import SegmentStore
import Synchronization

/// The end of one camera's cache: the segment that grows, and those that closed since the catalog was last written.
///
/// Looked at twice a second at most; a segment's structure is read once, and what is appended to it as it comes.
final class CacheTail: Sendable {
    private static let interval = Duration.milliseconds(500)
    /// As far as a segment reaches: the catalog looks back as far.
    private static let lookBack = TimeSpan.seconds(4 * 3600)

    private struct State {
        var news: [SegmentRow] = []
        var lookedAt: ContinuousClock.Instant?
        /// By session and counter: what the index did not know at the last look.
        var readers: [SegmentFileName: TailReader] = [:]
        /// Only asked while there is no catalog.
        var survey: CacheSurvey?
        /// Of sessions that have one of their own, as far back as the index does not know them.
        var assets: [Int64: String] = [:]
        /// Where the journal's next record begins that tells of them.
        var journal: Int64?
    }

    let camera: Archive.Camera
    private let site: SiteName
    private let path: String
    private let state = Mutex(State())

    init(_ camera: Archive.Camera, site: SiteName, path: String) {
        (self.camera, self.site, self.path) = (camera, site, path)
    }

    /// Rows of what the index does not know, by start, as of a moment ago at most.
    func news(_ index: any FootageIndex, now: WallTime) throws -> [SegmentRow] {
        try state.withLock { state in
            if let at = state.lookedAt, .now - at < Self.interval { return state.news }
            do {
                try look(&state, index, now: now)
            } catch let error as SegmentStoreError where error.isNoSuchFile {
                // Removed, or its disk is not mounted: nothing of it can be told.
                (state.news, state.readers) = ([], [:])
            }
            state.lookedAt = .now
            return state.news
        }
    }

    /// The whole cache, as its names and its journal tell it, with the assets of sessions that have one of their own.
    func index(now: WallTime) throws -> (index: CacheIndex, assets: [Int64: String]) {
        try state.withLock { state in
            var survey = state.survey ?? CacheSurvey(camera, site: site)
            do {
                let index = try survey.index(try CacheDirectory(path: path, camera: camera.name), now: now)
                state.survey = survey
                return (index, survey.assets)
            } catch let error as SegmentStoreError where error.isNoSuchFile {
                return (CacheIndex(camera.name), [:])
            }
        }
    }

    /// The segment that its worker appends to, as of now; nil when there is none.
    func growing(_ index: any FootageIndex, now: WallTime) throws -> SegmentRow? {
        let known = state.withLock { state in state.readers.keys.filter(\.isPartial).max { $0.id < $1.id } }
        if let known, let row = try refreshed(known), row.state == .recording { return row }
        state.withLock { $0.lookedAt = nil }
        return try news(index, now: now).last { $0.state == .recording }
    }

    private func look(_ state: inout State, _ index: any FootageIndex, now: WallTime) throws {
        let cache = try CacheDirectory(path: path, camera: camera.name)
        let newest = try index.footage(camera.name)?.last ?? .earliest
        let from = min(newest, now) - Self.lookBack
        let known = Set(try extents(index, from: from).map(\.place.id))
        let names = try cache.names(from: from).filter { $0.stage != .suspect && !known.contains($0.id) }
        // A partial that closed meanwhile has another name, and goes on being read.
        if !names.isEmpty { try readAssets(&state, index as? Catalog, cache) }
        var readers: [SegmentFileName: TailReader] = [:]
        for name in names { readers[name] = state.readers[name] ?? state.readers[name.with(stage: .partial)] }
        var rows: [SegmentRow] = []
        for name in names {
            let asset = try asset(of: name.id, &state, index as? Catalog)
            guard let row = try row(name, cache, &readers, asset) else { continue }
            rows.append(row)
        }
        state.readers = readers
        state.news = rows.sorted { ($0.start, $0.id) < ($1.start, $1.id) }
    }

    private func extents(_ index: any FootageIndex, from: WallTime) throws -> [SegmentExtent] {
        var all: [SegmentExtent] = []
        while true {
            let page = try index.extents(camera.name, from: from, to: nil, after: all.last?.place, limit: 10_000)
            guard !page.isEmpty else { return all }
            all += page
        }
    }

    private func refreshed(_ name: SegmentFileName) throws -> SegmentRow? {
        try state.withLock { state in
            let cache = try CacheDirectory(path: path, camera: camera.name)
            let asset = state.assets[name.id.session] ?? camera.asset
            return try row(name, cache, &state.readers, asset)
        }
    }

    /// Of the sessions that the catalog has not come to.
    private func readAssets(_ state: inout State, _ catalog: Catalog?, _ cache: CacheDirectory) throws {
        var offset = try state.journal ?? catalog?.camera(camera.name)?.journal.offset ?? 0
        while true {
            let batch = try JournalReader.read(in: cache, from: offset)
            for case .sessionStart(let session, _, _, _, let names) in batch.records.map(\.event)
            where ObjectKey.isSafe(names.asset) {
                state.assets[session] = names.asset
            }
            offset = batch.next
            guard batch.hasMore else { break }
        }
        state.journal = offset
    }

    /// Remembered: what grows is asked for again and again.
    private func asset(of id: SegmentID, _ state: inout State, _ catalog: Catalog?) throws -> String {
        if let known = state.assets[id.session] { return known }
        let told = try catalog?.session(camera.name, id.session)?.asset ?? ""
        state.assets[id.session] = ObjectKey.isSafe(told) ? told : camera.asset
        return state.assets[id.session] ?? camera.asset
    }

    /// Nil for what is no segment, or is gone.
    private func row(
        _ name: SegmentFileName, _ cache: CacheDirectory, _ readers: inout [SegmentFileName: TailReader],
        _ asset: String
    ) throws -> SegmentRow? {
        do {
            let file = try cache.open(name)
            var reader = try readers[name] ?? TailReader(name, file)
            try reader.goOn(file)
            readers[name] = reader
            let key = ObjectKey(site: site, asset: asset, start: name.start, counter: name.id.counter)
            return reader.row(camera.name, key: key?.text ?? "", isPartial: name.isPartial)
        } catch is MP4Error {
            return nil  // Its init part is not written yet.
        } catch let error as SegmentStoreError where error.isNoSuchFile {
            return nil
        }
    }
}

/// What was read of a segment that its worker appends to, to go on from there.
private struct TailReader {
    private let named: WallTime
    private var reader: SegmentReader
    private var length: Int64

    init(_ name: SegmentFileName, _ file: SegmentFile) throws {
        named = name.start
        length = try file.length()
        reader = try SegmentScan.growing(file, length: length)
    }

    mutating func goOn(_ file: SegmentFile) throws {
        let now = try file.length()
        guard now != length else { return }
        try reader.extend(length: now) { try file.read(at: $0, count: $1) }
        length = now
    }

    func row(_ camera: CameraName, key: String, isPartial: Bool) -> SegmentRow {
        // Closed under a name that was taken as a partial's: it is whole.
        let isGrowing = isPartial && !reader.isComplete
        return SegmentScan(reader, named: named).row(
            camera, key: key, bytes: isGrowing ? reader.mediaEnd : length, state: isGrowing ? .recording : .closed,
            isLocal: true)
    }
}
