import CLinux
import Glibc

/// The right to be the only one: flock(2), held until it is dropped or the process ends, however it ends (I7).
final class ProcessLock: Sendable {
    private let descriptor: Int32

    /// Throws with code `locked` when another process has it; `line` says in the file who holds it.
    init(_ path: String, line: [UInt8] = []) throws(SyncError) {
        // The property last: from then on it is closed by `deinit`, also when this throws.
        let file = cvr_open(path, O_RDWR | O_CREAT, 0o640)
        guard file >= 0 else {
            throw SyncError(
                .failed, "open \(path): \(String(cString: strerror(errno)))",
                nextStep: "make this directory writable for the user cvr")
        }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            throw SyncError(.locked, "another cvr-sync holds \(path)", nextStep: "stop it first")
        }
        descriptor = file
        // For whoever looks for us when our run directory is gone; the lock holds without it, on a full disk too.
        if !line.isEmpty { _ = pwrite(descriptor, line, line.count, 0) }
    }

    deinit { close(descriptor) }
}
