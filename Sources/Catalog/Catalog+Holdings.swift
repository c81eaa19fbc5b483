import GRDB
package import Recording

extension SegmentSelection {
    /// What may be freed without a loss.
    fileprivate static let goes: [SegmentSelection] = [.evictable, .filed]
}

extension Catalog {
    /// Of a row in the cache: it is on its way to the store; the partial index needs the second term.
    static let waits = "state IN ('closed', 'uploaded') AND state <> 'verified' AND goesToStore = 1"

    /// What is in a camera's cache and what of it waits.
    package struct Holdings: Hashable, Sendable {
        package var pendingSegments: Int64 = 0
        package var pendingBytes: Int64 = 0
        package var oldestLocal: WallTime?
    }

    package func holdings(_ camera: CameraName) throws(CatalogError) -> Holdings {
        try read("sum up") { db in
            let pending = try Row.fetchOne(
                db,
                sql: """
                    SELECT count(*) AS count, sum(bytes) AS bytes FROM segment INDEXED BY segmentUnverified
                    WHERE camera = ? AND isLocal = 1 AND \(Self.waits)
                    """, arguments: [camera.text])
            let oldest = try Row.fetchOne(
                db,
                sql: """
                    SELECT start FROM segment INDEXED BY segmentInCache WHERE camera = ? AND isLocal = 1
                    ORDER BY session, counter LIMIT 1
                    """, arguments: [camera.text])
            return Holdings(
                pendingSegments: try pending?.value("count") ?? 0, pendingBytes: try pending?.optional("bytes") ?? 0,
                oldestLocal: try oldest?.time("start"))
        }
    }

    /// How many segments are not in the cache, and neither in the store nor given up: a survey or the store decides.
    package func unsettled(_ camera: CameraName) throws(CatalogError) -> Int64 {
        try read("count what is in doubt in") { db in
            try Int64.fetchOne(
                db,
                sql: """
                    SELECT count(*) FROM segment INDEXED BY segmentUnsettled
                    WHERE camera = ? AND \(SegmentSelection.unsettled.condition)
                    """, arguments: [camera.text])
        } ?? 0
    }

    /// End of the footage that has waited longest for its upload: the first in order of (session, counter).
    package func oldestPending(_ camera: CameraName) throws(CatalogError) -> WallTime? {
        try read("find what waits in") { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT start, duration FROM segment INDEXED BY segmentUnverified
                    WHERE camera = ? AND isLocal = 1 AND \(Self.waits)
                    ORDER BY session, counter LIMIT 1
                    """, arguments: [camera.text]
            ).map { try $0.time("start") + $0.span("duration") }
        }
    }

    /// Everything in the cache below it is verified, or whole in a file: what a worker may free by itself (I7); nil when
    /// nothing is.
    ///
    /// `limit` is the first segment that exists outside the catalog, such as one that is still growing.
    package func evictableWatermark(_ camera: CameraName, below limit: SegmentID?) throws(CatalogError) -> SegmentID? {
        try read("find the watermark in") { db in
            let blocked = try Row.fetchOne(
                db,
                sql: """
                    SELECT session, counter FROM segment INDEXED BY segmentUnverified
                    WHERE camera = ? AND isLocal = 1 AND state <> 'verified' AND NOT (\(Self.isFiled) AND NOT \(Self.isHeld))
                    ORDER BY session, counter LIMIT 1
                    """, arguments: [camera.text]
            ).map { try SegmentID($0) }
            let bound = [blocked, limit].compactMap(\.self).min() ?? SegmentID(session: .max, counter: .max)
            return try SegmentSelection.goes.compactMap { selection in
                try Row.fetchOne(
                    db,
                    sql: """
                        SELECT session, counter FROM segment INDEXED BY \(selection.index)
                        WHERE camera = ? AND \(selection.condition) AND (session, counter) < (?, ?)
                        ORDER BY session DESC, counter DESC LIMIT 1
                        """, arguments: [camera.text, bound.session, bound.counter]
                ).map { try SegmentID($0) }
            }.max()
        }
    }
}
