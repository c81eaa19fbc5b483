import GRDB
package import Recording

extension SegmentID {
    /// More sessions than a camera ever has.
    private static let step: Int64 = 1 << 40

    /// The session's own number, which a segment is listed with.
    ///
    /// Two boxes that recorded one camera may have given one number to two segments; the catalog keeps the earlier one
    /// under a number of its own, which is negative.
    package var ownSession: Int64 { session < 0 ? floorModulo(session, Self.step) : session }

    /// The next number under which a segment may be kept when this one is another's.
    package var alias: SegmentID { SegmentID(session: session.subtractingSaturated(Self.step), counter: counter) }
}

extension Catalog {
    /// The number under which the catalog keeps, or can keep, the segment that began at `start` (whole milliseconds) and
    /// calls itself `id`; nil when there is no number left for it.
    package func place(
        _ camera: CameraName, _ id: SegmentID, startingAt start: WallTime
    ) throws(CatalogError) -> SegmentID? {
        var place = id
        for _ in 0..<1000 {
            guard let known = try segment(camera, place), known.start.wholeMilliseconds != start else { return place }
            place = place.alias
        }
        return nil
    }

    /// Keeps a segment, and what is known of its end, under the next number that is free: its own is another's.
    package func moveAside(_ camera: CameraName, _ id: SegmentID) throws(CatalogError) {
        try write("make room for a segment in") { db in
            var alias = id.alias
            while try Bool.fetchOne(
                db,
                sql: "SELECT EXISTS (SELECT 1 FROM segment WHERE camera = ? AND session = ? AND counter = ?)",
                arguments: [camera.text, alias.session, alias.counter]) == true, alias.session > .min / 2
            { alias = alias.alias }
            // What has the number now has the place in the cache too.
            for change in ["segment SET isLocal = 0,", "eviction SET"] {
                try db.execute(
                    sql: "UPDATE OR REPLACE \(change) session = ? WHERE camera = ? AND session = ? AND counter = ?",
                    arguments: [alias.session, camera.text, id.session, id.counter])
            }
            try db.execute(
                sql: """
                    INSERT OR IGNORE INTO session (camera, session, anchor, quality, codecs, end, endReason, asset)
                    SELECT camera, ?, anchor, quality, codecs, end, endReason, asset FROM session
                    WHERE camera = ? AND session = ?
                    """, arguments: [alias.session, camera.text, id.session])
        }
    }
}
