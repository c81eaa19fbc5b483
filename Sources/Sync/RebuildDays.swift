import Catalog
import ObjectStore
import Recording

/// The days' summaries on a rebuild's way through the store: each is read once, when the listing comes to its day.
///
/// What a summary tells of gaps and of footage that is gone only it tells, and it is taken. What it tells of an object is
/// taken when the listing has the object, of that length. Used by one thread.
final class RebuildDays {
    private struct Place: Hashable {
        var asset: String
        var day: WallTime
    }

    static let reached = "summariesReadTo"
    private static let batch = 100

    private let work: Workspace
    /// By asset, ascending; those that were read are gone.
    private var waiting: [(place: Place, key: DocumentKey)] = []
    private var current: Place?
    private var summary: Summary?
    private var bytes: [UInt8] = []
    private var told: [String: SegmentRow] = [:]
    private var sessions: [Int64: SessionRow] = [:]
    private var entering: [StoredSegment] = []
    /// Objects that are there and could not be entered.
    private var left: Set<String> = []

    init(work: Workspace) { self.work = work }

    var isEmpty: Bool { waiting.isEmpty }

    /// Lists the summaries; `last` is the object that an earlier piece came to.
    func find(after last: ObjectKey?) throws {
        let read = try work.catalog.note(Self.reached)
        let documents = try work.store.documents(in: work.settings.site.text)
        for key in documents {
            if case .hold(let asset, _) = key.kind { try enterHold(key, asset) }
        }
        waiting = documents.compactMap { key in
            guard case .summary(let asset, let day) = key.kind else { return nil }
            // Of the day that was under way it is read again; those of assets that were done are gone by at the end.
            if let last, last.asset == asset, day < last.start.startOfDay { return nil }
            if let read, key.text <= read { return nil }
            return (Place(asset: asset, day: day), key)
        }.sorted { $0.key.text < $1.key.text }
    }

    /// Of every camera: also of one that nothing else tells of yet.
    private func enterHold(_ key: DocumentKey, _ asset: String) throws {
        do { try Holds(work: work, camera: nil).enter(key, asset) } catch let error as ObjectStoreError
            where error.scope == .object
        {
            work.tell("objectUnreadable", nil, "\(error)")
        }
    }

    /// The listing comes to this object: what its asset's summaries tell of earlier days is entered before.
    func reach(_ key: ObjectKey) throws {
        let place = Place(asset: key.asset, day: key.start.startOfDay)
        guard place != current else { return }
        try end()
        let due = waiting.filter { $0.place.asset == place.asset && $0.place.day <= place.day }
        waiting.removeAll { $0.place.asset == place.asset && $0.place.day <= place.day }
        for (earlier, document) in due { try begin(earlier, document) }
        if current != place { try begin(place, nil) }
    }

    /// Reads the next summary of those whose days have no objects.
    func next() throws {
        guard let (place, key) = waiting.first else { return }
        try begin(place, key)
        try end()
        try work.catalog.setNote(Self.reached, key.text)
        waiting.removeFirst()
    }

    /// True when the summary tells this object: then it is entered.
    func enter(_ key: ObjectKey, _ bytes: Int64) throws -> Bool {
        guard var row = told[key.text], row.bytes == bytes, let session = sessions[row.id.session] else {
            return false
        }
        guard case .free(let id) = try Placement(work: work).take(key, row.camera, row.id) else { return true }
        row.id = id
        entering.append(StoredSegment(row: row, session: session))
        if entering.count >= Self.batch { try flush() }
        return true
    }

    func leave(_ key: ObjectKey) { left.insert(key.text) }

    func flush() throws {
        guard let asset = current?.asset, !entering.isEmpty else { return }
        try work.catalog.enterStored(entering, asset: asset)
        entering = []
    }

    /// A summary that the store does not give out is no more than a hint.
    private func readable(_ document: DocumentKey) throws -> StoredDocument? {
        do { return try work.store.document(document) } catch let error as ObjectStoreError
            where error.scope == .object
        {
            work.tell("objectUnreadable", nil, "\(error)")
            return nil
        }
    }

    private func begin(_ place: Place, _ document: DocumentKey?) throws {
        try end()
        current = place
        guard let document, let found = try readable(document) else { return }
        guard let read = Summary(found.bytes) else {
            return work.tell("summaryDamaged", nil, "\(document); what it told is read from the objects of its day")
        }
        (summary, bytes) = (read, found.bytes)
        for row in read.lines.compactMap(\.segment) { told[row.key] = row }
        for row in read.lines.compactMap(\.sessionRow) { sessions[row.session] = row }
        for camera in Set(read.lines.compactMap { CameraName($0.camera) }) { try enterTold(by: read, camera, place) }
    }

    private func enterTold(by summary: Summary, _ camera: CameraName, _ place: Place) throws {
        let lines = summary.lines.filter { $0.camera == camera.text }
        var losses: [(row: SegmentRow, reason: String)] = []
        for var loss in lines.compactMap(\.loss) {
            guard let id = try work.catalog.place(camera, loss.row.id, startingAt: loss.row.start.wholeMilliseconds)
            else { continue }
            loss.row.id = id
            losses.append(loss)
        }
        try work.catalog.enterTold(
            camera, asset: place.asset, sessions: lines.compactMap(\.sessionRow), losses: losses,
            gaps: lines.compactMap(\.gap))
    }

    /// The listing has left the day.
    func end() throws {
        try flush()
        defer { (current, summary, bytes, told, sessions, left) = (nil, nil, [], [:], [:], []) }
        guard let place = current, let summary else { return }
        for row in told.values where !left.contains(row.key) { try miss(row) }
        for camera in Set(summary.lines.compactMap { CameraName($0.camera) }) {
            try settle(camera, place, summary)
        }
    }

    /// What the summary tells and the store does not have is gone; what could not be entered is there.
    private func miss(_ row: SegmentRow) throws {
        guard let key = ObjectKey(row.key),
            let place = try work.catalog.place(row.camera, row.id, startingAt: key.start),
            try work.catalog.segment(row.camera, place) == nil
        else { return }
        // A store that is away has nothing.
        if work.store.canVanish { try StoreIdentity(work: work).prepare() }
        guard try work.store.head(key) == nil else { return }
        var gone = row
        (gone.id, gone.media, gone.checksum, gone.state) = (place, MediaIndex(), nil, .evicted)
        try work.catalog.enterTold(
            row.camera, asset: key.asset, sessions: [], losses: [(gone, "vanished")], gaps: [])
        work.tell(
            "footageLost", row.camera,
            "\(row.start.rfc3339) \(row.duration.seconds) s: its day's summary tells it, the store does not have it")
    }

    /// A day of which the catalog now says what its summary does needs no other one.
    private func settle(_ camera: CameraName, _ place: Place, _ summary: Summary) throws {
        // A gap that spans it may be all that there is of it.
        try work.catalog.expectSummary(camera, place.day)
        guard let row = try work.catalog.day(camera, place.day) else { return }
        var told = row
        (told.generation, told.written) = (summary.generation, summary.written)
        let again = try SummaryWriter(work: work, camera: camera, day: place.day)
            .compose(generation: summary.generation, written: summary.written)
        if again?.bytes != bytes { told.changes = row.changes - 1 }
        try work.catalog.noteSummary(camera, told)
    }
}
