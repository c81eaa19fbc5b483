import GRDB
package import Recording

/// A verified segment that only the store has, as a rebuild found it there.
package struct StoredSegment: Hashable, Sendable {
    package var row: SegmentRow
    /// The session that it says it is of; its number is `row`'s.
    package var session: SessionRow
    /// What no journal may tell any more.
    package var gapBefore: Gap?

    package init(row: SegmentRow, session: SessionRow, gapBefore: Gap? = nil) {
        self.row = row
        self.session = session
        self.gapBefore = gapBefore
    }
}

/// What a rebuild enters from the store.
///
/// A gap that no journal tells has a sequence below all of a journal's: the negative of its end, by which it is entered
/// once, or while it is open that of its beginning, set off.
extension Catalog {
    /// Beyond every moment.
    private static let open: Int64 = 1 << 60

    /// Enters what a rebuild found in the store and nowhere else.
    ///
    /// A camera may have no cache any more: `asset` is then all that is known of it.
    package func enterStored(_ segments: [StoredSegment], asset: String) throws(CatalogError) {
        try write("enter stored segments into") { db in
            for stored in segments {
                let (row, camera) = (stored.row, stored.row.camera)
                try Self.save(CameraRow(name: camera, asset: asset, retention: nil), db, orIgnore: true)
                var session = stored.session
                session.session = row.id.session
                // Who lost the journal knows an activation's asset by its name.
                if ActivationAsset.isNamed(asset) { session.asset = asset }
                try Self.apply(.sessionStarted(session), camera, isDoubted: false, db)
                try Self.closeTold(before: row.start, camera, db)
                try db.execute(
                    sql: """
                        INSERT OR REPLACE INTO \(SegmentRow.insertion)
                        """, arguments: try row.arguments)
                if let gap = stored.gapBefore { try Self.insert(told: gap, by: row.id, camera, db) }
            }
        }
    }

    /// Enters what a day's summary tells of footage that is gone and of gaps; what caches say of them stands.
    package func enterTold(
        _ camera: CameraName, asset: String, sessions: [SessionRow], losses: [(row: SegmentRow, reason: String)],
        gaps: [GapRow]
    ) throws(CatalogError) {
        try write("enter a summary into") { db in
            try Self.save(CameraRow(name: camera, asset: asset, retention: nil), db, orIgnore: true)
            for session in sessions { try Self.apply(.sessionStarted(session), camera, isDoubted: false, db) }
            for (row, reason) in losses {
                try db.execute(
                    sql: """
                        INSERT OR IGNORE INTO \(SegmentRow.insertion)
                        """, arguments: try row.arguments)
                guard db.changesCount > 0 else { continue }
                try Self.record(
                    EvictionRow(
                        id: row.id, start: row.start, duration: row.duration, bytes: row.bytes, reason: reason),
                    camera, db)
            }
            for gap in gaps { try Self.insert(summarised: gap, camera, db) }
        }
    }

    /// Enters a loss that nobody journalled, such as the time between two boxes.
    package func enterGap(_ gap: Gap, session: Int64, _ camera: CameraName) throws(CatalogError) {
        guard let end = gap.to, gap.from < end else { return }
        try write("enter a gap into") { db in
            try Self.insert(GapRow(sequence: -end.microseconds, session: session, gap: gap), camera, db)
        }
    }

    /// The loss that a stored segment tells of, where neither a journal nor a summary does.
    private static func insert(told gap: Gap, by id: SegmentID, _ camera: CameraName, _ db: Database) throws {
        guard let end = gap.to, gap.from < end, end.microseconds > 0 else { return }
        guard try !isKnown(from: gap.from, to: end, camera, db) else { return }
        let session = id.counter == 0 ? id.session.subtractingSaturated(1) : id.session
        try insert(GapRow(sequence: -end.microseconds, session: session, gap: gap), camera, db)
    }

    /// A summary knows more of a gap than a segment that came after it.
    ///
    /// One that reached beyond its summary's day ends with the first that is known to have been recorded since.
    private static func insert(summarised row: GapRow, _ camera: CameraName, _ db: Database) throws {
        var row = row
        let arguments: StatementArguments = [camera.text, row.gap.from.microseconds]
        let next = try Int64.fetchOne(
            db,
            sql: """
                SELECT min(time) FROM (
                    SELECT min(start) AS time FROM segment WHERE camera = ?1 AND start > ?2
                    UNION ALL SELECT min(anchor) FROM session WHERE camera = ?1 AND anchor > ?2)
                """, arguments: arguments)
        row.gap.to = row.gap.to ?? next.map { WallTime(microseconds: $0) }
        let end = row.gap.to ?? row.gap.from + TimeSpan(microseconds: 1)
        guard row.gap.from < end, end.microseconds > 0,
            try !isKnown(from: row.gap.from, to: end, journalled: true, camera, db)
        else { return }
        let sequence = row.gap.to == nil ? row.gap.from.microseconds.addingSaturated(open) : end.microseconds
        // The same gap as an earlier day's summary told it, or a segment, which knows less.
        try db.execute(
            sql: """
                UPDATE OR REPLACE gap SET sequence = ?, session = ?, end = ?, reason = ?, detail = ?
                WHERE camera = ? AND start = ? AND sequence < 0 AND (? IS NOT NULL OR end IS NULL)
                """,
            arguments: [
                -sequence, row.session, row.gap.to?.microseconds, row.gap.reason.rawValue, row.gap.detail, camera.text,
                row.gap.from.microseconds, row.gap.to?.microseconds,
            ])
        let isTold = try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM gap WHERE camera = ? AND start = ? AND sequence < 0)",
            arguments: arguments)
        guard isTold == false else { return }
        try insert(GapRow(sequence: -sequence, session: row.session, gap: row.gap), camera, db)
    }

    private static func isKnown(
        from: WallTime, to: WallTime, journalled: Bool = false, _ camera: CameraName, _ db: Database
    ) throws -> Bool {
        try Bool.fetchOne(
            db,
            sql: """
                SELECT EXISTS (SELECT 1 FROM gap WHERE camera = ? AND (end IS NULL OR end > ?) AND +start < ?
                    AND sequence > ?)
                """, arguments: [camera.text, from.microseconds, to.microseconds, journalled ? 0 : Int64.min]) == true
    }

    /// A gap that a summary left open ends with what was recorded next.
    static func closeTold(before moment: WallTime, _ camera: CameraName, _ db: Database) throws {
        try db.execute(
            sql: """
                UPDATE gap INDEXED BY gapOpen SET end = :moment
                WHERE camera = :camera AND end IS NULL AND sequence < 0 AND start < :moment
                """, arguments: ["camera": camera.text, "moment": moment.microseconds])
    }
}
