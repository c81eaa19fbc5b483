import Glibc
import Logging
import Messages
import SegmentStore
import ServiceLifecycle
import UnixSignals
import Varlink

/// The process cvr-sync.
///
/// It takes its lock and socket, shuts itself in, writes `state.json`, serves `sync.sock` and waits to be configured.
package enum SyncProcess {
    /// Which build this is; reads the program's own file, which is out of reach once the sandbox is closed.
    package static let build = BuildIdentity.own(version: Release.version)
    /// Of io.cvr.Sync as it is served here.
    static let protocolVersion: Int64 = 1
    static var holder: LockHolder { LockHolder(build: build, protocolVersion: protocolVersion) }

    /// What `run` goes on with.
    package enum Start: Sendable {
        case ready(SyncArguments, Doorway, SyncSandbox)
        case failed(exitCode: Int32)
    }

    /// Reads the command line and shuts the process in; to be called on its only thread.
    package static func start(arguments: [String]) -> Start {
        guard let arguments = SyncArguments(arguments.dropFirst()) else {
            logger().error("usage: \(SyncArguments.usage)")
            return .failed(exitCode: 64)
        }
        signal(SIGPIPE, SIG_IGN)
        _ = build
        do {
            let answers = try arguments.places.map { try SyncSandbox.prepare($0) } ?? SyncSandbox.Answering()
            if !answers.store { logger().warning("the store does not answer: caches are kept without it") }
            let door = try Doorway(run: arguments.run)
            return .ready(arguments, door, SyncSandbox.close(arguments, answers))
        } catch {
            let code = exitCode(of: error)
            if code != 73 { leave(lastWords: code, "\(error)", in: arguments.run) }
            return .failed(exitCode: code)
        }
    }

    /// Returns the exit code: 0 stopped as told, 64 usage, 73 lock held by another, 74 I/O error, 75 to be started anew.
    package static func run(_ start: Start) async -> Int32 {
        switch start {
        case .failed(let exitCode): return exitCode
        case .ready(let arguments, let door, let sandbox):
            do {
                let outdated = try await serve(run: arguments.run, door, sandbox, log: logger())
                let code: Int32 = outdated == nil ? 0 : 75
                leave(lastWords: code, outdated ?? "stopped", in: arguments.run)
                return code
            } catch {
                let code = exitCode(of: error)
                // Who holds the lock lives on, and its words are not ours.
                if code != 73 { leave(lastWords: code, "\(error)", in: arguments.run) }
                return code
            }
        }
    }

    private static func exitCode(of error: any Error) -> Int32 {
        logger().error("\(error)")
        return (error as? SyncError)?.code == .locked ? 73 : 74
    }

    private static func logger() -> Logger {
        var log = Logger(label: "cvr-sync") { StreamLogHandler.standardError(label: $0) }
        log.logLevel = .info
        return log
    }

    /// How it ends, for a cvrd that is not its parent; a crash leaves none.
    private static func leave(lastWords code: Int32, _ why: String, in run: String) {
        // A process that cannot say why it ends does so all the same.
        try? RunFiles.write(lastWords: code, why: why, by: holder, in: run)
    }

    /// Why it has to be started anew, if it has to be.
    private static func serve(
        run: String, _ door: Doorway, _ sandbox: SyncSandbox, log: Logger
    ) async throws -> String? {
        defer { withExtendedLifetime(door.lock) {} }
        let service = SyncService(log: log, sandbox: sandbox)
        let handler = SyncHandler(service: service)
        let server = VarlinkServer(
            socketPath: door.path,
            info: VarlinkServiceInfo(vendor: "CVR", product: "cvr-sync", version: build, url: "https://varlink.org"),
            interfaces: [SyncInterface.interface: VarlinkInterface.sync],
            handler: { try await handler.handle($0, $1) })
        try RunFiles.write(state: holder.line, in: run)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: Listener(server: server, socket: door.socket)),
                    // Told to stop over its socket, it ends by itself.
                    .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup),
                ], gracefulShutdownSignals: [.sigterm, .sigint], logger: log))
        try await group.run()
        return await service.outdated
    }
}

/// The socket as a service.
private struct Listener: Service {
    let server: VarlinkServer
    let socket: Int32

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await server.run(on: socket) }
        } catch is CancellationError {
            // Its way to end.
        }
    }
}
