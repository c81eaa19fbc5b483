import GRDB
package import Recording

extension Catalog {
    package func camera(_ name: CameraName) throws(CatalogError) -> CameraRow? {
        try read("look up a camera in") { db in
            try Row.fetchOne(db, sql: "SELECT * FROM camera WHERE name = ?", arguments: [name.text])
                .map { try CameraRow($0) }
        }
    }

    package func save(_ camera: CameraRow) throws(CatalogError) {
        try write("save a camera in") { try Self.save(camera, $0) }
    }

    /// Takes facts and how far their file was read in one transaction: a fold that dies is folded again.
    ///
    /// `isDoubted`: an earlier catalog may have seen to it that the store holds what they speak of.
    package func apply(_ facts: [Fact], _ camera: CameraRow, isDoubted: Bool = false) throws(CatalogError) {
        try write("fold a journal into") { db in
            for fact in facts { try Self.apply(fact, camera.name, isDoubted: isDoubted, db) }
            try Self.save(camera, db)
        }
    }

    /// Forgets what a journal said: another journal, on another disk, is read from its start.
    ///
    /// What segments in the store told stays: they still do.
    package func forgetJournal(of camera: CameraName) throws(CatalogError) {
        try write("forget a journal in") { db in
            for table in ["gap WHERE sequence > 0 AND", "session WHERE", "eviction WHERE", "filed WHERE"] {
                try db.execute(sql: "DELETE FROM \(table) camera = ?", arguments: [camera.text])
            }
        }
    }

    /// None of it is on the disk that the camera's cache is on now.
    package func leaveDisk(_ camera: CameraName) throws(CatalogError) {
        try write("leave a disk in") { db in
            try db.execute(sql: "UPDATE segment SET isLocal = 0 WHERE camera = ?", arguments: [camera.text])
        }
    }

    /// Moves what was never stored to another asset, but for sessions that have one of their own.
    package func rekey(_ camera: CameraName, from old: String, to new: String) throws(CatalogError) {
        try write("move an asset in") { db in
            try db.execute(
                sql: """
                    UPDATE segment SET key = ? || substr(key, ?)
                    WHERE camera = ? AND state IN ('closed', 'evicted') AND isUncertain = 0 AND substr(key, 1, ?) = ?
                        AND session NOT IN (SELECT session FROM session WHERE camera = ? AND asset <> '')
                    """, arguments: [new, old.count + 1, camera.text, old.count, old, camera.text])
        }
    }

    package func eviction(_ camera: CameraName, _ id: SegmentID) throws(CatalogError) -> EvictionRow? {
        try read("look up an eviction in") { db in
            try Row.fetchOne(
                db, sql: "SELECT * FROM eviction WHERE camera = ? AND session = ? AND counter = ?",
                arguments: [camera.text, id.session, id.counter]
            ).map { try EvictionRow($0) }
        }
    }
}

extension Catalog {
    static func save(_ camera: CameraRow, _ db: Database, orIgnore: Bool = false) throws {
        try db.execute(
            sql: """
                INSERT OR \(orIgnore ? "IGNORE" : "REPLACE") INTO camera (name, asset, retention, identity,
                    journalOffset, journalSession, ledgerOffset, directory, maximumBytes)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                camera.name.text, camera.asset, camera.retention?.microseconds, camera.identity,
                camera.journal.offset, camera.journal.session, camera.ledger, camera.files?.directory,
                camera.files?.maximumBytes,
            ])
    }

    static func apply(_ fact: Fact, _ camera: CameraName, isDoubted: Bool, _ db: Database) throws {
        switch fact {
        case .sessionStarted(let row):
            try closeTold(before: row.anchor, camera, db)
            try db.execute(
                sql: """
                    INSERT INTO session (camera, session, anchor, quality, codecs, end, endReason, asset, file,
                        goesToStore)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET asset = excluded.asset, file = excluded.file,
                        goesToStore = excluded.goesToStore
                    WHERE session.asset = '' AND session.file = '' AND session.goesToStore = 1
                    """,
                arguments: [
                    camera.text, row.session, row.anchor.microseconds, row.quality.rawValue, row.codecs,
                    row.end?.microseconds, row.endReason?.rawValue, row.asset, row.file, row.goesToStore,
                ])
            if !row.asset.isEmpty { try move(row, camera, db) }
        case .sessionEnded(let session, let end, let reason):
            try db.execute(
                sql: "UPDATE session SET end = ?, endReason = ? WHERE camera = ? AND session = ?",
                arguments: [end.microseconds, reason.rawValue, camera.text, session])
        case .gapOpened(let row):
            try closeGaps(before: row, camera, db)
            try insert(row, camera, db)
        case .gapClosed(let to):
            try forgetTold(to: to, camera, db)
            try db.execute(
                sql: "UPDATE gap INDEXED BY gapOpen SET end = ? WHERE camera = ? AND end IS NULL",
                arguments: [to.microseconds, camera.text])
        case .segmentClosed(let id, let key, let start, let duration, let bytes):
            let row = SegmentRow(
                camera: camera, id: id, key: key, start: start, duration: duration, bytes: bytes, state: .closed,
                isLocal: false, isUncertain: isDoubted, isRead: false)
            try db.execute(sql: "INSERT OR IGNORE INTO \(SegmentRow.insertion)", arguments: try row.arguments)
        case .evicted(let row):
            try record(row, camera, db)
        }
    }

    /// What a ledger told of a session before its journal did lies in its asset, too.
    private static func move(_ row: SessionRow, _ camera: CameraName, _ db: Database) throws {
        try db.execute(
            sql: """
                UPDATE segment SET key = substr(key, 1, instr(key, '/')) || ? || substr(
                    key, instr(key, '/') + instr(substr(key, instr(key, '/') + 1), '/'))
                WHERE camera = ? AND session = ? AND state IN ('closed', 'evicted') AND key <> ''
                """, arguments: [row.asset, camera.text, row.session])
    }

    static func record(_ row: EvictionRow, _ camera: CameraName, _ db: Database) throws {
        try db.execute(
            sql: "INSERT OR REPLACE INTO eviction VALUES (?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                camera.text, row.id.session, row.id.counter, row.start.microseconds,
                row.duration.within(row.start).microseconds, row.bytes, row.reason,
            ])
    }
}
