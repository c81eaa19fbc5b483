import GRDB
package import Recording

/// Which of a camera's segments a page is about.
package enum SegmentSelection: Hashable, Sendable {
    /// Those in the cache that are on their way to the store.
    case pending
    /// Those of them that no store can hold yet.
    case fresh
    /// Neither verified nor gone for good, and not in the cache: only the store can tell.
    case unsettled
    /// Those in the cache that may be freed.
    case evictable
    /// Those in the cache that may be freed because a file that is whole has all of them, and no hold keeps them.
    case filed
    /// Those in the cache that may only be freed as a loss.
    case unverified
    /// Those of them that no hold keeps.
    case droppable
    /// Gone for good by the catalog's word, while the store may still hold an object.
    case leftInStore
}

extension Catalog {
    /// The last row of a selection in order of (session, counter), before `limit`.
    package func newest(
        _ camera: CameraName, _ selection: SegmentSelection, before limit: SegmentID?
    ) throws(CatalogError) -> SegmentRow? {
        let bound = limit ?? SegmentID(session: .max, counter: .max)
        return try read("find the newest segment in") { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT * FROM segment INDEXED BY \(selection.index)
                    WHERE camera = ? AND (session, counter) < (?, ?) AND \(selection.condition)
                    ORDER BY session DESC, counter DESC LIMIT 1
                    """, arguments: [camera.text, bound.session, bound.counter]
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
        let sql = """
            SELECT * FROM segment INDEXED BY \(selection.index)
            WHERE camera = ? AND (session, counter) > (?, ?) AND \(selection.condition)
            ORDER BY session, counter LIMIT ?
            """
        return try read("list segments in") { db in
            try Row.fetchAll(
                db, sql: sql, arguments: [camera.text, after?.session ?? .min, after?.counter ?? .min, limit]
            ).map { try SegmentRow($0) }
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
                    SELECT session, counter, start, isRead AND state <> 'evicted' AS isEntered
                    FROM segment INDEXED BY segmentInCache
                    WHERE camera = ? AND (session, counter) > (?, ?) AND isLocal = 1
                    ORDER BY session, counter LIMIT ?
                    """, arguments: [camera.text, after?.session ?? .min, after?.counter ?? .min, limit]
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
    /// until the first synchronised one after them began before the moment. Spared is what is held, too.
    package func expired(
        _ camera: CameraName, before moment: WallTime, now: WallTime, sparesHeld: Bool = true, limit: Int
    ) throws(CatalogError) -> [SegmentRow] {
        try read("list expired segments in") { db in
            try Row.fetchAll(
                db, sql: Self.expired,
                arguments: [
                    "camera": camera.text, "moment": moment.microseconds, "now": now.microseconds,
                    "day": TimeSpan.seconds(86_400).microseconds, "sparesHeld": sparesHeld, "limit": limit,
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
            AND session NOT IN misdated AND NOT (:sparesHeld AND \(isHeld))
            AND NOT EXISTS (
                SELECT 1 FROM session u WHERE u.camera = :camera AND u.session = segment.session
                    AND u.quality = 'unsynchronised' AND ifnull(
                        (SELECT anchor FROM session n WHERE n.camera = :camera AND n.session > u.session
                            AND n.quality = 'synchronised' ORDER BY n.session LIMIT 1),
                        :moment) >= :moment)
            AND session <= ifnull(
                (SELECT min(session) FROM session WHERE camera = :camera AND session > 0
                    AND anchor BETWEEN :moment AND :now),
                9223372036854775807)
        ORDER BY start LIMIT :limit
        """

    package func knownCameras() throws(CatalogError) -> [CameraName] {
        try read("list cameras in") { try knownCameras($0).compactMap { CameraName($0) } }
    }

    private func knownCameras(_ db: Database) throws -> [String] {
        try String.fetchAll(db, sql: "SELECT name FROM camera ORDER BY name")
    }
}

extension SegmentSelection {
    /// The partial index that holds no other rows: by name, so that no plan ever walks a whole history instead.
    var index: String {
        switch self {
        case .pending, .fresh, .unverified, .droppable: "segmentUnverified"
        case .filed: "segmentUnfiled"
        case .unsettled: "segmentUnsettled"
        case .evictable: "segmentEvictable"
        case .leftInStore: "segmentUncertain"
        }
    }

    /// SQLite uses a partial index only for a query that repeats its condition.
    var condition: String {
        switch self {
        case .pending: "isLocal = 1 AND \(Catalog.waits) AND isRead = 1"
        case .fresh: "\(Self.pending.condition) AND isUncertain = 0"
        case .unsettled: "isLocal = 0 AND state IN ('closed', 'uploaded')"
        case .evictable: "isLocal = 1 AND state = 'verified'"
        case .filed:
            "isLocal = 1 AND state <> 'verified' AND goesToStore = 0 AND \(Catalog.isFiled) AND NOT \(Catalog.isHeld)"
        case .unverified: "isLocal = 1 AND state <> 'verified' AND state IN ('closed', 'uploaded', 'quarantined')"
        case .droppable: "\(Self.unverified.condition) AND NOT \(Catalog.isHeld)"
        case .leftInStore: "state = 'evicted' AND isUncertain = 1"
        }
    }
}
