import Catalog
import Footage
import ObjectStore
import Recording

/// One asset's day on a rebuild's way through the store.
///
/// What its summary tells of gaps and of footage that is gone only it tells, and it is taken. What it tells of an object is
/// taken when the listing has the object, of that length. In memory is the summary as it was read, not what it means. Used
/// by one thread.
final class RebuildDay {
    private static let batch = 100

    let document: DocumentKey
    let asset: String
    /// Its first moment.
    let day: WallTime
    /// Where its objects are listed.
    var folder: String { String(document.text.dropLast("/summary.ndjson".count)) }

    private let work: Workspace
    private var summary: Summary?
    /// The lines of segments that the listing has not come to, by key.
    private var told: [String: Range<Int>] = [:]
    /// Of every camera that the summary tells of.
    private var sessions: [CameraName: [Int64: SessionRow]] = [:]
    private var entering: [StoredSegment] = []

    /// Nil for a document that is no summary; reads nothing.
    init?(work: Workspace, document: DocumentKey) {
        guard case .summary(let asset, let day) = document.kind else { return nil }
        (self.work, self.document, self.asset, self.day) = (work, document, asset, day)
    }

    /// Reads the summary, and enters what only it tells.
    func begin() throws {
        guard let read = try readable() else { return }
        var rest: [CameraName: Told] = [:]
        try read.eachLine { line, range in
            guard let camera = CameraName(line.camera) else { return }
            if line.kind == "segment", let key = line.key { told[key] = range }
            try rest[camera, default: Told()].add(line) { try enterTold($0, camera) }
        }
        for (camera, told) in rest { try enterTold(told, camera) }
        summary = read
    }

    /// What a summary tells of one camera besides its objects, as much as is entered at a time.
    private struct Told {
        var sessions: [SessionRow] = []
        var losses: [(row: SegmentRow, reason: String)] = []
        var gaps: [GapRow] = []

        /// Gaps end with what is known to come after them: they are kept for the last.
        mutating func add(_ line: SummaryLine, full: (Told) throws -> Void) rethrows {
            if let row = line.sessionRow { sessions.append(row) }
            if let loss = line.loss { losses.append(loss) }
            if let gap = line.gap { gaps.append(gap) }
            guard losses.count >= RebuildDay.batch else { return }
            try full(Told(sessions: sessions, losses: losses))
            (sessions, losses) = ([], [])
        }
    }

    private func enterTold(_ told: Told, _ camera: CameraName) throws {
        // Two boxes may have given one number: which session is meant only the objects say.
        let clear = Dictionary(grouping: told.sessions, by: \.session).values.filter { $0.count == 1 }.flatMap { $0 }
        var known = sessions.removeValue(forKey: camera) ?? [:]
        for row in clear { known[row.session] = row }
        sessions[camera] = known
        var losses: [(row: SegmentRow, reason: String)] = []
        for var loss in told.losses {
            guard let id = try work.catalog.place(camera, loss.row.id, startingAt: loss.row.start.wholeMilliseconds)
            else { continue }
            loss.row.id = id
            losses.append(loss)
        }
        try work.catalog.enterTold(
            camera, asset: asset, sessions: clear.sorted { $0.session < $1.session }, losses: losses, gaps: told.gaps)
    }

    /// A summary that the store does not give out, or that is damaged, is no more than a hint.
    private func readable() throws -> Summary? {
        do {
            guard let found = try work.store.document(document) else { return nil }
            if let read = Summary(found.bytes) { return read }
            work.tell("summaryDamaged", nil, "\(document); what it told is read from the objects of its day")
        } catch let error as ObjectStoreError where error.scope == .object {
            work.tell("objectUnreadable", nil, "\(error)")
        }
        return nil
    }

    /// True when the summary tells this object: then it is entered.
    func enter(_ key: ObjectKey, _ bytes: Int64) throws -> Bool {
        guard let line = told.removeValue(forKey: key.text), var row = summary?.line(line)?.segment,
            row.bytes == bytes, let session = sessions[row.camera]?[row.id.session]
        else { return false }
        guard case .free(let id) = try Placement(work: work).take(key, row.camera, row.id) else { return true }
        row.id = id
        entering.append(StoredSegment(row: row, session: session))
        if entering.count >= Self.batch { try flush() }
        return true
    }

    func flush() throws {
        guard !entering.isEmpty else { return }
        try work.catalog.enterStored(entering, asset: asset)
        entering = []
    }

    /// The listing has come to the day's end: what was told and not listed is gone.
    func end(_ piece: RebuildPiece) throws {
        try flush()
        guard let summary else { return }
        for line in told.values { if let row = summary.line(line)?.remains { try miss(row, piece) } }
        for camera in sessions.keys { try settle(camera, summary) }
    }

    /// What the summary tells and the store does not have is gone; what could not be entered is there.
    private func miss(_ row: SegmentRow, _ piece: RebuildPiece) throws {
        guard let key = ObjectKey(row.key),
            let place = try work.catalog.place(row.camera, row.id, startingAt: key.start),
            try work.catalog.segment(row.camera, place) == nil
        else { return }
        try piece.mayGoOn()
        do { guard try work.store.head(key) == nil else { return } } catch let error as ObjectStoreError
            where error.scope == .object
        {
            return work.tell("objectUnreadable", row.camera, "\(error)")
        }
        // A store that is away, or another one, has nothing.
        try StoreIdentity(work: work).confirm()
        var gone = row
        gone.id = place
        try work.catalog.enterTold(row.camera, asset: asset, sessions: [], losses: [(gone, "vanished")], gaps: [])
        work.tell(
            "footageLost", row.camera,
            "\(row.start.rfc3339) \(row.duration.seconds) s: its day's summary tells it, the store does not have it")
        piece.wentOn()
    }

    /// A day of which the catalog now says what its summary does needs no other one.
    private func settle(_ camera: CameraName, _ summary: Summary) throws {
        // A gap that spans it may be all that there is of it.
        try work.catalog.expectSummary(camera, day)
        guard let row = try work.catalog.day(camera, day) else { return }
        var told = row
        (told.generation, told.written) = (summary.generation, summary.written)
        let writer = SummaryWriter(work: work, camera: camera, day: day, asset: asset)
        // Of several the others may not be known yet: each is looked at again.
        let isOneOfMany = try DayAssets(work, camera, of: day).all.count > 1
        if try isOneOfMany || !writer.wouldWrite(summary) { told.changes = row.changes - 1 }
        try work.catalog.noteSummary(camera, told)
    }
}
