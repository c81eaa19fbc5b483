import Foundation
import GRDBSQLite
import Synchronization
import Testing

/// What SQLite did for each statement on one database file, by its own count.
///
/// Hooks into every connection that is opened to the file afterwards: the statements are those of the code under test.
struct StatementWatch {
    struct Run: Sendable {
        /// With its arguments.
        var sql: String
        /// Instructions of its virtual machine: some ten for each row or index entry that it visits.
        var steps: Int
        /// Rows that a scan without an index stepped over.
        var scanned: Int
        var sorts: Int
    }

    private static let runs = Mutex<[String: [Run]]>([:])
    private static let isHooked =
        sqlite3_auto_extension(unsafeBitCast(hook, to: (@convention(c) () -> Void).self)) == SQLITE_OK

    private let file: String

    init(file: String) throws {
        try #require(Self.isHooked)
        self.file = file
        Self.runs.withLock { $0[file] = [] }
    }

    /// What ran since the last call, and led to rows.
    func take() -> [Run] {
        Self.runs.withLock { runs in
            defer { runs[file] = [] }
            return (runs[file] ?? []).filter { $0.sql.hasPrefix("SELECT") }
        }
    }

    private static let hook:
        @convention(c) (OpaquePointer?, UnsafeMutablePointer<UnsafePointer<CChar>?>?, UnsafeRawPointer?) -> CInt = {
            connection, _, _ in
            guard let file = StatementWatch.file(connection), StatementWatch.runs.withLock({ $0[file] != nil }) else {
                return SQLITE_OK
            }
            return sqlite3_trace_v2(
                connection, CUnsignedInt(SQLITE_TRACE_PROFILE),
                { _, _, statement, _ in
                    StatementWatch.note(OpaquePointer(statement))
                    return SQLITE_OK
                }, nil)
        }

    private static func file(_ connection: OpaquePointer?) -> String? {
        sqlite3_db_filename(connection, "main").map { String(cString: $0) }
    }

    private static func note(_ statement: OpaquePointer?) {
        guard let file = file(sqlite3_db_handle(statement)), let text = sqlite3_expanded_sql(statement) else { return }
        defer { sqlite3_free(text) }
        func count(_ what: CInt) -> Int { Int(sqlite3_stmt_status(statement, what, 1)) }
        let run = Run(
            sql: String(cString: text), steps: count(SQLITE_STMTSTATUS_VM_STEP),
            scanned: count(SQLITE_STMTSTATUS_FULLSCAN_STEP), sorts: count(SQLITE_STMTSTATUS_SORT))
        runs.withLock { $0[file]?.append(run) }
    }
}
