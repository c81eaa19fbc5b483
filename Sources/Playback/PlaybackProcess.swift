import Hummingbird
import HummingbirdTLS
import JWTKit
package import Logging

/// The process cvr-playback.
package enum PlaybackProcess {
    package static func run(arguments: [String], log: Logger) async throws {
        let router = Router()
        router.get("/healthz") { _, _ in "ok\n" }
        try await Application(router: router, logger: log).runService()
    }
}
