import Confinement
import Glibc
import Logging
import Messages
import Serving

/// The process cvr-playback.
///
/// It takes its address and socket, shuts itself in, writes `state.json`, serves `playback.sock` and waits to be
/// configured; a replica elsewhere is configured by its command line.
package enum PlaybackProcess {
    /// Which build this is; reads the program's own file, which is out of reach once the sandbox is closed.
    package static let build = BuildIdentity.own(version: Release.version)

    private static let program = "cvr-playback"
    /// Memory far above what its bounds on viewers and caches add up to; a connection and a file for each of some thousand
    /// viewers.
    ///
    /// Those of cvr-preview are lower still.
    private static let limits = ProcessLimits(data: 1 << 30, descriptors: 4096, rank: .playback)

    /// What `run` goes on with.
    package enum Start: Sendable {
        case ready(Ready)
        case failed(exitCode: Int32)
    }

    package struct Ready: Sendable {
        var process: ServerProcess
        var places: PlaybackSandbox.Places
        var doors: PlaybackDoors
        var sandbox: PlaybackSandbox
        /// Nil until cvrd tells.
        var settings: PlaybackSettings?
    }

    /// Reads the command line and shuts the process in; to be called on its only thread.
    ///
    /// `preview` is where cvr-preview is.
    package static func start(arguments: [String], preview: String) -> Start {
        signal(SIGPIPE, SIG_IGN)
        _ = build
        do throws(PlaybackArguments.Mistake) {
            let arguments = try PlaybackArguments(arguments.dropFirst())
            limits.apply()
            return begin(arguments, preview: preview)
        } catch {
            let log = ServerProcess(program, words: nil).log
            log.error("\(error.message)\n\(PlaybackArguments.synopsis)\n`cvr-playback --help` tells more")
            return .failed(exitCode: 64)
        }
    }

    private static func begin(_ arguments: PlaybackArguments, preview: String) -> Start {
        let places = PlaybackSandbox.Places(arguments, preview: preview)
        // A replica is kept by no cvrd.
        let process = ServerProcess(program, words: places.run.map { LeavingWords(run: $0, build: build) })
        do {
            var settings: PlaybackSettings?
            if case .alone(let replica) = arguments.setting {
                let alone = try PlaybackSettings(replica, store: arguments.store, listen: arguments.listen)
                settings = alone
            }
            let doors = try PlaybackDoors(arguments.listen, run: places.run)
            return .ready(
                Ready(process: process, places: places, doors: doors, sandbox: .close(places), settings: settings))
        } catch {
            return .failed(exitCode: process.end(with: error))
        }
    }

    /// Returns the exit code: 0 stopped as told, else that of what ended it.
    package static func run(_ start: Start) async -> Int32 {
        switch start {
        case .failed(let exitCode): return exitCode
        case .ready(let ready):
            let (process, sandbox) = (ready.process, ready.sandbox)
            let service = PlaybackService(
                doors: ready.doors, places: ready.places, sandboxText: sandbox.text, log: process.log)
            let handler = PlaybackHandler(service: service)
            let door = ready.doors.control.map { path, socket in
                ControlDoor(
                    socket, at: path, of: program, build: build,
                    interface: (PlaybackInterface.interface, VarlinkInterface.playback),
                    answer: { try await handler.answer($0, $1) })
            }
            let watch = ReplacementWatch { sandbox.isMoved }
            return await process.run(
                service, beside: door.map { [$0, watch] } ?? [watch], sandbox: sandbox.text
            ) {
                if let settings = ready.settings { try await service.configure(settings) }
            }
        }
    }
}
