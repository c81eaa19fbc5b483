import ArgumentParser
import Glibc
import Messages
import Varlink

/// What the shell sees; documented in cvrctl(8).
///
/// Thrown by a verb whose answer itself says what is wrong.
enum ExitStatus: Int32, Error {
    case done = 0
    case failed = 1
    case usage = 2
    case notFound = 3
    /// A process that is needed does not run.
    case away = 4
    /// Not in this state, or not by this user.
    case refused = 5
}

struct Cvrctl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cvrctl", abstract: "Control the continuous video recorder through its supervisor, cvrd.",
        version: Release.version,
        subcommands: [
            StatusVerb.self, CamerasVerb.self, CameraVerbs.self, SegmentsVerb.self, GapsVerb.self, CoverageVerb.self,
            SyncVerbs.self, HoldVerbs.self, VerifyVerb.self, AdoptVerb.self, CostVerb.self, ClockVerbs.self,
            ExportVerb.self, PlayVerb.self, GraphVerbs.self, EventsVerb.self, ReloadVerb.self, UpgradeVerb.self,
            DoctorVerb.self,
        ])

    @OptionGroup var global: GlobalOptions

    /// Runs one verb; every way to fail ends here.
    static func perform(_ arguments: [String]) async -> ExitStatus {
        do {
            var command = try parseAsRoot(arguments)
            if var verb = command as? any AsyncParsableCommand {
                try await verb.run()
            } else {
                try command.run()
            }
            return .done
        } catch let complaint as Complaint {
            complaint.report(asJSON: arguments.contains("--json"))
            return complaint.status
        } catch let status as ExitStatus {
            return status
        } catch {
            return explain(error, asJSON: arguments.contains("--json"))
        }
    }

    /// Help that was asked for is an answer; anything else that the parser throws is wrong usage.
    private static func explain(_ error: any Error, asJSON: Bool) -> ExitStatus {
        if exitCode(for: error).isSuccess {
            Terminal.write(fullMessage(for: error) + "\n")
            return .done
        }
        if asJSON {
            Complaint(
                .usage, code: "usage", message: message(for: error), nextStep: "See cvrctl help, or man 8 cvrctl"
            ).report(asJSON: true)
        } else {
            Terminal.write(fullMessage(for: error) + "\n", to: STDERR_FILENO)
        }
        return .usage
    }
}

/// Accepted before and after the verb.
struct GlobalOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "cvrd's admin socket (default: $CVR_SOCKET, else /run/cvr/admin.sock).", valueName: "path"),
        completion: .file())
    var socket: String?

    @Flag(help: "Print JSON.")
    var json = false

    var socketPath: String {
        socket ?? getenv("CVR_SOCKET").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
            ?? "/run/cvr/admin.sock"
    }
}

/// A command that talks to cvrd.
protocol Verb: AsyncParsableCommand {
    var global: GlobalOptions { get }
    func perform(_ admin: AdminSession) async throws
}

extension Verb {
    func run() async throws {
        do {
            let client = try await VarlinkClient.connect(path: global.socketPath)
            try await perform(AdminSession(client: client, printsJSON: global.json))
            await client.close()
        } catch let error as VarlinkRemoteError {
            throw Complaint(error)
        } catch let error as VarlinkConnectionError {
            throw Complaint(error)
        }
    }
}
