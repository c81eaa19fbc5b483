import CLinux
import Glibc

/// `<state>/sync`: all that cvr-sync keeps, in a folder of its own, so that it can be kept out of what lies beside it.
package struct SyncFolder {
    /// What a build that kept them in `<state>` itself left there, in an order in which a crash leaves no catalog
    /// without its last transactions.
    private static let moved = ["catalog.sqlite-wal", "catalog.sqlite-shm", "catalog.sqlite", "stores", "clock"]

    package let path: String
    private let state: String

    package init(state: String) {
        self.state = state
        path = state + "/sync"
    }

    /// Makes the folder and takes over what an earlier build left beside it; any number of times, with the same result.
    ///
    /// Throws with code `locked` while a cvr-sync of such a build still runs.
    package func prepare() throws(SyncError) {
        guard mkdir(path, 0o750) == 0 || errno == EEXIST else { throw failure("create \(path)") }
        let former = state + "/sync.lock"
        guard access(former, F_OK) == 0 else { return }
        let lock = try ProcessLock(former)
        for name in Self.moved where access("\(state)/\(name)", F_OK) == 0 {
            guard rename("\(state)/\(name)", "\(path)/\(name)") == 0 else { throw failure("move \(state)/\(name)") }
        }
        unlink(state + "/.ballast")
        // Last: as long as it is there, the move is not done.
        guard unlink(former) == 0 else { throw failure("remove \(former)") }
        withExtendedLifetime(lock) {}
    }

    private func failure(_ what: String) -> SyncError {
        SyncError(
            errno == ENOSPC || errno == EDQUOT ? .noSpace : .failed, "\(what): \(String(cString: strerror(errno)))",
            nextStep: "make \(state) writable for the user cvr")
    }
}
