import Glibc
import Logging
import Messages
import ServiceLifecycle
import UnixSignals
import Varlink

/// The process cvr-gateway: media graphs for the network.
///
/// It takes its address and socket, shuts itself in, writes `state.json`, serves `gateway.sock` and waits for cvrd, which
/// tells it everything and asks it for everything. It keeps nothing: events are in cvrd's spool until they are delivered.
package enum GatewayProcess {
    /// Which build this is; reads the program's own file, which is out of reach once the sandbox is closed.
    package static let build = BuildIdentity.own(version: Release.version)

    /// What `run` goes on with.
    package enum Start: Sendable {
        case ready(Ready)
        case failed(exitCode: Int32)
    }

    package struct Ready: Sendable {
        var arguments: GatewayArguments
        var doors: GatewayDoors
        var sandbox: GatewaySandbox
        var words: LeavingWords
    }

    /// Reads the command line and shuts the process in; to be called on its only thread.
    package static func start(arguments: [String]) -> Start {
        signal(SIGPIPE, SIG_IGN)
        _ = build
        do throws(GatewayArguments.Mistake) {
            let arguments = try GatewayArguments(arguments.dropFirst())
            GatewayLimits.apply()
            return begin(arguments)
        } catch {
            logger().error("\(error.message)\n\(GatewayArguments.usage)")
            return .failed(exitCode: 64)
        }
    }

    private static func begin(_ arguments: GatewayArguments) -> Start {
        let words = LeavingWords(run: arguments.run, build: build)
        do {
            let doors = try GatewayDoors(arguments)
            return .ready(
                Ready(arguments: arguments, doors: doors, sandbox: .close(run: arguments.run), words: words))
        } catch {
            return .failed(exitCode: end(words, with: error))
        }
    }

    /// Returns the exit code: 0 stopped as told, else that of what ended it.
    package static func run(_ start: Start) async -> Int32 {
        switch start {
        case .failed(let exitCode): return exitCode
        case .ready(let ready):
            do {
                try await serve(ready, log: logger())
                ready.words.leave(0, "stopped")
                return 0
            } catch {
                return end(ready.words, with: error)
            }
        }
    }

    private static func end(_ words: LeavingWords, with error: any Error) -> Int32 {
        let isTaken = (error as? VarlinkConnectionError)?.errno == EADDRINUSE
        let code = (error as? GatewayError)?.code.rawValue ?? (isTaken ? 73 : 74)
        logger().error("\(error)")
        // Who serves the socket lives on, and its words are not ours.
        if code != 73 { words.leave(code, "\(error)") }
        return code
    }

    private static func logger() -> Logger {
        var log = Logger(label: "cvr-gateway") { StreamLogHandler.standardError(label: $0) }
        log.logLevel = .info
        return log
    }

    private static func serve(_ ready: Ready, log: Logger) async throws {
        let service = GatewayService(
            doors: ready.doors, run: ready.arguments.run, sandboxText: ready.sandbox.text, log: log)
        let services: [ServiceGroupConfiguration.ServiceConfiguration] = [
            .init(service: ControlDoor(ready.doors, service)),
            .init(service: NamesWatch(sandbox: ready.sandbox)),
            // Told to stop, it ends by itself.
            .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup),
        ]
        try ready.words.introduce()
        if ready.sandbox.text.hasPrefix("degraded: ") {
            log.warning("confined less than it should be: \(ready.sandbox.text)")
        }
        try await ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: log)
        ).run()
    }
}

/// The socket as a service.
private struct ControlDoor: Service {
    /// What cvrd tells: a listing of a thousand instances, and more.
    private static let messageLimit = 64 << 20

    let server: VarlinkServer
    let socket: Int32

    init(_ doors: GatewayDoors, _ service: GatewayService) {
        let handler = GatewayHandler(service: service)
        socket = doors.control
        var limits = VarlinkLimits()
        limits.messageBytes = Self.messageLimit
        server = VarlinkServer(
            socketPath: doors.controlPath,
            info: VarlinkServiceInfo(
                vendor: "CVR", product: "cvr-gateway", version: GatewayProcess.build, url: "https://varlink.org"),
            interfaces: [GatewayInterface.interface: VarlinkInterface.gateway], limits: limits,
            handler: { try await handler.handle($0, $1) })
    }

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await server.run(on: socket) }
        } catch is CancellationError {
            // Its way to end.
        }
    }
}
