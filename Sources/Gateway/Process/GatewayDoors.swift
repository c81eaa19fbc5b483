import Recording
import Serving
import Varlink

/// What cvr-gateway takes before it shuts itself in: the address that it serves at, and the socket where cvrd finds it.
///
/// Afterwards it may take no other address and make no Unix socket: no worker's, nor cvrd's, is in its reach.
package struct GatewayDoors: Sendable {
    /// Nil without REST.
    struct Web: Sendable {
        /// As it was told.
        var asked: ListenAddress
        var socket: ListeningSocket
    }

    let web: Web?
    let controlPath: String
    /// Bound already.
    let control: Int32

    init(_ arguments: GatewayArguments) throws {
        controlPath = arguments.run + "/gateway.sock"
        control = try UnixSocket.bind(path: controlPath, mode: 0o660, group: nil)
        web = try arguments.listen.map { Web(asked: $0, socket: try ListeningSocket($0)) }
    }
}
