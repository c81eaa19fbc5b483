import GRDB
import GRDBSQLite
package import Recording

/// What playback asks: where there are bytes, whatever else is known.
extension Catalog {
    /// Looks at the verified first, by one seek; what waits for its upload is a short list but in an outage.
    package func hasFootage(
        _ camera: CameraName, from: WallTime, to: WallTime
    ) throws(CatalogError) -> Bool {
        try read("look for footage in") { db in
            try Bool.fetchOne(
                try db.cachedStatement(sql: Self.anyFootage),
                arguments: [
                    "camera": camera.text, "from": from.microseconds, "to": to.microseconds,
                    "first": (from - Self.lookBack).microseconds,
                ]) ?? false
        }
    }

    /// One after the other, unlike operands of OR: the lookback is walked only where nothing starts within the range.
    private static let anyFootage = """
        SELECT CASE
            WHEN EXISTS (SELECT 1 FROM segment INDEXED BY segmentVerified
                WHERE camera = :camera AND state = 'verified' AND start >= :from AND start < :to) THEN 1
            WHEN EXISTS (SELECT 1 FROM segment INDEXED BY segmentUnverified
                WHERE camera = :camera AND isLocal = 1 AND state <> 'verified' AND state <> 'evicted'
                    AND start >= :from AND start < :to) THEN 1
            ELSE EXISTS (SELECT 1 FROM segment INDEXED BY segmentByStart
                WHERE camera = :camera AND start >= :first AND start < min(:from, :to) AND start + duration > :from
                    AND state <> 'evicted')
            END
        """

    /// The first and the last moment of what there is footage of; nil when there is none.
    package func footage(_ camera: CameraName) throws(CatalogError) -> (first: WallTime, last: WallTime)? {
        try read("find the ends of the footage in") { db in
            let row = try Row.fetchOne(try db.cachedStatement(sql: Self.ends), arguments: ["camera": camera.text])
            guard let row, let first: Int64 = try row.optional("first"), let last: Int64 = try row.optional("last")
            else { return nil }
            return (WallTime(microseconds: first), WallTime(microseconds: last))
        }
    }

    private static let ends = """
        SELECT
            (SELECT min(start) FROM (
                SELECT min(start) AS start FROM segment INDEXED BY segmentVerified
                    WHERE camera = :camera AND state = 'verified'
                UNION ALL SELECT min(start) FROM segment INDEXED BY segmentUnverified
                    WHERE camera = :camera AND isLocal = 1 AND state <> 'verified' AND state <> 'evicted')) AS first,
            (SELECT start + duration FROM segment INDEXED BY segmentByStart
                WHERE camera = :camera AND state <> 'evicted' ORDER BY start DESC LIMIT 1) AS last
        """

    /// Calls `body` with the id, start and end of each segment of a range that there is footage of, by start.
    ///
    /// A month has tens of thousands: the index's columns are taken as SQLite has them. A month at a time, so that a
    /// reader's transaction ends soon.
    package func eachFootage(
        _ camera: CameraName, from: WallTime, to: WallTime, _ body: (SegmentID, WallTime, WallTime) -> Void
    ) throws(CatalogError) {
        guard let known = try footage(camera) else { return }
        var start = max(from, known.first) - Self.lookBack
        let end = min(to, known.last)
        while start < end {
            let next = min(start + Self.month, end)
            try read("list footage in") { db in
                let statement = try db.cachedStatement(sql: Self.starting)
                let rows = try Row.fetchCursor(
                    statement, arguments: [camera.text, start.microseconds, next.microseconds])
                let raw = statement.sqliteStatement
                while try rows.next() != nil {
                    let start = WallTime(microseconds: sqlite3_column_int64(raw, 0))
                    let end = start + TimeSpan(microseconds: sqlite3_column_int64(raw, 3))
                    guard end > from else { continue }
                    let id = SegmentID(session: sqlite3_column_int64(raw, 1), counter: sqlite3_column_int64(raw, 2))
                    body(id, start, end)
                }
            }
            start = next
        }
    }

    private static let month = TimeSpan.seconds(31 * 86_400)

    private static let starting = """
        SELECT start, session, counter, duration FROM segment INDEXED BY segmentByStart
        WHERE camera = ? AND start >= ? AND start < ? AND state <> 'evicted' ORDER BY start, session, counter
        """
}
