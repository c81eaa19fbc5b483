import GRDB
package import Recording

/// A segment that waits for its upload, without all that only its upload has to know.
package struct WaitingSegment: Hashable, Sendable {
    package var id: SegmentID
    package var bytes: Int64
    package var end: WallTime

    package init(id: SegmentID, bytes: Int64, end: WallTime) {
        self.id = id
        self.bytes = bytes
        self.end = end
    }
}

extension Catalog {
    /// At most `limit` of a selection in order of (session, counter), after `after`.
    package func waiting(
        _ camera: CameraName, _ selection: SegmentSelection, after: SegmentID?, limit: Int
    ) throws(CatalogError) -> [WaitingSegment] {
        try waiting(
            camera, selection, (after?.session ?? .min, after?.counter ?? .min), isNewestFirst: false, limit: limit)
    }

    /// At most `limit` of a selection against the order of (session, counter), before `before`.
    package func newestWaiting(
        _ camera: CameraName, _ selection: SegmentSelection, before: SegmentID?, limit: Int
    ) throws(CatalogError) -> [WaitingSegment] {
        try waiting(
            camera, selection, (before?.session ?? .max, before?.counter ?? .max), isNewestFirst: true, limit: limit)
    }

    private func waiting(
        _ camera: CameraName, _ selection: SegmentSelection, _ bound: (session: Int64, counter: Int64),
        isNewestFirst: Bool, limit: Int
    ) throws(CatalogError) -> [WaitingSegment] {
        let (relation, direction) = isNewestFirst ? ("<", "DESC") : (">", "ASC")
        let sql = """
            SELECT session, counter, bytes, start, duration FROM segment INDEXED BY \(selection.index)
            WHERE camera = ? AND (session, counter) \(relation) (?, ?) AND \(selection.condition)
            ORDER BY session \(direction), counter \(direction) LIMIT ?
            """
        return try read("list what waits in") { db in
            try Row.fetchAll(db, sql: sql, arguments: [camera.text, bound.session, bound.counter, limit]).map {
                WaitingSegment(
                    id: try SegmentID($0), bytes: try $0.value("bytes"), end: try $0.time("start") + $0.span("duration")
                )
            }
        }
    }

    /// Bytes a second of a camera's newest footage, and when it ends; nil when nothing of it is known.
    package func recordingRate(_ camera: CameraName) throws(CatalogError) -> (bytesPerSecond: Double, until: WallTime)?
    {
        let newest = try read("measure the footage in") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT bytes, start, duration FROM segment WHERE camera = ?
                    ORDER BY session DESC, counter DESC LIMIT 10
                    """, arguments: [camera.text]
            ).map {
                (bytes: try $0.value("bytes") as Int64, start: try $0.time("start"), span: try $0.span("duration"))
            }
        }
        guard let last = newest.first else { return nil }
        let seconds = newest.reduce(0) { $0 + max(0, $1.span.seconds) }
        let bytes = newest.reduce(0) { $0 + Double(max(0, $1.bytes)) }
        return (seconds > 0 ? bytes / seconds : 0, last.start + last.span)
    }
}
