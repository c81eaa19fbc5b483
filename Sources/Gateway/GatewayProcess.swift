import Confinement
import Glibc
import Logging
import Messages
import Serving
import Varlink

/// The process cvr-gateway: media graphs for the network.
///
/// It takes its address and socket, shuts itself in, writes `state.json`, serves `gateway.sock` and waits for cvrd, which
/// tells it everything and asks it for everything. It keeps nothing: events are in cvrd's spool until they are delivered.
package enum GatewayProcess {
    /// Which build this is; reads the program's own file, which is out of reach once the sandbox is closed.
    package static let build = BuildIdentity.own(version: Release.version)

    private static let program = "cvr-gateway"
    /// libmosquitto reads a message whole before anybody can refuse it, twice: 256 MiB is what MQTT allows one.
    private static let limits = ProcessLimits(data: 1 << 30, descriptors: 1024, rank: .gateway)
    /// What cvrd tells: a listing of a thousand instances, and more.
    private static let messageLimit = 64 << 20

    /// What `run` goes on with.
    package enum Start: Sendable {
        case ready(Ready)
        case failed(exitCode: Int32)
    }

    package struct Ready: Sendable {
        var process: ServerProcess
        var run: String
        var doors: GatewayDoors
        var sandbox: GatewaySandbox
    }

    /// Reads the command line and shuts the process in; to be called on its only thread.
    package static func start(arguments: [String]) -> Start {
        signal(SIGPIPE, SIG_IGN)
        _ = build
        do throws(GatewayArguments.Mistake) {
            let arguments = try GatewayArguments(arguments.dropFirst())
            limits.apply()
            return begin(arguments)
        } catch {
            ServerProcess(program, words: nil).log.error("\(error.message)\n\(GatewayArguments.usage)")
            return .failed(exitCode: 64)
        }
    }

    private static func begin(_ arguments: GatewayArguments) -> Start {
        let process = ServerProcess(program, words: LeavingWords(run: arguments.run, build: build))
        do {
            let doors = try GatewayDoors(arguments)
            return .ready(
                Ready(process: process, run: arguments.run, doors: doors, sandbox: .close(run: arguments.run)))
        } catch {
            return .failed(exitCode: process.end(with: error))
        }
    }

    /// Returns the exit code: 0 stopped as told, else that of what ended it.
    package static func run(_ start: Start) async -> Int32 {
        switch start {
        case .failed(let exitCode): return exitCode
        case .ready(let ready):
            let (doors, sandbox) = (ready.doors, ready.sandbox)
            let service = GatewayService(
                doors: doors, run: ready.run, sandboxText: sandbox.text, log: ready.process.log)
            let handler = GatewayHandler(service: service)
            var limits = VarlinkLimits()
            limits.messageBytes = messageLimit
            let door = ControlDoor(
                doors.control, at: doors.controlPath, of: program, build: build,
                interface: (GatewayInterface.interface, VarlinkInterface.gateway), limits: limits,
                answer: { try await handler.answer($0, $1) })
            return await ready.process.run(
                service, beside: [door, ReplacementWatch { sandbox.isMoved }], sandbox: sandbox.text)
        }
    }
}
