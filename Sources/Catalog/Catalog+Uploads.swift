import GRDB
package import Recording

extension Catalog {
    /// Enters what a survey read from a segment's bytes.
    ///
    /// Only bytes change: a state that was committed stays, except that footage with bytes is not evicted, and that
    /// a copy which comes back into a cache is compared before it may go again (I3).
    package func enter(_ rows: [SegmentRow]) throws(CatalogError) {
        try write("enter segments into") { db in
            let statement = try db.cachedStatement(sql: Self.entering)
            for row in rows { try statement.execute(arguments: try row.arguments) }
        }
    }

    private static let entering = """
        INSERT INTO \(SegmentRow.insertion)
        ON CONFLICT DO UPDATE SET
            key = iif(isUncertain = 1 OR state IN ('uploaded', 'verified'), key, excluded.key),
            start = excluded.start, duration = excluded.duration, bytes = excluded.bytes,
            initLength = excluded.initLength, mediaEnd = excluded.mediaEnd,
            fragments = excluded.fragments, tracks = excluded.tracks, frames = excluded.frames,
            codecs = excluded.codecs, checksum = coalesce(checksum, excluded.checksum),
            state = CASE
                WHEN state = 'evicted' OR excluded.state = 'quarantined' THEN excluded.state
                WHEN state = 'verified' AND isLocal = 0 THEN 'uploaded'
                ELSE state END,
            isUncertain = max(
                isUncertain, excluded.isUncertain, state = 'verified' AND isLocal = 0),
            isLocal = excluded.isLocal,
            isRead = excluded.isRead,
            format = excluded.format
        """

    /// The object exists under this key; whether it is ours byte for byte is still to be seen (I8).
    ///
    /// Says nothing new of a segment that was compared already.
    package func noteStored(_ camera: CameraName, _ id: SegmentID, key: String) throws(CatalogError) {
        try update(
            camera, id, "note an object in", "key = ?, isUncertain = 1, state = 'uploaded'", [key],
            if: "state IN ('closed', 'uploaded')")
    }

    ///
    /// What was quarantined and leaves its cache is asked for once more: the store's copy may be the only one.
    package func setLocal(_ camera: CameraName, _ ids: [SegmentID], _ isLocal: Bool) throws(CatalogError) {
        try write("note what is in a cache in") { db in
            for id in ids {
                try db.execute(
                    sql: "UPDATE segment SET isLocal = ? WHERE camera = ? AND session = ? AND counter = ?",
                    arguments: [isLocal, camera.text, id.session, id.counter])
                guard !isLocal else { continue }
                try db.execute(
                    sql: """
                        UPDATE segment SET state = 'closed', isUncertain = 1
                        WHERE camera = ? AND session = ? AND counter = ? AND state = 'quarantined'
                        """, arguments: [camera.text, id.session, id.counter])
            }
        }
    }

    /// Precedes every write to the store: from here on its outcome is looked up before it is written again (I8).
    ///
    /// False for a segment that was given up meanwhile.
    @discardableResult
    package func beginUpload(_ camera: CameraName, _ id: SegmentID) throws(CatalogError) -> Bool {
        try update(
            camera, id, "begin an upload in", "isUncertain = 1", [], if: "state IN ('closed', 'uploaded')")
    }

    package func markUploaded(_ camera: CameraName, _ id: SegmentID, checksum: UInt32) throws(CatalogError) {
        try update(
            camera, id, "note an upload in", "state = 'uploaded', checksum = ?", [Int64(checksum)],
            if: "state <> 'evicted'")
    }

    /// The store vouched for the checksum: the fact that permits eviction (I2, I3), committed with full sync.
    ///
    /// False for footage that was given up meanwhile.
    @discardableResult
    package func commitVerified(_ camera: CameraName, _ id: SegmentID, checksum: UInt32) throws(CatalogError) -> Bool {
        try writeDurably("commit a verified segment to") { db in
            try db.execute(
                sql: """
                    UPDATE segment SET state = 'verified', checksum = ?, isUncertain = 0
                    WHERE camera = ? AND session = ? AND counter = ? AND state <> 'evicted'
                    """, arguments: [Int64(checksum), camera.text, id.session, id.counter])
            return db.changesCount > 0
        }
    }

