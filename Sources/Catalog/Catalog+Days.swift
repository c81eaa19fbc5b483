import GRDB
package import Recording

/// What the catalog knows of one camera's UTC day, for the summary that the store keeps of it.
///
/// A day owns the segments that start in it, and tells of the gaps that reach into it.
package struct DayRow: Hashable, Sendable {
    /// Its first moment.
    package var day: WallTime
    /// Counts everything that happened to it and that its summary tells.
    package var changes: Int64
    /// Of its last summary; 0 when there is none.
    package var generation: Int64
    /// When that one was written.
    package var written: WallTime?

    package init(day: WallTime, changes: Int64, generation: Int64, written: WallTime?) {
        self.day = day
        self.changes = changes
        self.generation = generation
        self.written = written
    }
}

extension WallTime {
    package static let dayLength = TimeSpan.seconds(86_400)

    /// The first moment of its UTC day.
    package var startOfDay: WallTime {
        WallTime(microseconds: microseconds - floorModulo(microseconds, Self.dayLength.microseconds))
    }
}

extension Catalog {
    /// At most `limit` days, by date after `last`, whose summary does not tell all that happened to them.
    package func changedDays(
        _ camera: CameraName, after last: WallTime? = nil, limit: Int
    ) throws(CatalogError) -> [DayRow] {
        try read("list changed days in") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM day INDEXED BY dayChanged WHERE camera = ? AND start > ? AND changes <> told
                    ORDER BY start LIMIT ?
                    """, arguments: [camera.text, (last ?? .earliest - .seconds(1)).microseconds, limit]
            ).map { try DayRow($0) }
        }
    }

    package func day(_ camera: CameraName, _ day: WallTime) throws(CatalogError) -> DayRow? {
        try read("look up a day in") { db in
            try Row.fetchOne(
                db, sql: "SELECT * FROM day WHERE camera = ? AND start = ?",
                arguments: [camera.text, day.startOfDay.microseconds]
            ).map { try DayRow($0) }
        }
    }

    /// A summary of the day is in the store, and tells `row.changes` of what happened to it: what happens from there
    /// on asks for another one.
    package func noteSummary(_ camera: CameraName, _ row: DayRow) throws(CatalogError) {
        try write("note a summary in") { db in
            try db.execute(
                sql: """
                    INSERT INTO day VALUES (:camera, :start, :changes, :changes, :generation, :written)
                    ON CONFLICT DO UPDATE SET
                        told = excluded.told, generation = excluded.generation, written = excluded.written
                    """,
                arguments: [
                    "camera": camera.text, "start": row.day.startOfDay.microseconds, "changes": row.changes,
                    "generation": row.generation, "written": row.written?.microseconds,
                ])
        }
    }

    /// Asks for a summary of a day that nothing is known to have happened to but a gap that spans it.
    package func expectSummary(_ camera: CameraName, _ day: WallTime) throws(CatalogError) {
        try write("expect a summary in") { db in
            try db.execute(
                sql: "INSERT OR IGNORE INTO day VALUES (?, ?, 1, 0, 0, NULL)",
                arguments: [camera.text, day.startOfDay.microseconds])
        }
    }

    /// True while footage of the day is in the cache alone.
    package func waits(_ camera: CameraName, _ day: WallTime) throws(CatalogError) -> Bool {
        let start = day.startOfDay
        return try read("find what waits in") { db in
            try Bool.fetchOne(
                db,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM segment INDEXED BY segmentUnverified
                        WHERE camera = ? AND isLocal = 1 AND state <> 'verified' AND state IN ('closed', 'uploaded')
                            AND start >= ? AND start < ?)
                    """,
                arguments: [camera.text, start.microseconds, (start + WallTime.dayLength).microseconds]) ?? false
        }
    }

    /// At most `limit` verified and given up segments that start within the day, by place, after `last`.
    package func segments(
        _ camera: CameraName, of day: WallTime, after last: SegmentPlace? = nil, limit: Int
    ) throws(CatalogError) -> [SegmentRow] {
        let start = day.startOfDay
        return try settled(camera, from: start, to: start + WallTime.dayLength, after: last, limit: limit)
    }

    /// A segment of the day is, was or will be in the store.
    package func goesToStore(_ camera: CameraName, _ day: WallTime) throws(CatalogError) -> Bool {
        let start = day.startOfDay
        return try read("look for a day in") { db in
            try Bool.fetchOne(
                db,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM segment INDEXED BY segmentByStart
                        WHERE camera = ? AND start >= ? AND start < ? AND goesToStore = 1)
                    """, arguments: [camera.text, start.microseconds, (start + WallTime.dayLength).microseconds])
                ?? true
        }
    }

    /// The folders, as `SITE/ASSET/`, that a day's segments are in or would be; by name, empty for those that none can be in.
    package func folders(_ camera: CameraName, of day: WallTime) throws(CatalogError) -> [String] {
        let start = day.startOfDay
        return try read("list assets in") { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT DISTINCT substr(key, 1, instr(key, '/') + instr(substr(key, instr(key, '/') + 1), '/'))
                    FROM segment INDEXED BY segmentByStart WHERE camera = ? AND start >= ? AND start < ? ORDER BY 1
                    """, arguments: [camera.text, start.microseconds, (start + WallTime.dayLength).microseconds])
        }
    }

    /// The key of a session's first segment after a moment; nil when there is none.
    package func key(
        _ camera: CameraName, ofSession session: Int64, after moment: WallTime
    ) throws(CatalogError) -> String? {
        try read("look up a session in") { db in
            try String.fetchOne(
                db,
                sql: """
                    SELECT key FROM segment WHERE camera = ? AND session = ? AND start > ? ORDER BY counter LIMIT 1
                    """, arguments: [camera.text, session, moment.microseconds])
        }
    }

    /// The sessions that a day's segments are of, as far as these are in one of some folders.
    package func sessions(
        _ camera: CameraName, of day: WallTime, in folders: Set<String>
    ) throws(CatalogError) -> [SessionRow] {
        let start = day.startOfDay
        let list = databaseQuestionMarks(count: folders.count)
        return try read("list sessions in") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM session WHERE camera = ? AND session IN (
                        SELECT session FROM segment INDEXED BY segmentByStart
                        WHERE camera = ? AND start >= ? AND start < ? AND substr(
                            key, 1, instr(key, '/') + instr(substr(key, instr(key, '/') + 1), '/')) IN (\(list)))
                    ORDER BY session
                    """,
                arguments: [
                    camera.text, camera.text, start.microseconds, (start + WallTime.dayLength).microseconds,
                ] + StatementArguments(folders)
            ).map { try SessionRow($0) }
        }
    }
}

extension DayRow {
    init(_ row: Row) throws {
        let written: Int64? = try row.optional("written")
        self.init(
            day: try row.time("start"), changes: try row.value("changes"), generation: try row.value("generation"),
            written: written.map { WallTime(microseconds: $0) })
    }
}

extension SessionRow {
    init(_ row: Row) throws {
        let end: Int64? = try row.optional("end")
        self.init(
            session: try row.value("session"), anchor: try row.time("anchor"),
            quality: try row.word("quality", ClockQuality.init(rawValue:)), codecs: try row.value("codecs"),
            end: end.map { WallTime(microseconds: $0) },
            endReason: (try row.optional("endReason") as String?).flatMap { GapReason(rawValue: $0) })
        // A catalog that its writer has not brought up to date yet has no such columns.
        guard row.hasColumn("asset") else { return }
        (asset, file) = (try row.value("asset"), try row.value("file"))
        goesToStore = try row.value("goesToStore")
    }
}

/// Triggers keep count of what happens to a day, so that no way to change a row is forgotten.
///
/// What counts is what a summary tells: a segment counts from when it is verified or given up. SQLite divides towards
/// zero, hence the two remainders.
extension Catalog {
    static let days = """
        CREATE TABLE day (
            camera TEXT NOT NULL,
            -- its first moment
            start INTEGER NOT NULL,
            -- what happened to it, and how many of that its summary tells
            changes INTEGER NOT NULL,
            told INTEGER NOT NULL,
            -- of its summary, 0 when there is none, and when that was written
            generation INTEGER NOT NULL,
            written INTEGER,
            PRIMARY KEY (camera, start)
        ) WITHOUT ROWID;
        CREATE INDEX dayChanged ON day (camera, start) WHERE changes <> told;
        \(trigger("segmentEntered", "INSERT ON segment WHEN \(told("NEW"))", "NEW", "start"))
        \(trigger("segmentChanged", """
            UPDATE OF session, state, key, start, duration, bytes ON segment WHEN \(told("NEW"))
                AND (NEW.session, NEW.state, NEW.key, NEW.start, NEW.duration, NEW.bytes)
                    IS NOT (OLD.session, OLD.state, OLD.key, OLD.start, OLD.duration, OLD.bytes)
            """, "NEW", "start"))
        \(trigger("segmentLeft", "UPDATE OF state, start ON segment WHEN \(told("OLD")) AND (NOT \(told("NEW")) OR NEW.start <> OLD.start)", "OLD", "start"))
        \(trigger("segmentForgotten", "DELETE ON segment WHEN \(told("OLD"))", "OLD", "start"))
        \(trigger("gapOpened", "INSERT ON gap", "NEW", "start"))
        \(trigger("gapEntered", "INSERT ON gap WHEN NEW.end > NEW.start", "NEW", "end - 1"))
        \(trigger("gapClosed", "UPDATE OF end ON gap WHEN NEW.end IS NOT OLD.end AND NEW.end > NEW.start", "NEW", "end - 1"))
        \(trigger("gapForgotten", "DELETE ON gap", "OLD", "start"))
        INSERT INTO day SELECT camera, \(dayStart("start")) AS day, 1, 0, 0, NULL FROM segment
            INDEXED BY segmentByStart WHERE state IN ('verified', 'evicted') GROUP BY camera, day;
        INSERT OR IGNORE INTO day SELECT DISTINCT camera, \(dayStart("start")), 1, 0, 0, NULL FROM gap;
        """

    private static func told(_ row: String) -> String { "\(row).state IN ('verified', 'evicted')" }

    private static func dayStart(_ time: String) -> String {
        let day = WallTime.dayLength.microseconds
        return "\(time) - ((\(time)) % \(day) + \(day)) % \(day)"
    }

    private static func trigger(_ name: String, _ event: String, _ row: String, _ time: String) -> String {
        """
        CREATE TRIGGER \(name) AFTER \(event) BEGIN
            INSERT INTO day VALUES (\(row).camera, \(dayStart("\(row).\(time)")), 1, 0, 0, NULL)
            ON CONFLICT DO UPDATE SET changes = changes + 1;
        END;
        """
    }
}
