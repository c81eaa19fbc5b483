import GRDB
package import Recording

extension Catalog {
    /// At most `limit` rows that overlap a stretch of time, by place, after `after`; nil bounds are open.
    package func segments(
        _ camera: CameraName, from: WallTime?, to: WallTime?, after: SegmentPlace? = nil, limit: Int
    ) throws(CatalogError) -> [SegmentRow] {
        try read("list segments in") { db in
            try SegmentPage.fetch(
                try db.cachedStatement(sql: "SELECT * FROM \(Self.overlapping)"),
                Self.range(camera, from, to, after, limit), of: camera)
        }
    }

    /// As `segments`, read from the index alone.
    package func extents(
        _ camera: CameraName, from: WallTime?, to: WallTime?, after: SegmentPlace? = nil, limit: Int
    ) throws(CatalogError) -> [SegmentExtent] {
        try read("list extents in") { db in
            let sql = """
                SELECT start, session, counter, duration, state, iif(state = 'evicted', coalesce(
                    (SELECT reason FROM eviction
                     WHERE (camera, session, counter) = (segment.camera, segment.session, segment.counter)),
                    'vanished'), NULL) AS reason
                FROM \(Self.overlapping)
                """
            var extents: [SegmentExtent] = []
            let rows = try Row.fetchCursor(db, sql: sql, arguments: Self.range(camera, from, to, after, limit))
            while let row = try rows.next() { extents.append(try SegmentExtent(row)) }
            return extents
        }
    }

    package func gaps(_ camera: CameraName, from: WallTime?, to: WallTime?) throws(CatalogError) -> [GapRow] {
        try read("list gaps in") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM gap INDEXED BY gapByStart
                    WHERE camera = ? AND start < ? AND (end IS NULL OR end > ?) ORDER BY start
                    """,
                arguments: [camera.text, (to ?? .latest).microseconds, (from ?? .earliest).microseconds]
            ).map { try GapRow($0) }
        }
    }

    /// The first moment that anything is known of.
    package func firstKnown(_ camera: CameraName) throws(CatalogError) -> WallTime? {
        try read("find the first moment in") { db in
            try Int64.fetchOne(
                db,
                sql: """
                    SELECT min(start) FROM (SELECT min(start) AS start FROM segment WHERE camera = ?1
                        UNION ALL SELECT min(start) FROM gap WHERE camera = ?1)
                    """, arguments: [camera.text]
            ).map { WallTime(microseconds: $0) }
        }
    }
}

extension Catalog {
    /// A range also looks back by more than the longest segment.
    static let lookBack = TimeSpan.seconds(4 * 3600)

    private static let overlapping = """
        segment INDEXED BY segmentByStart
        WHERE camera = :camera AND (start, session, counter) > (:start, :session, :counter)
            AND start < :to AND start + duration > :from
        ORDER BY start, session, counter LIMIT :limit
        """

    private static func range(
        _ camera: CameraName, _ from: WallTime?, _ to: WallTime?, _ after: SegmentPlace?, _ limit: Int
    ) -> StatementArguments {
        let from = from ?? .earliest
        let first = SegmentPlace(start: from - lookBack, id: SegmentID(session: .min, counter: .min))
        let after = after ?? first
        return [
            "camera": camera.text, "start": after.start.microseconds, "session": after.id.session,
            "counter": after.id.counter, "to": (to ?? .latest).microseconds, "from": from.microseconds, "limit": limit,
        ]
    }
}
