import GRDB
package import Recording

/// Which of a camera's segments a page is about.
package enum SegmentSelection: Hashable, Sendable {
    /// Those that overlap a stretch of time; nil bounds are open.
    case overlapping(from: WallTime?, to: WallTime?)
    /// Those with a copy in the cache.
    case local
    /// Those in the cache that are on their way to the store.
    case pending
    /// Those of them that no store can hold yet.
    case fresh
    /// Neither verified nor gone for good, and not in the cache: only the store can tell.
    case unsettled
    /// Those in the cache that may be freed.
    case evictable
    /// Those in the cache that may only be freed as a loss.
    case unverified
    /// Gone for good by the catalog's word, while the store may still hold an object.
    case leftInStore
}

extension Catalog {
    /// The last row of a selection in order of (session, counter), before `limit`.
    package func newest(
        _ camera: CameraName, _ selection: SegmentSelection, before limit: SegmentID?
    ) throws(CatalogError) -> SegmentRow? {
        let bound = limit ?? SegmentID(session: .max, counter: .max)
        let (filter, values) = selection.condition
        let position: StatementArguments = [camera.text, bound.session, bound.counter]
        return try read("find the newest segment in") { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT * FROM segment WHERE camera = ? AND (session, counter) < (?, ?) AND \(filter)
                    ORDER BY session DESC, counter DESC LIMIT 1
                    """, arguments: position + values
            ).map { try SegmentRow($0) }
        }
    }

    /// The end of the newest footage that is known of, of any camera.
    package func newestEnd() throws(CatalogError) -> WallTime? {
        try read("find the newest footage in") { db in
            let ends = try knownCameras(db).compactMap { camera in
                try Int64.fetchOne(
                    db,
                    sql: """
                        SELECT start + duration FROM segment INDEXED BY segmentByStart WHERE camera = ?
                        ORDER BY start DESC LIMIT 1
                        """, arguments: [camera])
            }
            return ends.max().map { WallTime(microseconds: $0) }
        }
    }

    /// At most `limit` rows in order of (session, counter), after `after`.
    package func segments(
        _ camera: CameraName, _ selection: SegmentSelection, after: SegmentID? = nil, limit: Int
    ) throws(CatalogError) -> [SegmentRow] {
        let (filter, bounds) = selection.condition
        let sql = """
            SELECT * FROM segment WHERE camera = ? AND (session, counter) > (?, ?) AND \(filter)
            ORDER BY session, counter LIMIT ?
            """
        let position: StatementArguments = [camera.text, after?.session ?? -1, after?.counter ?? -1]
        return try read("list segments in") { db in
            try Row.fetchAll(db, sql: sql, arguments: position + bounds + [limit]).map { try SegmentRow($0) }
        }
    }

    /// A segment that the catalog believes to be in a cache.
    package struct CacheEntry: Hashable, Sendable {
        package var id: SegmentID
        package var start: WallTime
        /// The row says all that the file does.
        package var isEntered: Bool
    }

    /// At most `limit` entries in order of (session, counter), after `after`.
    package func inCache(
        _ camera: CameraName, after: SegmentID?, limit: Int
    ) throws(CatalogError) -> [CacheEntry] {
        try read("list a cache in") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT session, counter, start, isRead AND state <> 'evicted' AS isEntered FROM segment
                    WHERE camera = ? AND (session, counter) > (?, ?) AND isLocal = 1
                    ORDER BY session, counter LIMIT ?
                    """, arguments: [camera.text, after?.session ?? -1, after?.counter ?? -1, limit]
            ).map { row in
                CacheEntry(
                    id: try SegmentID(row), start: try row.time("start"), isEntered: try row.value("isEntered"))
            }
        }
    }

    package func segment(_ camera: CameraName, _ id: SegmentID) throws(CatalogError) -> SegmentRow? {
        try read("look up a segment in") { db in
            try Row.fetchOne(
                db, sql: "SELECT * FROM segment WHERE camera = ? AND session = ? AND counter = ?",
                arguments: [camera.text, id.session, id.counter]
            ).map { try SegmentRow($0) }
        }
    }

    /// At most `limit` verified segments that ended before a moment, by start: what retention deletes.
    ///
    /// A segment is only as old as its clock was right (I11). Spared are sessions after one that began within the
    /// retention (the clock had run back), those that ended when the clock was set forward by more than a day
    /// into the retention, with the unbroken row of clock steps before them, and those of an unsynchronised clock
    /// until the first synchronised one after them began before the moment.
    package func expired(
        _ camera: CameraName, before moment: WallTime, now: WallTime, limit: Int
    ) throws(CatalogError) -> [SegmentRow] {
        try read("list expired segments in") { db in
            try Row.fetchAll(
                db, sql: Self.expired,
                arguments: [
                    "camera": camera.text, "moment": moment.microseconds, "now": now.microseconds,
                    "day": TimeSpan.seconds(86_400).microseconds, "limit": limit,
                ]
            ).map { try SegmentRow($0) }
        }
    }

    private static let expired = """
        WITH RECURSIVE misdated(session) AS (
            SELECT s.session FROM session s JOIN session n ON n.camera = s.camera AND n.session = s.session + 1
            WHERE s.camera = :camera AND s.endReason = 'clockStep' AND n.anchor - s."end" > :day
                AND n.anchor BETWEEN :moment AND :now
            UNION
            SELECT s.session FROM session s JOIN misdated ON s.session = misdated.session - 1
            WHERE s.camera = :camera AND s.endReason = 'clockStep'
        )
        SELECT * FROM segment INDEXED BY segmentVerified
        WHERE camera = :camera AND state = 'verified' AND start < :moment AND start + duration < :moment
            AND session NOT IN misdated
            AND NOT EXISTS (
                SELECT 1 FROM session u WHERE u.camera = :camera AND u.session = segment.session
                    AND u.quality = 'unsynchronised' AND ifnull(
                        (SELECT anchor FROM session n WHERE n.camera = :camera AND n.session > u.session
                            AND n.quality = 'synchronised' ORDER BY n.session LIMIT 1),
                        :moment) >= :moment)
            AND session <= ifnull(
                (SELECT min(session) FROM session WHERE camera = :camera AND anchor BETWEEN :moment AND :now),
                9223372036854775807)
        ORDER BY start LIMIT :limit
        """

    /// Everything below it is verified or gone: what a worker may free by itself (I7); nil when nothing is.
    ///
    /// `limit` is the first segment that exists outside the catalog, such as one that is still growing.
    package func evictableWatermark(_ camera: CameraName, below limit: SegmentID?) throws(CatalogError) -> SegmentID? {
        try read("find the watermark in") { db in
            let blocked = try Row.fetchOne(
                db,
                sql: """
                    SELECT session, counter FROM segment WHERE camera = ? AND isLocal = 1 AND state <> 'verified'
                    ORDER BY session, counter LIMIT 1
                    """, arguments: [camera.text]
            ).map { try SegmentID($0) }
            let bound = [blocked, limit].compactMap(\.self).min() ?? SegmentID(session: .max, counter: .max)
            return try Row.fetchOne(
                db,
                sql: """
                    SELECT session, counter FROM segment
                    WHERE camera = ? AND state = 'verified' AND (session, counter) < (?, ?)
                    ORDER BY session DESC, counter DESC LIMIT 1
                    """, arguments: [camera.text, bound.session, bound.counter]
            ).map { try SegmentID($0) }
        }
    }

    /// What is in a camera's cache and what of it waits.
    package struct Holdings: Hashable, Sendable {
        package var pendingSegments: Int64 = 0
        package var pendingBytes: Int64 = 0
        /// End of the footage that has waited longest for its upload.
        package var oldestPending: WallTime?
        package var oldestLocal: WallTime?
    }

    package func holdings(_ camera: CameraName) throws(CatalogError) -> Holdings {
        try read("sum up") { db in
            let pending = try Row.fetchOne(
                db,
                sql: """
                    SELECT count(*) AS count, sum(bytes) AS bytes, min(start + duration) AS oldest FROM segment
                    WHERE camera = ? AND isLocal = 1 AND state IN ('closed', 'uploaded')
                    """, arguments: [camera.text])
            let oldest = try Int64.fetchOne(
                db, sql: "SELECT min(start) FROM segment INDEXED BY segmentInCache WHERE camera = ? AND isLocal = 1",
                arguments: [camera.text])
            return Holdings(
                pendingSegments: try pending?.value("count") ?? 0, pendingBytes: try pending?.optional("bytes") ?? 0,
                oldestPending: try pending?.optional("oldest").map { WallTime(microseconds: $0) },
                oldestLocal: oldest.map { WallTime(microseconds: $0) })
        }
    }

    package func knownCameras() throws(CatalogError) -> [CameraName] {
        try read("list cameras in") { try knownCameras($0).compactMap { CameraName($0) } }
    }

    private func knownCameras(_ db: Database) throws -> [String] {
        try String.fetchAll(db, sql: "SELECT name FROM camera ORDER BY name")
    }
}

extension SegmentSelection {
    /// A range also looks back by more than the longest segment, so that the index on start serves it.
    private static let lookBack = TimeSpan.seconds(4 * 3600)

    var condition: (sql: String, arguments: StatementArguments) {
        switch self {
        case .overlapping(let from, let to):
            let from = from ?? .earliest
            return (
                "start >= ? AND start + duration > ? AND start < ?",
                [(from - Self.lookBack).microseconds, from.microseconds, (to ?? .latest).microseconds]
            )
        case .local: return ("isLocal = 1", [])
        case .pending: return ("isLocal = 1 AND isRead = 1 AND state IN ('closed', 'uploaded')", [])
        case .fresh:
            return ("isLocal = 1 AND isRead = 1 AND isUncertain = 0 AND state IN ('closed', 'uploaded')", [])
        case .unsettled: return ("isLocal = 0 AND state IN ('closed', 'uploaded')", [])
        case .evictable: return ("isLocal = 1 AND state = 'verified'", [])
        case .unverified: return ("isLocal = 1 AND state IN ('closed', 'uploaded', 'quarantined')", [])
        case .leftInStore: return ("state = 'evicted' AND isUncertain = 1", [])
        }
    }
}
