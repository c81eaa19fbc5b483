import GRDB
package import Recording

/// A file that the file sink of a camera wrote, or is about to.
package struct SinkFile: Hashable, Sendable {
    package var path: String
    package var session: Int64
    /// Position among the files of the session, from 0: each picture format has one.
    package var part: Int64
    /// Of its media.
    package var start: WallTime
    package var end: WallTime
    package var bytes: Int64
    /// CRC-32C of all of it.
    package var checksum: UInt32
    /// It has its name; false while it is only on record that it will have.
    package var isWritten: Bool

    package init(
        path: String, session: Int64, part: Int64, start: WallTime, end: WallTime, bytes: Int64, checksum: UInt32,
        isWritten: Bool = false
    ) {
        (self.path, self.session, self.part) = (path, session, part)
        (self.start, self.end, self.bytes, self.checksum) = (start, end, bytes, checksum)
        self.isWritten = isWritten
    }
}

/// Where the footage of a session goes besides the camera's own asset, and how far that has come.
extension Catalog {
    /// What a segment needs to be told apart is in its own row, by triggers: no question looks a session up for each row.
    static let outputs = """
        ALTER TABLE session ADD COLUMN asset TEXT NOT NULL DEFAULT '';
        ALTER TABLE session ADD COLUMN file TEXT NOT NULL DEFAULT '';
        ALTER TABLE session ADD COLUMN goesToStore INTEGER NOT NULL DEFAULT 1;
        -- its file is whole, and on the disk
        ALTER TABLE session ADD COLUMN isFiled INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE segment ADD COLUMN goesToStore INTEGER NOT NULL DEFAULT 1;
        ALTER TABLE camera ADD COLUMN directory TEXT;
        ALTER TABLE camera ADD COLUMN maximumBytes INTEGER;
        CREATE INDEX sessionByAsset ON session (asset, camera) WHERE asset <> '';
        CREATE INDEX sessionUnfiled ON session (camera, session) WHERE file <> '' AND isFiled = 0;
        DROP INDEX segmentUnverified;
        CREATE INDEX segmentUnverified
            ON segment (camera, session, counter, state, start, duration, bytes, isLocal, goesToStore)
            WHERE isLocal = 1 AND state <> 'verified';
        CREATE INDEX segmentUnfiled ON segment (camera, session, counter, state, bytes, isLocal, goesToStore)
            WHERE isLocal = 1 AND state <> 'verified' AND goesToStore = 0;
        -- by itself, since a ledger tells of it before the journal tells of the session
        CREATE TABLE filed (
            camera TEXT NOT NULL,
            session INTEGER NOT NULL,
            PRIMARY KEY (camera, session)
        ) WITHOUT ROWID;
        CREATE TABLE sinkFile (
            -- in the order in which they were written
            sequence INTEGER PRIMARY KEY,
            camera TEXT NOT NULL,
            path TEXT NOT NULL,
            session INTEGER NOT NULL,
            part INTEGER NOT NULL,
            start INTEGER NOT NULL,
            end INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            checksum INTEGER NOT NULL,
            isWritten INTEGER NOT NULL,
            UNIQUE (camera, path)
        );
        CREATE INDEX sinkFileBySession ON sinkFile (camera, session, part);
        -- the highest number that the store ever had
        CREATE TABLE stored (
            camera TEXT PRIMARY KEY NOT NULL,
            session INTEGER NOT NULL,
            counter INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TRIGGER segmentOfFile AFTER INSERT ON segment
            WHEN EXISTS (SELECT 1 FROM session
                WHERE camera = NEW.camera AND session = NEW.session AND goesToStore = 0)
        BEGIN UPDATE segment SET goesToStore = 0 WHERE rowid = NEW.rowid; END;
        \(sessionTrigger("sessionOfFile", "INSERT ON session WHEN NEW.goesToStore = 0"))
        \(sessionTrigger("sessionLateOfFile", "UPDATE OF goesToStore ON session WHEN NEW.goesToStore = 0"))
        CREATE TRIGGER filedEntered AFTER INSERT ON filed
        BEGIN UPDATE session SET isFiled = 1 WHERE camera = NEW.camera AND session = NEW.session; END;
        CREATE TRIGGER sessionFiled AFTER INSERT ON session
            WHEN EXISTS (SELECT 1 FROM filed WHERE camera = NEW.camera AND session = NEW.session)
        BEGIN UPDATE session SET isFiled = 1 WHERE camera = NEW.camera AND session = NEW.session; END;
        \(storedTrigger("segmentStored", "INSERT ON segment WHEN NEW.state = 'verified'"))
        \(storedTrigger("segmentNewlyStored", """
            UPDATE OF state ON segment WHEN NEW.state = 'verified' AND OLD.state <> 'verified'
            """))
        INSERT INTO stored SELECT segment.camera, session, counter FROM camera JOIN segment ON segment.rowid = (
            SELECT rowid FROM segment s WHERE s.camera = camera.name AND s.session > 0 AND s.state = 'verified'
            ORDER BY s.session DESC, s.counter DESC LIMIT 1);
        """

