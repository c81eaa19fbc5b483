import Catalog
import FragmentedMP4
import ObjectStore
import Recording
import Synchronization

/// The footage of a site in a store: its assets, and their days, of which the newest asked for are remembered.
///
/// Of a day that is over its summary tells, if there is one; of every other one a listing, made anew every few seconds
/// while the day goes on. A store that does not answer, or is another one, is an error and never empty.
final class StoreFootage: Sendable {
    let site: SiteName
    let store: any ObjectStore
    private let now: @Sendable () -> WallTime
    private let state = Mutex(State())
    /// One thread at a time reads one day; the others wait for what it finds.
    private let turns = (0..<16).map { _ in Turn() }

    init(site: SiteName, store: any ObjectStore, now: @escaping @Sendable () -> WallTime) {
        (self.site, self.store, self.now) = (site, store, now)
    }

    /// Asks the store for nothing before it is asked itself.
    func index(_ camera: Archive.Camera) -> AssetsIndex { AssetsIndex(self, camera) }

    /// As `index`; of an activation's asset that alone.
    func part(_ camera: Archive.Camera) -> any FootageIndex {
        camera.isActivation ? StoreIndex(self, camera) : index(camera)
    }

    private struct DayKey: Hashable {
        let asset: String
        let day: WallTime
    }

    /// As of a moment.
    private struct Aged<Value> {
        var value: Value
        var at = ContinuousClock.now

        func isYounger(than age: Duration) -> Bool { .now - at < age }
    }

    private struct Listed {
        var listing: DayListing
        var day: StoredDay
        /// When all of it was listed, not only what is new.
        var wholeAt = ContinuousClock.now
    }

    /// Some 200 MB at most, whatever lies in the store: what is remembered is weighed in segments of some 100 bytes.
    private struct State {
        /// Why it did not answer.
        var away: Aged<ArchiveError>?
        var assets: Aged<[String]>?
        var cameras = Recent<String, CameraName>(limit: 4096)
        /// Assets without any object; nil where their names are no camera's.
        var vacant = Recent<String, Aged<CameraName?>>(limit: 4096)
        var days = Recent<String, Aged<[WallTime]>>(limit: 1 << 20) { $0.value.count }
        /// Nil where there is no summary.
        var told = Recent<DayKey, Aged<StoredDay?>>(limit: 600_000) { 10 + ($0.value?.weight ?? 0) }
        var listed = Recent<DayKey, Aged<Listed>>(limit: 200_000) { 10 + $0.value.day.weight }
        /// In bytes.
        var summaries = Recent<DayKey, Summary>(limit: 64 << 20) { $0.bytes.count }
        var hasObjects = Recent<DayKey, Aged<Bool>>(limit: 32_768)
        var looks = Recent<String, DayListing.Look>(limit: 32_768) { 2 + $0.gaps.count }
        var gaps = Recent<String, Gap?>(limit: 4096)
    }

    private final class Turn: Sendable {
        let lock = Mutex(())
    }

    /// A day that is going on, or a list of what there is.
    private static let fresh = Duration.seconds(3)
    /// A summary is written again at most once a day.
    private static let settled = Duration.seconds(600)
    /// Uploads of a backlog come before what is there.
    private static let whole = Duration.seconds(60)
    /// Before a store that did not answer is asked again, by those who can do without it.
    private static let patience = Duration.seconds(10)
    /// More than the longest segment: what starts so long before a range may reach into it.
    static let lookBack = TimeSpan.seconds(4 * 3600)
}

/// Assets and their cameras.
extension StoreFootage {
    /// By name, each with the asset that it was recorded into last; activations are none of these.
    func cameras() throws -> [Archive.Camera] {
        try Dictionary(grouping: archived(), by: \.name)
            .map { name, all in
                let assets = all.filter { !$0.isActivation }
                let last =
                    try assets.count < 2 ? assets.first : assets.max { try footageEnd($0.asset) < footageEnd($1.asset) }
                return last ?? Archive.Camera(name: name, asset: name.text)
            }
            .sorted { $0.name < $1.name }
    }

