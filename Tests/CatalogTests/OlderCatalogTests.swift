import Catalog
import GRDB
import Recording
import Testing

/// What playback reads while cvr-sync, which alone brings a catalog up to date, is away or older.
extension CatalogTests {
    /// Takes back what a migration did.
    private func undo(_ migration: String, _ statements: String) throws {
        let queue = try DatabaseQueue(path: path + "/catalog.sqlite")
        try queue.write { db in
            try db.execute(sql: statements)
            try db.execute(sql: "DELETE FROM grdb_migrations WHERE identifier = ?", arguments: [migration])
        }
        try queue.close()
    }

    private static let outputs = """
        DROP TRIGGER segmentOfFile; DROP TRIGGER sessionOfFile; DROP TRIGGER sessionLateOfFile; DROP TRIGGER filedEntered;
        DROP TRIGGER sessionFiled; DROP TRIGGER segmentStored; DROP TRIGGER segmentNewlyStored;
        DROP TABLE filed; DROP TABLE sinkFile; DROP TABLE stored;
        DROP INDEX sessionByAsset; DROP INDEX sessionUnfiled; DROP INDEX segmentUnverified; DROP INDEX segmentUnfiled;
        CREATE INDEX segmentUnverified ON segment (camera, session, counter, state, start, duration, bytes, isLocal)
            WHERE isLocal = 1 AND state <> 'verified';
        ALTER TABLE session DROP COLUMN asset; ALTER TABLE session DROP COLUMN file;
        ALTER TABLE session DROP COLUMN goesToStore; ALTER TABLE session DROP COLUMN isFiled;
        ALTER TABLE segment DROP COLUMN goesToStore;
        ALTER TABLE camera DROP COLUMN directory; ALTER TABLE camera DROP COLUMN maximumBytes;
        """

    @Test("a catalog without the newest columns and tables is read as far as it tells")
    func olderSchema() throws {
        let writer = try open()
        let rows = [row(1, 0, state: .verified), row(1, 1, state: .verified)]
        try writer.save(CameraRow(name: front, asset: "archive", retention: nil))
        try writer.enter(rows)
        #expect(try writer.storedThrough(front) == rows[1].id)
        try writer.close()
        try undo("outputs", Self.outputs)
        try undo("formats", "ALTER TABLE segment DROP COLUMN format")
        try undo("holds", "SELECT 1")
        let reader = try Catalog(reading: path + "/catalog.sqlite")
        #expect(try reader.segments(front, from: nil, to: nil, limit: 9) == rows)
        #expect(try reader.segment(front, rows[1].id) == rows[1])
        #expect(try reader.footage(front)?.last == rows[1].end)
        #expect(try reader.camera(front)?.asset == "archive" && reader.sessions(ofAsset: "archive") == nil)
        #expect(try reader.hasFootage(front, from: rows[0].start, to: rows[0].end))
        try reader.close()
        // Its writer brings it up to date, and nothing is lost.
        try undo("holds", "DROP TABLE IF EXISTS hold")
        let newer = try open()
        #expect(try newer.segments(front, from: nil, to: nil, limit: 9) == rows)
        #expect(try newer.storedThrough(front) == rows[1].id)
    }

    @Test("a catalog that lacks what a reader needs is outdated, one of a newer build is not")
    func otherSchema() throws {
        try open().close()
        try DatabaseQueue(path: path + "/catalog.sqlite").write { db in
            try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('of-tomorrow')")
            try db.execute(sql: "ALTER TABLE segment ADD COLUMN mood TEXT")
        }
        #expect(try Catalog(reading: path + "/catalog.sqlite").segments(front, from: nil, to: nil, limit: 9) == [])
        try undo("days", "DROP TABLE day")
        #expect { try Catalog(reading: path + "/catalog.sqlite") } throws: { ($0 as? CatalogError)?.isOutdated == true }
    }
}
