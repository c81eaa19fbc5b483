import GRDB
package import Recording

extension Catalog {
    /// Enters what a survey read from a segment's bytes.
    ///
    /// Only bytes change: a state that was committed stays, except that footage with bytes is not evicted.
    package func enter(_ rows: [SegmentRow]) throws(CatalogError) {
        try write("enter segments into") { db in
            for row in rows {
                try db.execute(
                    sql: """
                        INSERT INTO segment VALUES (:camera, :session, :counter, :key, :start, :duration, :bytes,
                            :initLength, :mediaEnd, :fragments, :tracks, :frames, :codecs, :checksum, :state,
                            :isLocal, :isUncertain, :isRead)
                        ON CONFLICT DO UPDATE SET
                            key = iif(isUncertain = 1 OR state IN ('uploaded', 'verified'), key, excluded.key),
                            start = excluded.start, duration = excluded.duration, bytes = excluded.bytes,
                            initLength = excluded.initLength, mediaEnd = excluded.mediaEnd,
                            fragments = excluded.fragments, tracks = excluded.tracks, frames = excluded.frames,
                            codecs = excluded.codecs, checksum = coalesce(checksum, excluded.checksum),
                            state = iif(state = 'evicted' OR excluded.state = 'quarantined', excluded.state, state),
                            isLocal = excluded.isLocal, isUncertain = max(isUncertain, excluded.isUncertain),
                            isRead = excluded.isRead
                        """, arguments: try row.arguments)
            }
        }
    }

    /// Enters what a rebuild found in the store and nowhere else: verified before its local copy went (I3).
    ///
    /// Its camera may have no cache any more: `asset` is then all that is known of it.
    package func enterStored(_ row: SegmentRow, asset: String) throws(CatalogError) {
        try write("enter a stored segment into") { db in
            let camera = CameraRow(name: row.camera, asset: asset, retention: nil)
            try Self.save(camera, db, orIgnore: true)
            try db.execute(
                sql: """
                    INSERT OR REPLACE INTO segment VALUES (:camera, :session, :counter, :key, :start, :duration, :bytes,
                        :initLength, :mediaEnd, :fragments, :tracks, :frames, :codecs, :checksum, :state,
                        :isLocal, :isUncertain, :isRead)
                    """, arguments: try row.arguments)
        }
    }

    /// The object exists under this key; whether it is ours byte for byte is still to be seen (I8).
    package func noteStored(_ camera: CameraName, _ id: SegmentID, key: String) throws(CatalogError) {
        try update(
            camera, id, "note an object in",
            "key = ?, isUncertain = 1, state = iif(state = 'closed', 'uploaded', state)", [key])
    }

    package func setLocal(_ camera: CameraName, _ ids: [SegmentID], _ isLocal: Bool) throws(CatalogError) {
        try write("note what is in a cache in") { db in
            for id in ids {
                try db.execute(
                    sql: "UPDATE segment SET isLocal = ? WHERE camera = ? AND session = ? AND counter = ?",
                    arguments: [isLocal, camera.text, id.session, id.counter])
            }
        }
    }

    /// Precedes every write to the store: from here on its outcome is looked up before it is written again (I8).
    package func beginUpload(_ camera: CameraName, _ id: SegmentID) throws(CatalogError) {
        try update(camera, id, "begin an upload in", "isUncertain = 1", [])
    }

    package func markUploaded(_ camera: CameraName, _ id: SegmentID, checksum: UInt32) throws(CatalogError) {
        try update(
            camera, id, "note an upload in", "state = 'uploaded', checksum = ?", [Int64(checksum)])
    }

    /// The store vouched for the checksum: the fact that permits eviction (I2, I3), committed with full sync.
    package func commitVerified(_ camera: CameraName, _ id: SegmentID, checksum: UInt32) throws(CatalogError) {
        try writeDurably("commit a verified segment to") { db in
            try db.execute(
                sql: """
                    UPDATE segment SET state = 'verified', checksum = ?, isUncertain = 0
                    WHERE camera = ? AND session = ? AND counter = ?
                    """, arguments: [Int64(checksum), camera.text, id.session, id.counter])
        }
    }

    /// The footage is given up, by full sync, before any of its bytes go (I3).
    ///
    /// `mayBeStored`: the store may hold an object that is still to be deleted. What remains of the segment is its
    /// place in time.
    package func commitEvicted(
        _ camera: CameraName, _ eviction: EvictionRow, mayBeStored: Bool
    ) throws(CatalogError) {
        let id = eviction.id
        try writeDurably("commit an eviction to") { db in
            try Self.record(eviction, camera, db)
            try db.execute(
                sql: """
                    UPDATE segment SET state = 'evicted', isUncertain = ?, start = ?, duration = ?, bytes = ?,
                        initLength = 0, mediaEnd = 0, fragments = x'', tracks = '[]', frames = 0, codecs = '',
                        checksum = NULL, isRead = 1
                    WHERE camera = ? AND session = ? AND counter = ?
                    """,
                arguments: [
                    mayBeStored, eviction.start.microseconds, eviction.duration.microseconds, eviction.bytes,
                    camera.text, id.session, id.counter,
                ])
        }
    }

    /// The store holds nothing of an evicted segment any more.
    package func settleEvicted(_ camera: CameraName, _ id: SegmentID) throws(CatalogError) {
        try update(camera, id, "settle an eviction in", "isUncertain = 0", [])
    }

    package func quarantine(_ camera: CameraName, _ id: SegmentID) throws(CatalogError) {
        try update(camera, id, "quarantine a segment in", "state = 'quarantined'", [])
    }

    private func update(
        _ camera: CameraName, _ id: SegmentID, _ operation: String, _ change: String, _ values: StatementArguments
    ) throws(CatalogError) {
        try write(operation) { db in
            try db.execute(
                sql: "UPDATE segment SET \(change) WHERE camera = ? AND session = ? AND counter = ?",
                arguments: values + [camera.text, id.session, id.counter])
        }
    }
}