    /// Those that a camera was recorded into: another `assetNamePattern` is another asset.
    func assets(of camera: CameraName) throws -> [String] {
        try archived().filter { $0.name == camera }.map(\.asset)
    }

    /// Every asset with its camera.
    private func archived() throws -> [Archive.Camera] {
        try inParallel(assets()) { asset in try self.camera(ofAsset: asset) }.compactMap(\.self)
    }

    /// As far as its last day tells, summaries of what is gone included.
    private func footageEnd(_ asset: String) throws -> WallTime {
        try days(of: asset).last.flatMap { try day(asset, $0).end } ?? .earliest
    }

    /// Its newest day is this one or the last: what a camera is recorded into now.
    func isInUse(_ asset: String) throws -> Bool {
        try days(of: asset).last.map { now() - $0 < .seconds(2 * 86_400) } ?? false
    }

    private func assets() throws -> [String] {
        if let known = state.withLock({ $0.assets }), known.isYounger(than: Self.fresh) { return known.value }
        let names = try store.folders(in: site.text).filter { ObjectKey.isSafe($0) }
        if names.isEmpty { try checkEmptiness() }
        state.withLock { $0.assets = Aged(value: names) }
        return names
    }

    /// An unmounted disk and a misspelt site look empty: nothing is recorded yet where the site has its mark, in a folder
    /// of its own that is there, and in a service that has no site at all.
    private func checkEmptiness() throws {
        guard try !isThere(), try !store.holds(site.text) else { return }
        // A process that is shut in may not look beside its site's folder; their names are not for this site's viewers.
        let sites = (try? store.folders(in: "").filter { SiteName($0) != nil }.count) ?? 0
        guard sites > 0 || store.canVanish else { return }
        let others = sites == 0 ? "" : ", but \(sites) others"
        throw ArchiveError(
            code: .unavailable, message: "the store has no site \(site)" + others,
            nextStep:
                "correct the site or the path in the store's URL, mount the disk, or let the site's box bring its "
                + "first segment there")
    }

    /// Why the store tells nothing now; nil when it does.
    ///
    /// While it is away one caller in ten seconds asks it, which may take as long as the network lets it.
    func trouble(asking asset: String) throws -> ArchiveError? {
        let known = state.withLock { state -> ArchiveError? in
            if let away = state.away, away.isYounger(than: Self.patience) { return away.value }
            state.away?.at = .now
            return nil
        }
        if let known { return known }
        let found: ArchiveError?
        do {
            _ = try days(of: asset)
            found = nil
        } catch let error as ArchiveError {
            found = error
        } catch let error as ObjectStoreError where error.scope != .object {
            found = ArchiveError(error)
        }
        state.withLock { $0.away = found.map { Aged(value: $0) } }
        return found
    }

    /// The site has its mark.
    func isThere() throws -> Bool {
        try DocumentKey(.mark, of: site).map { try store.document($0) != nil } ?? false
    }

    /// By what its newest object says; nil for one that has none, and no name of ours.
    ///
    /// `isNew`: nobody has listed it.
    func camera(ofAsset asset: String, isNew: Bool = false) throws -> Archive.Camera? {
        if let known = state.withLock({ $0.cameras[asset] }) { return Archive.Camera(name: known, asset: asset) }
        if isNew, try !assets().contains(asset) { return nil }
        if let known = state.withLock({ $0.vacant[asset] }),
            known.isYounger(than: try isInUse(asset) ? Self.fresh : Self.whole)
        {
            return known.value.map { Archive.Camera(name: $0, asset: asset) }
        }
        var found: CameraName?
        for day in try days(of: asset).suffix(3).reversed() where found == nil {
            guard let key = try firstObject(asset, day) else { continue }
            found = try store.head(key)?.metadata.flatMap { CameraName($0.camera) }
        }
        // One that is empty now may be another camera's tomorrow.
        guard let found else {
            let name = try summarised(asset) ?? CameraName(asset)
            state.withLock { $0.vacant[asset] = Aged(value: name) }
            return name.map { Archive.Camera(name: $0, asset: asset) }
        }
        state.withLock { $0.cameras[asset] = found }
        return Archive.Camera(name: found, asset: asset)
    }

