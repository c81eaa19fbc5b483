import GRDB
package import Recording

/// What a box asks that takes another one's assets over.
extension Catalog {
    /// The highest number of a session that the catalog knows of; 0 for none.
    package func highestSession(_ camera: CameraName) throws(CatalogError) -> Int64 {
        try read("find the newest session in") { db in
            try Int64.fetchOne(
                db,
                sql: """
                    SELECT max(session) FROM (SELECT max(session) AS session FROM segment WHERE camera = ?1
                        UNION ALL SELECT max(session) FROM session WHERE camera = ?1)
                    """, arguments: [camera.text])
        } ?? 0
    }

    /// The end of the last segment before a moment that is in no cache.
    package func endOfStored(_ camera: CameraName, before moment: WallTime) throws(CatalogError) -> WallTime? {
        try read("find the end of what is stored in") { db in
            try Int64.fetchOne(
                db,
                sql: """
                    SELECT start + duration FROM segment INDEXED BY segmentByStart
                    WHERE camera = ? AND start < ? AND isLocal = 0 ORDER BY start DESC LIMIT 1
                    """, arguments: [camera.text, moment.microseconds]
            ).map { WallTime(microseconds: $0) }
        }
    }
}
