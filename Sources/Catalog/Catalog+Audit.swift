import GRDB
package import Recording

/// What an audit asks of the catalog, and how it corrects it.
extension Catalog {
    /// At most `limit` segments that are verified, given up, or quarantined and in no cache, and that start within a stretch
    /// of time, by place, after `last`.
    package func settled(
        _ camera: CameraName, from: WallTime, to: WallTime, after last: SegmentPlace? = nil, limit: Int
    ) throws(CatalogError) -> [SegmentRow] {
        let after = last ?? SegmentPlace(start: from, id: SegmentID(session: .min, counter: .min))
        return try read("list what is settled in") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM segment INDEXED BY segmentByStart
                    WHERE camera = ? AND (start, session, counter) > (?, ?, ?) AND start < ?
                        AND (state IN ('verified', 'evicted') OR state = 'quarantined' AND isLocal = 0)
                    ORDER BY start, session, counter LIMIT ?
                    """,
                arguments: [
                    camera.text, after.start.microseconds, after.id.session, after.id.counter, to.microseconds, limit,
                ]
            ).map { try SegmentRow($0) }
        }
    }

    /// How many verified segments began before a moment, and between which two.
    package func verified(
        _ camera: CameraName, before moment: WallTime
    ) throws(CatalogError) -> (count: Int64, first: WallTime, last: WallTime)? {
        try read("count what is verified in") { db in
            guard
                let row = try Row.fetchOne(
                    db,
                    sql: """
                        SELECT count(*) AS count, min(start) AS first, max(start) AS last
                        FROM segment INDEXED BY segmentVerified
                        WHERE camera = ? AND state = 'verified' AND start < ?
                        """, arguments: [camera.text, moment.microseconds]),
                try row.value("count") as Int64 > 0
            else { return nil }
            return (try row.value("count"), try row.time("first"), try row.time("last"))
        }
    }

    /// The first verified segment from a moment on.
    package func verified(_ camera: CameraName, from moment: WallTime) throws(CatalogError) -> SegmentRow? {
        try read("find what is verified in") { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT * FROM segment INDEXED BY segmentVerified
                    WHERE camera = ? AND state = 'verified' AND start >= ? ORDER BY start LIMIT 1
                    """, arguments: [camera.text, moment.microseconds]
            ).map { try SegmentRow($0) }
        }
    }

    /// The store lost what it had verified, or may take what was quarantined, and the cache has it: it waits again, until it
    /// was looked for.
    ///
    /// False for what is neither verified nor quarantined, or in no cache, any more, and for what goes into a file alone.
    package func reopen(_ row: SegmentRow) throws(CatalogError) -> Bool {
        try writeDurably("ask for an upload in") { db in
            try db.execute(
                sql: """
                    UPDATE segment SET state = 'closed', isUncertain = 1
                    WHERE camera = ? AND session = ? AND counter = ? AND state IN ('verified', 'quarantined') AND isLocal = 1
                        AND goesToStore = 1
                    """, arguments: [row.camera.text, row.id.session, row.id.counter])
            return db.changesCount > 0
        }
    }

    /// The local copy of a verified segment is about to go: false, and nothing changes, for what is not verified, or not
    /// in its cache, any more.
    package func letGo(_ row: SegmentRow) throws(CatalogError) -> Bool {
        try write("let a local copy go in") { db in
            try db.execute(
                sql: """
                    UPDATE segment SET isLocal = 0
                    WHERE camera = ? AND session = ? AND counter = ? AND state = 'verified' AND isLocal = 1
                    """, arguments: [row.camera.text, row.id.session, row.id.counter])
            return db.changesCount > 0
        }
    }

    /// The store still has an object of a segment that was given up: it is to be deleted.
    package func noteLeft(_ row: SegmentRow) throws(CatalogError) {
        try write("note an object in") { db in
            try db.execute(
                sql: """
                    UPDATE segment SET isUncertain = 1
                    WHERE camera = ? AND session = ? AND counter = ? AND state = 'evicted'
                    """, arguments: [row.camera.text, row.id.session, row.id.counter])
        }
    }
}

extension Catalog {
    /// Of the segment that is listed under a key, which tells the start to a millisecond; nil when none is.
    package func state(
        ofKey key: String, from start: WallTime, of camera: CameraName
    ) throws(CatalogError) -> SegmentState? {
        try read("look up a key in") { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT state FROM segment INDEXED BY segmentByStart
                    WHERE camera = ? AND start >= ? AND start < ? AND key = ?
                    """,
                arguments: [camera.text, start.microseconds, (start + .milliseconds(1)).microseconds, key]
            ).map { try $0.word("state", SegmentState.init(rawValue:)) }
        }
    }
}
