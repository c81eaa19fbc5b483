import CLinux
import Glibc

/// The right to be the only one: flock(2), held until it is dropped or the process ends, however it ends (I7).
final class ProcessLock: Sendable {
    private let descriptor: Int32

    /// Throws with code `locked` when another process has it.
    init(_ path: String) throws(SyncError) {
        descriptor = cvr_open(path, O_RDWR | O_CREAT, 0o640)
        guard descriptor >= 0 else {
            throw SyncError(
                .failed, "open \(path): \(String(cString: strerror(errno)))",
                nextStep: "let the service's user write this directory")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw SyncError(.locked, "another cvr-sync holds \(path)", nextStep: "stop it first")
        }
    }

    deinit { close(descriptor) }
}