    /// Whose last summary is in an asset without objects: what retention emptied, or what tells of activations alone.
    private func summarised(_ asset: String) throws -> CameraName? {
        guard let day = try days(of: asset).last else { return nil }
        return try readSummary(DayKey(asset: asset, day: day))?.camera
    }
}

/// Days.
extension StoreFootage {
    /// The first moments of the days that there is a folder of, ascending.
    func days(of asset: String) throws -> [WallTime] {
        if let known = state.withLock({ $0.days[asset] }),
            known.isYounger(than: known.value.last.map { isLongOver($0) } ?? false ? Self.whole : Self.fresh)
        {
            return known.value
        }
        let days = try store.folders(in: "\(site)/\(asset)").compactMap { WallTime(rfc3339: "\($0)T00:00:00Z") }
            .sorted()
        if days.isEmpty { try checkEmptiness() }
        state.withLock { $0.days[asset] = Aged(value: days) }
        return days
    }

    /// Whether a day has objects still, not only a summary of what there was.
    func hasObjects(_ asset: String, _ day: WallTime) throws -> Bool {
        let key = DayKey(asset: asset, day: day)
        if let known = state.withLock({ $0.hasObjects[key] }),
            known.isYounger(than: isOver(day) ? Self.settled : Self.fresh)
        {
            return known.value
        }
        let found = try firstObject(asset, day) != nil
        state.withLock { $0.hasObjects[key] = Aged(value: found) }
        return found
    }

    private func firstObject(_ asset: String, _ day: WallTime) throws -> ObjectKey? {
        struct Found: Error { let key: ObjectKey }
        do {
            try store.list(folder(asset, day), after: nil, skipped: { throw $0 }) { key, _ in throw Found(key: key) }
            return nil
        } catch let found as Found {
            return found.key
        }
    }

    /// What the store tells of a day.
    func day(_ asset: String, _ day: WallTime) throws -> StoredDay {
        let key = DayKey(asset: asset, day: day)
        let turn = turns[Int(key.hashValue.magnitude % UInt(turns.count))]
        return try turn.lock.withLock { _ in
            if isOver(day), let told = try told(key) { return told }
            return try listed(key)
        }
    }

    /// As its summary tells it; nil without one that can be read.
    private func told(_ key: DayKey) throws -> StoredDay? {
        if let known = state.withLock({ $0.told[key] }),
            known.isYounger(than: known.value == nil ? Self.whole : Self.settled)
        {
            return known.value
        }
        let summary = try readSummary(key)
        let day = summary.map { StoredDay($0) }
        state.withLock { state in
            state.told[key] = Aged(value: day)
            if let summary { state.summaries[key] = summary }
        }
        return day
    }

    private func readSummary(_ key: DayKey) throws -> Summary? {
        guard let document = DocumentKey(.summary(asset: key.asset, day: key.day), of: site) else { return nil }
        do {
            return try store.document(document).flatMap { Summary($0.bytes) }
        } catch let error as ObjectStoreError where error.scope == .object {
            return nil  // Too long, or unreadable: the objects say the same.
        }
    }

    /// The summary that a day was made of; nil when there is another one by now.
    func summary(_ asset: String, _ day: WallTime, generation: Int64) throws -> Summary? {
        let key = DayKey(asset: asset, day: day)
        if let known = state.withLock({ $0.summaries[key] }), known.generation == generation { return known }
        guard let summary = try readSummary(key), summary.generation == generation else { return nil }
        state.withLock { $0.summaries[key] = summary }
        return summary
    }