    private static func sessionTrigger(_ name: String, _ event: String) -> String {
        """
        CREATE TRIGGER \(name) AFTER \(event)
        BEGIN UPDATE segment SET goesToStore = 0 WHERE camera = NEW.camera AND session = NEW.session; END;
        """
    }

    /// An alias, whose session is negative, is of the past.
    private static func storedTrigger(_ name: String, _ event: String) -> String {
        """
        CREATE TRIGGER \(name) AFTER \(event) AND NEW.session > 0 BEGIN
            INSERT INTO stored VALUES (NEW.camera, NEW.session, NEW.counter)
            ON CONFLICT DO UPDATE SET session = excluded.session, counter = excluded.counter
                WHERE (excluded.session, excluded.counter) > (session, counter);
        END;
        """
    }

    /// Of a row of `segment`: it goes into a file alone, and that is whole.
    static let isFiled = """
        (goesToStore = 0 AND state = 'closed' AND EXISTS (SELECT 1 FROM filed
            WHERE filed.camera = segment.camera AND filed.session = segment.session))
        """
}

extension Catalog {
    package func session(_ camera: CameraName, _ number: Int64) throws(CatalogError) -> SessionRow? {
        try read("look up a session in") { db in
            try Row.fetchOne(
                try db.cachedStatement(sql: "SELECT * FROM session WHERE camera = ? AND session = ?"),
                arguments: [camera.text, number]
            ).map { try SessionRow($0) }
        }
    }

