import GRDB
package import Recording

/// A legal hold: footage of a camera that nobody may delete, as an object in the store says (design §4).
package struct HoldRow: Hashable, Sendable {
    package var id: String
    package var camera: CameraName
    /// In whose folder of the store it lies.
    package var asset: String
    package var from: WallTime
    package var to: WallTime
    /// One line of the operator's.
    package var reason: String
    package var created: WallTime

    package init(
        id: String, camera: CameraName, asset: String, from: WallTime, to: WallTime, reason: String, created: WallTime
    ) {
        self.id = id
        self.camera = camera
        self.asset = asset
        self.from = from
        self.to = to
        self.reason = reason
        self.created = created
    }
}

/// What is known of the store's holds: read from there before anything is deleted, and kept for when it is away.
extension Catalog {
    static let holds = """
        CREATE TABLE hold (
            id TEXT PRIMARY KEY NOT NULL,
            camera TEXT NOT NULL,
            asset TEXT NOT NULL,
            start INTEGER NOT NULL,
            end INTEGER NOT NULL,
            reason TEXT NOT NULL,
            created INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX holdByCamera ON hold (camera, start, end);
        """

    /// Of a row of `segment`: some hold covers a part of it.
    static let isHeld = """
        EXISTS (SELECT 1 FROM hold WHERE hold.camera = segment.camera
            AND hold.start < segment.start + max(segment.duration, 1) AND hold.end > segment.start)
        """

    /// By beginning; of all cameras for nil.
    package func holds(_ camera: CameraName?) throws(CatalogError) -> [HoldRow] {
        try read("list holds in") { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM hold WHERE camera = ?1 OR ?1 IS NULL ORDER BY camera, start, id",
                arguments: [camera?.text]
            ).map { try HoldRow($0) }
        }
    }

    package func hold(_ id: String) throws(CatalogError) -> HoldRow? {
        try read("look up a hold in") { db in
            try Row.fetchOne(db, sql: "SELECT * FROM hold WHERE id = ?", arguments: [id]).map { try HoldRow($0) }
        }
    }

    /// From here on none of it is given up; on return this survives a power cut.
    package func save(_ hold: HoldRow) throws(CatalogError) {
        try writeDurably("save a hold in") { db in
            try db.execute(
                sql: "INSERT OR REPLACE INTO hold VALUES (?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    hold.id, hold.camera.text, hold.asset, hold.from.microseconds, hold.to.microseconds, hold.reason,
                    hold.created.microseconds,
                ])
        }
    }

    package func removeHold(_ id: String) throws(CatalogError) {
        try write("remove a hold from") { try $0.execute(sql: "DELETE FROM hold WHERE id = ?", arguments: [id]) }
    }

    package func isHeld(_ row: SegmentRow) throws(CatalogError) -> Bool {
        try read("look for a hold in") { db in
            try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM hold WHERE camera = ? AND start < ? AND end > ?)",
                arguments: [
                    row.camera.text, max(row.end, row.start + TimeSpan(microseconds: 1)).microseconds,
                    row.start.microseconds,
                ]) ?? true
        }
    }
}

extension HoldRow {
    init(_ row: Row) throws {
        self.init(
            id: try row.value("id"), camera: try row.word("camera") { CameraName($0) }, asset: try row.value("asset"),
            from: try row.time("start"), to: try row.time("end"), reason: try row.value("reason"),
            created: try row.time("created"))
    }
}
