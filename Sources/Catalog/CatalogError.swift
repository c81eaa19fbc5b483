import GRDB

/// A catalog that cannot be opened, read or written.
package struct CatalogError: Error, Hashable, Sendable, CustomStringConvertible {
    package var operation: String
    package var path: String
    package var detail: String
    package var nextStep: String
    /// The file is not a database any more: set it aside and rebuild (I6).
    package var isCorrupt: Bool
    /// Its tables are those of an older build, which its writer brings up to date.
    package var isOutdated: Bool
    /// The state disk is full: freeing space helps.
    package var isNoSpace = false

    init(
        _ operation: String, _ path: String, detail: String, nextStep: String, isCorrupt: Bool = false,
        isOutdated: Bool = false
    ) {
        self.operation = operation
        self.path = path
        self.detail = detail
        self.nextStep = nextStep
        self.isCorrupt = isCorrupt
        self.isOutdated = isOutdated
    }

    init(_ operation: String, _ path: String, _ error: any Error) {
        if let known = error as? CatalogError {
            self = known
            return
        }
        let code = (error as? DatabaseError)?.resultCode
        self.init(
            operation, path, detail: "\(error)", nextStep: Self.nextStep(code),
            isCorrupt: code == .SQLITE_CORRUPT || code == .SQLITE_NOTADB)
        isNoSpace = code == .SQLITE_FULL
    }

    package var description: String { "\(operation) \(path): \(detail); \(nextStep)" }

    /// SQLite's result codes as an operator's next step.
    private static func nextStep(_ code: ResultCode?) -> String {
        switch code {
        case .SQLITE_CORRUPT?, .SQLITE_NOTADB?: "none: it is set aside and rebuilt from the caches and the store"
        case .SQLITE_FULL?: "free space on the state disk"
        case .SQLITE_CANTOPEN?, .SQLITE_PERM?, .SQLITE_READONLY?, .SQLITE_AUTH?:
            "make the state directory writable for the user cvr"
        case .SQLITE_IOERR?: "check the state disk"
        case .SQLITE_BUSY?, .SQLITE_LOCKED?: "stop the other program that writes to the catalog"
        default: "see the log"
        }
    }
}