    /// The numbers of the sessions that were recorded into an asset of their own, and the camera they are of; nil for an
    /// asset that no session has.
    package func sessions(
        ofAsset asset: String
    ) throws(CatalogError) -> (camera: CameraName, sessions: Set<Int64>)? {
        try read("look up an asset in") { db in
            // A catalog that its writer has not brought up to date yet has no such column.
            guard !asset.isEmpty, try db.columns(in: "session").contains(where: { $0.name == "asset" }) else {
                return nil
            }
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT camera, session FROM session INDEXED BY sessionByAsset
                    WHERE asset = ? AND asset <> '' ORDER BY camera, session
                    """, arguments: [asset])
            guard let camera = try rows.last?.word("camera", { CameraName($0) }) else { return nil }
            let own = try rows.filter { try $0.value("camera") as String == camera.text }
            return (camera, Set(try own.map { try $0.value("session") as Int64 }))
        }
    }

    /// The assets that sessions of a camera have of their own, by name.
    package func assets(_ camera: CameraName) throws(CatalogError) -> [String] {
        try read("list assets in") { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT DISTINCT asset FROM session INDEXED BY sessionByAsset
                    WHERE camera = ? AND asset <> '' ORDER BY asset
                    """, arguments: [camera.text])
        }
    }

    /// The starts of the first and the last segment of the sessions that have an asset of their own; nil when there is none.
    package func bounds(
        _ camera: CameraName, ofAsset asset: String
    ) throws(CatalogError) -> (first: WallTime, last: WallTime)? {
        try read("find the ends of an asset in") { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT min(start) AS first, max(start) AS last FROM segment WHERE camera = ?1 AND session IN (
                        SELECT session FROM session INDEXED BY sessionByAsset
                        WHERE asset = ?2 AND asset <> '' AND camera = ?1)
                    """, arguments: [camera.text, asset])
            guard let row, let first: Int64 = try row.optional("first"), let last: Int64 = try row.optional("last")
            else { return nil }
            return (WallTime(microseconds: first), WallTime(microseconds: last))
        }
    }

    /// The newest segment that the store ever had: by (session, counter); nil for none.
    package func storedThrough(_ camera: CameraName) throws(CatalogError) -> SegmentID? {
        try read("find the newest in the store in") { db in
            try Row.fetchOne(db, sql: "SELECT session, counter FROM stored WHERE camera = ?", arguments: [camera.text])
                .map { try SegmentID($0) }
        }
    }

    /// The newest session whose file is whole and on its disk, as those of all before it are; nil for none.
    package func filedThrough(_ camera: CameraName) throws(CatalogError) -> Int64? {
        try read("find the newest file in") { db in
            try Int64.fetchOne(
                db,
                sql: """
                    SELECT session FROM filed WHERE camera = ?1 AND session < coalesce((
                        SELECT session FROM session INDEXED BY sessionUnfiled
                        WHERE camera = ?1 AND file <> '' AND isFiled = 0 ORDER BY session LIMIT 1), ?2)
                    ORDER BY session DESC LIMIT 1
                    """, arguments: [camera.text, Int64.max])
        }
    }

    /// At most `limit` sessions after `last` that a file is still to be made of, the oldest first.
    package func unfiledSessions(
        _ camera: CameraName, after last: Int64 = .min, limit: Int
    ) throws(CatalogError) -> [SessionRow] {
        try read("list what is to be filed in") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM session INDEXED BY sessionUnfiled
                    WHERE camera = ? AND file <> '' AND isFiled = 0 AND session > ? ORDER BY session LIMIT ?
                    """, arguments: [camera.text, last, limit]
            ).map { try SessionRow($0) }
        }
    }

    /// Bytes in the cache that are nowhere else, nor will be before their file is whole.
    package func unfiledBytes(_ camera: CameraName) throws(CatalogError) -> Int64 {
        try read("sum up what is to be filed in") { db in
            try Int64.fetchOne(
                db,
                sql: """
                    SELECT sum(bytes) FROM segment INDEXED BY segmentUnfiled
                    WHERE camera = ? AND isLocal = 1 AND state <> 'verified' AND goesToStore = 0 AND NOT \(Self.isFiled)
                    """, arguments: [camera.text])
        } ?? 0
    }

    /// Nothing follows a session that is over: it ended, another one came after it, or since it a gap is open.
    package func isOver(_ camera: CameraName, session: Int64) throws(CatalogError) -> Bool {
        try read("look for the end of a session in") { db in
            try Bool.fetchOne(
                db,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM session WHERE camera = ?1 AND session = ?2 AND end IS NOT NULL)
                        OR EXISTS (SELECT 1 FROM session WHERE camera = ?1 AND session > ?2)
                        OR EXISTS (SELECT 1 FROM gap INDEXED BY gapOpen
                            WHERE camera = ?1 AND end IS NULL AND session = ?2)
                    """, arguments: [camera.text, session]) ?? false
        }
    }

    /// At most `limit` segments of a session after a counter, in order.
    package func segments(
        _ camera: CameraName, ofSession session: Int64, after counter: Int64 = -1, limit: Int
    ) throws(CatalogError) -> [SegmentRow] {
        try read("list a session in") { db in
            try SegmentPage.fetch(
                try db.cachedStatement(
                    sql: """
                        SELECT * FROM segment WHERE camera = ? AND session = ? AND counter > ? ORDER BY counter LIMIT ?
                        """),
                [camera.text, session, counter, limit], of: camera)
        }
    }

    /// The segment goes into a file alone, and that is whole.
    package func isFiled(_ camera: CameraName, _ id: SegmentID) throws(CatalogError) -> Bool {
        try read("look for a file in") { db in
            try Bool.fetchOne(
                db,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM segment WHERE camera = ? AND session = ? AND counter = ?
                        AND goesToStore = 0 AND EXISTS (SELECT 1 FROM filed
                            WHERE filed.camera = segment.camera AND filed.session = segment.session))
                    """, arguments: [camera.text, id.session, id.counter]) ?? false
        }
    }

    /// The files of a session are whole, and on their disk: from here on its segments may go (I3).
    package func noteFiled(_ camera: CameraName, session: Int64) throws(CatalogError) {
        try writeDurably("note a file in") { db in
            try db.execute(sql: "INSERT OR IGNORE INTO filed VALUES (?, ?)", arguments: [camera.text, session])
        }
    }
}

