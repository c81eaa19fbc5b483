import GRDB
import Recording

/// A plus sign keeps SQLite from the index on start, which would walk all gaps before a moment.
extension Catalog {
    static func insert(_ row: GapRow, _ camera: CameraName, _ db: Database) throws {
        try db.execute(
            sql: "INSERT OR IGNORE INTO gap VALUES (?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                camera.text, row.sequence, row.session, row.gap.from.microseconds, row.gap.to?.microseconds,
                row.gap.reason.rawValue, row.gap.detail,
            ])
    }

    /// One gap is open at a time: where the record of a close was lost, the next gap's beginning ends the one before.
    ///
    /// Earlier still, if a segment began since: a gap would hide the media of its own session.
    static func closeGaps(before next: GapRow, _ camera: CameraName, _ db: Database) throws {
        try db.execute(
            sql: """
                UPDATE gap INDEXED BY gapOpen SET end = max(start, min(:next, ifnull(
                    (SELECT min(start) FROM segment WHERE camera = :camera AND start > gap.start
                        AND session >= gap.session), :next)))
                WHERE camera = :camera AND end IS NULL AND sequence < :sequence
                """,
            arguments: [
                "next": next.gap.from.microseconds, "camera": camera.text, "sequence": next.sequence,
            ])
    }

    /// The loss that a stored segment tells of, where no journal does.
    ///
    /// Its sequence is below all of a journal's: the negative of its end, by which it is entered once.
    static func insert(told gap: Gap, by id: SegmentID, _ camera: CameraName, _ db: Database) throws {
        guard let end = gap.to, gap.from < end, end.microseconds > 0 else { return }
        let isKnown = try Bool.fetchOne(
            db,
            sql: """
                SELECT EXISTS (SELECT 1 FROM gap
                    WHERE camera = ? AND sequence > 0 AND +start < ? AND (end IS NULL OR end > ?))
                """, arguments: [camera.text, end.microseconds, gap.from.microseconds])
        guard isKnown == false else { return }
        let session = id.counter == 0 ? id.session.subtractingSaturated(1) : id.session
        try insert(GapRow(sequence: -end.microseconds, session: session, gap: gap), camera, db)
    }

    /// A journal has the word, once it tells of the gap that ends here.
    static func forgetTold(to end: WallTime, _ camera: CameraName, _ db: Database) throws {
        try db.execute(
            sql: """
                DELETE FROM gap WHERE camera = :camera AND sequence < 0 AND +start < :end AND end >
                    (SELECT max(start) FROM gap INDEXED BY gapOpen WHERE camera = :camera AND end IS NULL)
                """, arguments: ["camera": camera.text, "end": end.microseconds])
    }
}
