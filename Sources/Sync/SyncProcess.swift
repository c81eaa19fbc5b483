import Foundation
import Glibc
import Logging
import Messages
import SegmentStore
import ServiceLifecycle
import UnixSignals
import Varlink

/// The process cvr-sync: `cvr-sync --run <runtime>/sync`.
///
/// It holds the run directory's lock, writes `state.json`, serves `sync.sock` and waits to be configured.
package enum SyncProcess {
    package static let build = Release.version
    /// Of io.cvr.Sync as it is served here.
    static let protocolVersion: Int64 = 1

    /// Returns the exit code: 0 stopped as told, 64 usage, 73 lock held by another, 74 I/O error.
    package static func run(arguments: [String]) async -> Int32 {
        var log = Logger(label: "cvr-sync") { StreamLogHandler.standardError(label: $0) }
        log.logLevel = .info
        guard arguments.count == 3, arguments[1] == "--run", arguments[2].hasPrefix("/") else {
            log.error("usage: cvr-sync --run DIRECTORY")
            return 64
        }
        signal(SIGPIPE, SIG_IGN)
        do {
            try await serve(run: arguments[2], log: log)
            return 0
        } catch let error as SyncError where error.code == .locked {
            log.error("\(error)")
            return 73
        } catch {
            log.error("\(error)")
            return 74
        }
    }

    private static func serve(run: String, log: Logger) async throws {
        let lock = try ProcessLock(run + "/lock")
        defer { withExtendedLifetime(lock) {} }
        let service = SyncService(log: log)
        let handler = SyncHandler(service: service)
        let server = VarlinkServer(
            socketPath: run + "/sync.sock",
            info: VarlinkServiceInfo(vendor: "CVR", product: "cvr-sync", version: build, url: "https://varlink.org"),
            interfaces: [SyncInterface.interface: VarlinkInterface.sync],
            handler: { try await handler.handle($0, $1) })
        let myself = LockHolder(build: build, protocolVersion: protocolVersion)
        try Data(myself.line).write(to: URL(filePath: run + "/state.json"), options: .atomic)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: Listener(server: server)),
                    // Told to stop over its socket, it ends by itself.
                    .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup),
                ], gracefulShutdownSignals: [.sigterm, .sigint], logger: log))
        try await group.run()
    }
}

/// The socket as a service.
private struct Listener: Service {
    let server: VarlinkServer

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await server.run() }
        } catch is CancellationError {
            // Its way to end.
        }
    }
}