/// Files of sinks.
extension Catalog {
    /// In the order in which they were written.
    package func files(_ camera: CameraName) throws(CatalogError) -> [SinkFile] {
        try read("list files in") { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM sinkFile WHERE camera = ? ORDER BY sequence", arguments: [camera.text]
            ).map { try SinkFile($0) }
        }
    }

    package func file(
        _ camera: CameraName, session: Int64, part: Int64
    ) throws(CatalogError) -> SinkFile? {
        try read("look up a file in") { db in
            try Row.fetchOne(
                db, sql: "SELECT * FROM sinkFile WHERE camera = ? AND session = ? AND part = ? ORDER BY sequence DESC",
                arguments: [camera.text, session, part]
            ).map { try SinkFile($0) }
        }
    }

    /// On record as a file of the camera's that was written, whoever has the path now.
    package func hasFile(_ camera: CameraName, path: String) throws(CatalogError) -> Bool {
        try read("look up a file in") { db in
            try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM sinkFile WHERE camera = ? AND path = ? AND isWritten = 1)",
                arguments: [camera.text, path]) ?? true
        }
    }

    /// A file that is about to be written, and what was on record of the session's part or of the path is not any more.
    ///
    /// One that is on record as written stays so: a ledger is read behind what it tells.
    package func save(_ file: SinkFile, of camera: CameraName) throws(CatalogError) {
        try write("note a file in") { db in
            try db.execute(
                sql: "DELETE FROM sinkFile WHERE camera = ? AND session = ? AND part = ? AND isWritten = 0",
                arguments: [camera.text, file.session, file.part])
            try db.execute(
                sql: """
                    INSERT INTO sinkFile (camera, path, session, part, start, end, bytes, checksum, isWritten)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET isWritten = (session, part, bytes, checksum, isWritten)
                            = (excluded.session, excluded.part, excluded.bytes, excluded.checksum, 1),
                        session = excluded.session, part = excluded.part, start = excluded.start, end = excluded.end,
                        bytes = excluded.bytes, checksum = excluded.checksum
                    """,
                arguments: [
                    camera.text, file.path, file.session, file.part, file.start.microseconds, file.end.microseconds,
                    file.bytes, Int64(file.checksum), file.isWritten,
                ])
        }
    }

    package func noteWritten(_ camera: CameraName, path: String) throws(CatalogError) {
        try write("note a file in") { db in
            try db.execute(
                sql: "UPDATE sinkFile SET isWritten = 1 WHERE camera = ? AND path = ?", arguments: [camera.text, path])
        }
    }

    package func forgetFile(_ camera: CameraName, path: String) throws(CatalogError) {
        try write("forget a file in") { db in
            try db.execute(
                sql: "DELETE FROM sinkFile WHERE camera = ? AND path = ?", arguments: [camera.text, path])
        }
    }

    /// A hold covers a part of the file's media.
    package func isHeld(_ camera: CameraName, _ file: SinkFile) throws(CatalogError) -> Bool {
        try read("look for a hold in") { db in
            try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM hold WHERE camera = ? AND start < ? AND end > ?)",
                arguments: [camera.text, file.end.microseconds, file.start.microseconds]) ?? true
        }
    }
}

extension SinkFile {
    init(_ row: Row) throws {
        let checksum: Int64 = try row.value("checksum")
        self.init(
            path: try row.value("path"), session: try row.value("session"), part: try row.value("part"),
            start: try row.time("start"), end: try row.time("end"), bytes: try row.value("bytes"),
            checksum: UInt32(truncatingIfNeeded: checksum), isWritten: try row.value("isWritten"))
    }
}
