import Dispatch
import Foundation

/// Requests over a few warm connections, shared by all who ask: libcurl's multi interface on a thread of its own.
///
/// HTTP/2 where a server offers it over TLS. Redirects are never followed. What a connection died under is sent once
/// more on a new one, if nothing of an answer had come.
package final class HTTPClient: Sendable {
    private let settings: HTTPSettings
    private let loop: TransferLoop
    private let ended = DispatchSemaphore(value: 0)

    package init(_ settings: HTTPSettings) {
        self.settings = settings
        loop = TransferLoop(connections: settings.connections)
        let thread = Thread { [loop, ended] in
            loop.run()
            ended.signal()
        }
        thread.name = "http"
        thread.start()
    }

    deinit {
        loop.close()
        ended.wait()
    }

    /// Asks and waits for the whole answer, whatever its status; blocks the calling thread.
    ///
    /// An answer with more than `bodyLimit` bytes is a failure.
    package func perform(_ request: HTTPRequest, bodyLimit: Int) throws(HTTPFailure) -> HTTPResponse {
        let transfer = try Transfer(request, bodyLimit: bodyLimit, settings: settings)
        loop.submit(transfer)
        return try transfer.wait()
    }
}
