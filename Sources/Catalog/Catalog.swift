import Foundation
import GRDB
import GRDBSQLite
package import Recording

/// The index of all segments, gaps and sessions: SQLite in WAL mode, a function of caches and store (I6).
///
/// One process writes it: cvr-sync (I7). Others may read the file; its WAL and shared memory stay when it is closed.
/// A power cut loses at most the last ordinary commits, which the next survey makes again; facts that permit an
/// eviction are committed with full sync (I3).
package final class Catalog: Sendable {
    package let path: String
    let pool: DatabasePool

    /// Opens or creates the catalog and brings its tables up to date.
    ///
    /// Throws an error with `isCorrupt` when the file is no catalog: see `setAside`.
    package init(path: String) throws(CatalogError) {
        self.path = path
        do {
            pool = try DatabasePool(path: path, configuration: Self.configuration)
            try Self.migrator.migrate(pool)
            try pool.writeWithoutTransaction { try Self.expectSynchronous(1, $0, path) }
        } catch {
            throw CatalogError("open", path, error)
        }
    }

    /// Opens a catalog that another process writes, to read: nothing is created, brought up to date or written.
    ///
    /// The WAL and its shared memory, which stay when the writer closes, may be read-only as well. Throws an error with
    /// `isOutdated` for one whose writer has not brought it up to date yet; a newer one is read as far as it is known.
    package init(reading path: String) throws(CatalogError) {
        self.path = path
        do {
            var configuration = Self.configuration
            configuration.readonly = true
            configuration.maximumReaderCount = 4
            pool = try DatabasePool(path: path, configuration: configuration)
            guard try pool.read({ try Self.migrator.appliedIdentifiers($0).isSuperset(of: Self.readable) }) else {
                throw CatalogError(
                    "read", path, detail: "it is of an older build", nextStep: "none: cvr-sync brings it up to date",
                    isOutdated: true)
            }
        } catch {
            throw CatalogError("open", path, error)
        }
    }

    /// Moves a damaged catalog out of the way, with its WAL and shared memory, and returns its new path.
    ///
    /// Nothing may have it open. The damaged file is kept for whoever wants to know what happened.
    package static func setAside(path: String, at now: WallTime) throws(CatalogError) -> String {
        let kept = path + ".damaged-" + now.rfc3339.filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
        for suffix in ["", "-wal", "-shm"] where rename(path + suffix, kept + suffix) != 0 && errno != ENOENT {
            throw CatalogError(
                "set aside", path + suffix, detail: String(cString: strerror(errno)),
                nextStep: "make the state directory writable for the user cvr, or move the file away")
        }
        return kept
    }

    /// Folds the WAL back when it has grown past its bound; readers in the middle of a transaction only delay it.
    package func boundWAL(to limit: Int64 = 32 << 20) throws(CatalogError) {
        var status = stat()
        guard stat(path + "-wal", &status) == 0, Int64(status.st_size) > limit else { return }
        do {
            try pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            return  // A reader is in the way; the next call tries again.
        } catch {
            throw CatalogError("checkpoint", path, error)
        }
    }

    package func close() throws(CatalogError) {
        do { try pool.close() } catch { throw CatalogError("close", path, error) }
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.label = "catalog"
        configuration.maximumReaderCount = 2
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216")
            guard !db.configuration.readonly else { return }
            var isPersistent: CInt = 1
            sqlite3_file_control(db.sqliteConnection, nil, SQLITE_FCNTL_PERSIST_WAL, &isPersistent)
        }
        return configuration
    }
}

extension Catalog {
    func read<Value>(_ operation: String, _ body: (Database) throws -> Value) throws(CatalogError) -> Value {
        do { return try pool.read(body) } catch { throw CatalogError(operation, path, error) }
    }

    func write<Value>(_ operation: String, _ body: (Database) throws -> Value) throws(CatalogError) -> Value {
        do { return try pool.write(body) } catch { throw CatalogError(operation, path, error) }
    }

    /// A transaction that is on the disk when this returns (I3).
    ///
    /// SQLite ignores the pragma inside a transaction, so it brackets one; that it was in force is read back from
    /// the connection that commits.
    func writeDurably<Value>(
        _ operation: String, _ body: (Database) throws -> Value
    ) throws(CatalogError) -> Value {
        do {
            return try pool.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA synchronous = FULL")
                defer { try? db.execute(sql: "PRAGMA synchronous = NORMAL") }  // Staying at FULL is slower, not wrong.
                try db.beginTransaction(.immediate)
                do {
                    try Self.expectSynchronous(2, db, path)
                    let value = try body(db)
                    try db.commit()
                    return value
                } catch {
                    try? db.rollback()  // The first error is the one to tell; a failed commit left nothing to undo.
                    throw error
                }
            }
        } catch {
            throw CatalogError(operation, path, error)
        }
    }

    private static func expectSynchronous(_ level: Int, _ db: Database, _ path: String) throws {
        guard try Int.fetchOne(db, sql: "PRAGMA synchronous") == level else {
            throw CatalogError(
                "commit", path, detail: "SQLite is not at synchronous level \(level)",
                nextStep: "report this as a defect of the build; nothing was evicted")
        }
    }

    /// A stored note by name: small facts that belong to no camera.
    package func note(_ name: String) throws(CatalogError) -> String? {
        try read("read a note in") {
            try String.fetchOne($0, sql: "SELECT value FROM note WHERE name = ?", arguments: [name])
        }
    }

    package func setNote(_ name: String, _ value: String?) throws(CatalogError) {
        try write("write a note to") { db in
            if let value {
                try db.execute(
                    sql: "INSERT OR REPLACE INTO note (name, value) VALUES (?, ?)", arguments: [name, value])
            } else {
                try db.execute(sql: "DELETE FROM note WHERE name = ?", arguments: [name])
            }
        }
    }
}
