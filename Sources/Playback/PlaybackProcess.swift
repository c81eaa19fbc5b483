import Glibc
import Logging
import Messages
import ServiceLifecycle
import UnixSignals
import Varlink

/// The process cvr-playback.
///
/// It takes its address and socket, shuts itself in, writes `state.json`, serves `playback.sock` and waits to be
/// configured; a replica elsewhere is configured by its command line.
package enum PlaybackProcess {
    /// Which build this is; reads the program's own file, which is out of reach once the sandbox is closed.
    package static let build = BuildIdentity.own(version: Release.version)

    /// What `run` goes on with.
    package enum Start: Sendable {
        case ready(Ready)
        case failed(exitCode: Int32)
    }

    package struct Ready: Sendable {
        var places: PlaybackSandbox.Places
        var doors: PlaybackDoors
        var sandbox: PlaybackSandbox
        /// Nil until cvrd tells.
        var settings: PlaybackSettings?
        /// Nil for a replica.
        var words: LeavingWords?
    }

    /// Reads the command line and shuts the process in; to be called on its only thread.
    ///
    /// `preview` is where cvr-preview is.
    package static func start(arguments: [String], preview: String) -> Start {
        signal(SIGPIPE, SIG_IGN)
        _ = build
        do throws(PlaybackArguments.Mistake) {
            let arguments = try PlaybackArguments(arguments.dropFirst())
            PlaybackLimits.apply()
            return begin(arguments, preview: preview)
        } catch {
            logger().error("\(error.message)\n\(PlaybackArguments.synopsis)\n`cvr-playback --help` tells more")
            return .failed(exitCode: 64)
        }
    }

    private static func begin(_ arguments: PlaybackArguments, preview: String) -> Start {
        let places = PlaybackSandbox.Places(arguments, preview: preview)
        let words = places.run.map { LeavingWords(run: $0, build: build) }
        do {
            var settings: PlaybackSettings?
            if case .alone(let replica) = arguments.setting {
                let alone = try PlaybackSettings(replica, store: arguments.store, listen: arguments.listen)
                settings = alone
            }
            let doors = try PlaybackDoors(arguments.listen, run: places.run)
            return .ready(
                Ready(places: places, doors: doors, sandbox: .close(places), settings: settings, words: words))
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
                ready.words?.leave(0, "stopped")
                return 0
            } catch {
                return end(ready.words, with: error)
            }
        }
    }

    private static func end(_ words: LeavingWords?, with error: any Error) -> Int32 {
        let isTaken = (error as? VarlinkConnectionError)?.errno == EADDRINUSE
        let code = (error as? PlaybackError)?.code.rawValue ?? (isTaken ? 73 : 74)
        logger().error("\(error)")
        // Who serves the socket lives on, and its words are not ours.
        if code != 73 { words?.leave(code, "\(error)") }
        return code
    }

    private static func logger() -> Logger {
        var log = Logger(label: "cvr-playback") { StreamLogHandler.standardError(label: $0) }
        log.logLevel = .info
        return log
    }

    private static func serve(_ ready: Ready, log: Logger) async throws {
        let service = PlaybackService(
            doors: ready.doors, places: ready.places, sandboxText: ready.sandbox.text, log: log)
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = [
            .init(service: PlacesWatch(sandbox: ready.sandbox)),
            // Told to stop, it ends by itself.
            .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup),
        ]
        if let control = ready.doors.control { services.insert(.init(service: ControlDoor(control, service)), at: 0) }
        try ready.words?.introduce()
        if ready.sandbox.text.hasPrefix("degraded: ") {
            log.warning("confined less than it should be: \(ready.sandbox.text)")
        }
        if let settings = ready.settings { try await service.configure(settings) }
        try await ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: log)
        ).run()
    }
}

/// The socket as a service.
private struct ControlDoor: Service {
    let server: VarlinkServer
    let socket: Int32

    init(_ control: (path: String, socket: Int32), _ service: PlaybackService) {
        let handler = PlaybackHandler(service: service)
        socket = control.socket
        server = VarlinkServer(
            socketPath: control.path,
            info: VarlinkServiceInfo(
                vendor: "CVR", product: "cvr-playback", version: PlaybackProcess.build, url: "https://varlink.org"),
            interfaces: [PlaybackInterface.interface: VarlinkInterface.playback],
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
