import Varlink

/// What cvr-sync takes before it shuts itself in: the run directory's lock, and the socket at which cvrd finds it.
///
/// Afterwards it may make no Unix socket any more: no worker's, nor cvrd's, is in its reach, which Landlock does not see
/// to.
package struct Doorway: Sendable {
    let lock: ProcessLock
    let path: String
    let socket: Int32

    /// Throws with code `locked` while another cvr-sync has it.
    init(run: String) throws {
        lock = try ProcessLock(run + "/lock")
        path = run + "/sync.sock"
        socket = try UnixSocket.bind(path: path, mode: 0o660, group: nil)
    }
}
