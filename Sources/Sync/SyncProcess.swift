import Foundation
import Glibc
import Logging
import Messages
import SegmentStore
import ServiceLifecycle
import UnixSignals
import Varlink

/// The process cvr-sync.
///
/// It shuts itself in, holds the run directory's lock, writes `state.json`, serves `sync.sock` and waits to be configured.
package enum SyncProcess {
    package static let build = Release.version
    /// Of io.cvr.Sync as it is served here.
    static let protocolVersion: Int64 = 1
    static var holder: LockHolder { LockHolder(build: build, protocolVersion: protocolVersion) }

    /// Returns the exit code: 0 stopped as told, 64 usage, 73 lock held by another, 74 I/O error, 75 to be started anew.
    package static func run(arguments: [String]) async -> Int32 {
        var log = Logger(label: "cvr-sync") { StreamLogHandler.standardError(label: $0) }
        log.logLevel = .info
        guard let arguments = SyncArguments(arguments.dropFirst()) else {
            log.error("usage: \(SyncArguments.usage)")
            return 64
        }
        signal(SIGPIPE, SIG_IGN)
        do {
            // Before the first suspension: a thread that lives by then would stay outside.
            let sandbox = try SyncSandbox.close(arguments)
            let code: Int32 = try await serve(run: arguments.run, sandbox: sandbox, log: log) ? 0 : 75
            leave(lastWords: code, code == 0 ? "stopped" : "other places", in: arguments.run)
            return code
        } catch let error as SyncError where error.code == .locked {
            log.error("\(error)")
            return 73
        } catch {
            log.error("\(error)")
            leave(lastWords: 74, "\(error)", in: arguments.run)
            return 74
        }
    }

    /// How it ends, for a cvrd that is not its parent; a crash leaves none.
    private static func leave(lastWords code: Int32, _ why: String, in run: String) {
        let words = LastWords(
            pid: holder.pid, startTime: holder.startTime, bootID: holder.bootID, code: code,
            why: String(why.prefix(400)))
        // A process that cannot say why it ends does so all the same.
        if let line = try? JSONEncoder().encode(words) {
            try? line.write(to: URL(filePath: run + "/last-words.json"), options: .atomic)  // as above
        }
    }

    private struct LastWords: Codable {
        var pid: Int32
        var startTime: Int64
        var bootID: String
        var code: Int32
        var why: String
    }

    /// False when it has to be started anew.
    private static func serve(run: String, sandbox: SyncSandbox, log: Logger) async throws -> Bool {
        let lock = try ProcessLock(run + "/lock")
        defer { withExtendedLifetime(lock) {} }
        let service = SyncService(log: log, sandbox: sandbox)
        let handler = SyncHandler(service: service)
        let server = VarlinkServer(
            socketPath: run + "/sync.sock",
            info: VarlinkServiceInfo(vendor: "CVR", product: "cvr-sync", version: build, url: "https://varlink.org"),
            interfaces: [SyncInterface.interface: VarlinkInterface.sync],
            handler: { try await handler.handle($0, $1) })
        try Data(holder.line).write(to: URL(filePath: run + "/state.json"), options: .atomic)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: Listener(server: server)),
                    // Told to stop over its socket, it ends by itself.
                    .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup),
                ], gracefulShutdownSignals: [.sigterm, .sigint], logger: log))
        try await group.run()
        return await !service.isOutdated
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
