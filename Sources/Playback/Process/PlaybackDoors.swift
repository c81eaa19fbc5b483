package import Recording
import Serving
import Varlink

/// What cvr-playback takes before it shuts itself in: the address that it serves at, and the socket where cvrd finds it.
///
/// Afterwards it may take no other address and make no Unix socket: no worker's, nor cvrd's, is in its reach.
package struct PlaybackDoors: Sendable {
    /// As it was told.
    let asked: ListenAddress
    /// As it listens, with the port that it got.
    package let address: ListenAddress
    /// Listens already.
    package let web: Int32
    /// Path and bound socket; nil for a replica.
    let control: (path: String, socket: Int32)?

    init(_ listen: ListenAddress, run: String?) throws {
        control = try run.map { run in
            let path = run + "/playback.sock"
            return (path, try UnixSocket.bind(path: path, mode: 0o660, group: nil))
        }
        asked = listen
        let socket = try ListeningSocket(listen)
        (web, address) = (socket.descriptor, socket.address)
    }
}