    private func listed(_ key: DayKey) throws -> StoredDay {
        let known = state.withLock { $0.listed[key] }
        if let known, known.isYounger(than: isOver(key.day) ? Self.whole : Self.fresh) { return known.value.day }
        // What was listed before is passed over, but for a look at all of it now and then.
        let goesOn = known.map { .now - $0.value.wholeAt < Self.whole } ?? false
        var listing = goesOn ? known?.value.listing ?? DayListing() : DayListing()
        var found: [DayListing.Object] = []
        try store.list(folder(key.asset, key.day), after: listing.last, skipped: { throw $0 }) { object, bytes in
            found.append(DayListing.Object(key: object, bytes: bytes))
        }
        listing.add(found)
        let day = try listing.day { try self.look($0) }
        let wholeAt = goesOn ? known?.value.wholeAt ?? .now : .now
        state.withLock { $0.listed[key] = Aged(value: Listed(listing: listing, day: day, wholeAt: wholeAt)) }
        return day
    }

    /// A day is over when what was recorded in it has had time to come.
    private func isOver(_ day: WallTime) -> Bool { day + .seconds(86_400) < now() }

    /// Nothing is expected to come into an asset that nothing came into for a day and more: a camera of many activations
    /// has as many assets, and each costs a request.
    private func isLongOver(_ day: WallTime) -> Bool { day + .seconds(2 * 86_400) < now() }

    private func folder(_ asset: String, _ day: WallTime) -> String { "\(site)/\(asset)/\(day.rfc3339.prefix(10))" }
}

/// What only an object itself tells.
extension StoreFootage {
    /// By one request for an object of ours, by its own bytes for one whose metadata was lost; nil for what is no segment.
    private func look(_ object: DayListing.Object) throws -> DayListing.Look? {
        if let known = state.withLock({ $0.looks[object.key.text] }) { return known }
        guard let found = try lookUp(object) else { return nil }
        state.withLock { $0.looks[object.key.text] = found }
        return found
    }

    private func lookUp(_ object: DayListing.Object) throws -> DayListing.Look? {
        if let stored = try store.head(object.key)?.metadata, stored.session > 0, stored.duration >= 0 {
            return DayListing.Look(
                session: stored.session, duration: TimeSpan(seconds: stored.duration),
                gaps: stored.gaps(in: object.key.start.startOfDay))
        }
        do {
            let reads = BufferedReads(256 << 10) { try self.store.read(object.key, offset: $0, count: $1) }
            let reader = try SegmentReader(length: object.bytes, verifyChecksums: false) { try reads.read($0, $1) }
            return DayListing.Look(SegmentScan(reader, named: object.key.start))
        } catch is MP4Error {
            return nil
        } catch let error as ObjectStoreError where error.scope == .object {
            return nil  // Deleted since it was listed.
        }
    }

    /// The gap that ended with the first object of a session, as that tells it.
    func gapBefore(_ key: ObjectKey) throws -> Gap? {
        if let known = state.withLock({ $0.gaps[key.text] }) { return known }
        let gap: Gap?
        do {
            let start = try store.read(key, offset: 0, count: 64 << 10)
            gap = try SegmentReader(length: Int64(start.count), verifyChecksums: false) { offset, count in
                Array(start.dropFirst(Int(clamping: offset)).prefix(count))
            }.info.gapBefore
        } catch is MP4Error {
            gap = nil
        } catch let error as ObjectStoreError where error.scope == .object {
            gap = nil
        }
        state.withLock { $0.gaps[key.text] = .some(gap) }
        return gap
    }
}

extension DayListing.Look {
    fileprivate init(_ scan: SegmentScan) {
        let session = scan.info.id.session
        let row = scan.row(scan.info.camera, key: "", bytes: 0, state: .uploaded, isLocal: false)
        self.init(
            session: session, duration: scan.duration,
            gaps: row.silences.map { GapRow(silence: $0, of: session).gap })
    }
}