    /// The footage of `row` is given up, by full sync, before any of its bytes go (I3).
    ///
    /// `mayBeStored`: the store may hold an object that is still to be deleted. What remains of the segment is its
    /// place in time. False, and nothing is changed, when an upload of the row began or ended since it was read:
    /// the store may have it. Nor for what is held, unless its bytes are gone already: `sparesHeld`.
    package func commitEvicted(
        _ row: SegmentRow, _ eviction: EvictionRow, mayBeStored: Bool, sparesHeld: Bool = false
    ) throws(CatalogError) -> Bool {
        try writeDurably("commit an eviction to") { db in
            try db.execute(
                sql: """
                    UPDATE segment SET state = 'evicted', isUncertain = ?, start = ?, duration = ?, bytes = ?,
                        \(Self.withoutMedia)
                    WHERE camera = ? AND session = ? AND counter = ? AND state = ? AND isUncertain = ?
                        \(sparesHeld ? "AND NOT \(Self.isHeld)" : "")
                    """,
                arguments: [
                    mayBeStored, eviction.start.microseconds, eviction.duration.within(eviction.start).microseconds,
                    eviction.bytes, row.camera.text, row.id.session, row.id.counter, row.state.rawValue,
                    row.isUncertain,
                ])
            guard db.changesCount > 0 else { return false }
            try Self.record(eviction, row.camera, db)
            return true
        }
    }

    /// Takes over what was on record as given up before this catalog was begun: at most `limit` at a time.
    ///
    /// No news, and durable where it was written down; what the store still holds of it a rebuild finds. True when
    /// there may be more.
    package func settleInherited(_ camera: CameraName, limit: Int) throws(CatalogError) -> Bool {
        try write("take over evictions in") { db in
            try db.execute(
                sql: """
                    UPDATE segment SET state = 'evicted', isUncertain = 0, start = known.start,
                        duration = known.duration, bytes = known.bytes, \(Self.withoutMedia)
                    FROM eviction AS known
                    WHERE (known.camera, known.session, known.counter)
                            = (segment.camera, segment.session, segment.counter)
                        AND segment.rowid IN (
                            SELECT s.rowid FROM segment s INDEXED BY segmentUnsettled
                                JOIN eviction e USING (camera, session, counter)
                            WHERE s.camera = ? AND s.isLocal = 0 AND s.state IN ('closed', 'uploaded')
                                AND s.state = 'closed' AND e.reason <> 'verified'
                            LIMIT ?)
                    """, arguments: [camera.text, limit])
            return db.changesCount == limit
        }
    }

    private static let withoutMedia = """
        initLength = 0, mediaEnd = 0, fragments = x'', tracks = '[]', frames = 0, codecs = '', format = NULL, checksum = NULL,
        isRead = 1
        """

    /// The store holds nothing of an evicted segment any more.
    package func settleEvicted(_ camera: CameraName, _ id: SegmentID) throws(CatalogError) {
        try update(camera, id, "settle an eviction in", "isUncertain = 0", [])
    }

    package func quarantine(_ camera: CameraName, _ id: SegmentID) throws(CatalogError) {
        try update(camera, id, "quarantine a segment in", "state = 'quarantined'", [], if: "state <> 'evicted'")
    }

    @discardableResult
    private func update(
        _ camera: CameraName, _ id: SegmentID, _ operation: String, _ change: String, _ values: StatementArguments,
        if condition: String = "TRUE"
    ) throws(CatalogError) -> Bool {
        try write(operation) { db in
            try db.execute(
                sql: "UPDATE segment SET \(change) WHERE camera = ? AND session = ? AND counter = ? AND \(condition)",
                arguments: values + [camera.text, id.session, id.counter])
            return db.changesCount > 0
        }
    }
}
