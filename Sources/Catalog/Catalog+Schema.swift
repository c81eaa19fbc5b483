import GRDB

extension Catalog {
    /// Append-only: a migration that was released is never edited.
    ///
    /// Times and durations are microseconds.
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("segments") { db in try db.execute(sql: segments) }
        migrator.registerMigration("journals") { db in try db.execute(sql: journals) }
        migrator.registerMigration("questions") { db in try db.execute(sql: questions) }
        migrator.registerMigration("days") { db in try db.execute(sql: days) }
        migrator.registerMigration("holds") { db in try db.execute(sql: holds) }
        // CRC-32C of the `moov`, null in rows of builds that did not read it.
        migrator.registerMigration("formats") { db in
            try db.execute(sql: "ALTER TABLE segment ADD COLUMN format INTEGER")
        }
        migrator.registerMigration("outputs") { db in try db.execute(sql: outputs) }
        return migrator
    }

    /// What a reader cannot do without.
    static let readable: Set = ["segments", "journals", "questions", "days"]

    private static let segments = """
        CREATE TABLE segment (
            camera TEXT NOT NULL,
            session INTEGER NOT NULL,
            counter INTEGER NOT NULL,
            key TEXT NOT NULL,
            start INTEGER NOT NULL,
            duration INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            initLength INTEGER NOT NULL,
            mediaEnd INTEGER NOT NULL,
            -- FragmentTable: offset, key flag and decode time of each
            fragments BLOB NOT NULL,
            -- JSON: codec, timescale and base decode time of each
            tracks TEXT NOT NULL,
            frames INTEGER NOT NULL,
            codecs TEXT NOT NULL,
            -- CRC-32C of the file, null until it was read whole
            checksum INTEGER,
            state TEXT NOT NULL,
            isLocal INTEGER NOT NULL,
            isUncertain INTEGER NOT NULL,
            isRead INTEGER NOT NULL,
            PRIMARY KEY (camera, session, counter)
        );
        CREATE INDEX segmentByStart ON segment (camera, start);
        CREATE INDEX segmentInCache ON segment (camera, session, counter) WHERE isLocal = 1;
        CREATE INDEX segmentUnsettled ON segment (camera, session, counter)
            WHERE state IN ('closed', 'uploaded');
        CREATE INDEX segmentUncertain ON segment (camera, session, counter) WHERE isUncertain = 1;
        CREATE INDEX segmentVerified ON segment (camera, start) WHERE state = 'verified';
        CREATE TABLE note (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL);
        """

    private static let journals = """
        CREATE TABLE camera (
            name TEXT PRIMARY KEY NOT NULL,
            asset TEXT NOT NULL,
            retention INTEGER,
            identity TEXT NOT NULL,
            journalOffset INTEGER NOT NULL,
            journalSession INTEGER NOT NULL,
            ledgerOffset INTEGER NOT NULL
        );
        CREATE TABLE gap (
            camera TEXT NOT NULL,
            sequence INTEGER NOT NULL,
            session INTEGER NOT NULL,
            start INTEGER NOT NULL,
            end INTEGER,
            reason TEXT NOT NULL,
            detail TEXT NOT NULL,
            PRIMARY KEY (camera, sequence)
        );
        CREATE INDEX gapOpen ON gap (camera) WHERE end IS NULL;
        CREATE TABLE session (
            camera TEXT NOT NULL,
            session INTEGER NOT NULL,
            anchor INTEGER NOT NULL,
            quality TEXT NOT NULL,
            codecs TEXT NOT NULL,
            end INTEGER,
            endReason TEXT,
            PRIMARY KEY (camera, session)
        );
        CREATE TABLE eviction (
            camera TEXT NOT NULL,
            session INTEGER NOT NULL,
            counter INTEGER NOT NULL,
            start INTEGER NOT NULL,
            duration INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            reason TEXT NOT NULL,
            PRIMARY KEY (camera, session, counter)
        );
        """

    /// Indexes that answer each question by themselves, so that no question reads the rows that it does not return.
    ///
    /// SQLite 3.40 takes a partial index for covering only when it holds its own condition's columns.
    private static let questions = """
        DROP INDEX segmentByStart;
        DROP INDEX segmentInCache;
        DROP INDEX segmentUnsettled;
        CREATE INDEX segmentByStart ON segment (camera, start, session, counter, duration, state);
        CREATE INDEX segmentInCache ON segment (camera, session, counter, start, isRead, state, isLocal)
            WHERE isLocal = 1;
        CREATE INDEX segmentEvictable ON segment (camera, session, counter) WHERE isLocal = 1 AND state = 'verified';
        CREATE INDEX segmentUnverified ON segment (camera, session, counter, state, start, duration, bytes, isLocal)
            WHERE isLocal = 1 AND state <> 'verified';
        CREATE INDEX segmentUnsettled ON segment (camera, session, counter)
            WHERE isLocal = 0 AND state IN ('closed', 'uploaded');
        CREATE INDEX gapByStart ON gap (camera, start);
        """
}
