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

    /// A journal has the word, once it tells of the gap that ends here.
    static func forgetTold(to end: WallTime, _ camera: CameraName, _ db: Database) throws {
        try db.execute(
            sql: """
                DELETE FROM gap WHERE camera = :camera AND sequence < 0 AND +start < :end AND end >
                    (SELECT max(start) FROM gap INDEXED BY gapOpen WHERE camera = :camera AND end IS NULL)
                """, arguments: ["camera": camera.text, "end": end.microseconds])
    }
}
