import Glibc
import Messages
import YAMLConfiguration

/// The supervisor process: starts, watches and stops everything else on a recorder box.
@main
enum Cvrd {
    static let version = Release.version

    static let help = """
        usage: cvrd [--config FILE] [--check | --sweep]

        Records the cameras of FILE (default /etc/cvr/cvr.yaml) in the foreground: one cvr-ingest per camera and one
        cvr-sync, found next to cvrd or in /usr/libexec/cvr. Control it with cvrctl.

          --config FILE   the configuration
          --check         check the configuration, print every mistake and exit
          --sweep         stop what a cvrd that is gone left running: workers close their segments, cvr-sync stores them
          --version       print the version
          --help          print this

        Signals: TERM and INT stop everything in order, a second one skips the waiting; HUP reloads the configuration;
        USR2 ends cvrd alone: its workers record on, and the next cvrd adopts them.

        Exit codes: 0 stopped as told, nothing is left to sweep, or the configuration is valid; 1 a swept process does
        not end; 64 wrong usage; 70 cvrd itself failed; 73 another cvrd runs with this configuration; 78 the
        configuration is invalid.
        """

    static func main() async {
        switch Invocation(arguments: CommandLine.arguments.dropFirst()) {
        case .help: print(help)
        case .version: print(version)
        case .wrong(let why):
            complain("cvrd: \(why)\n\(help)")
            exit(64)
        case .check(let path):
            _ = configuration(path)
            print("\(path) is valid")
        case .sweep(let path): exit(await sweep(ConfigurationFiles(mainPath: path)))
        case .run(let path): exit(await start(configuration(path), files: ConfigurationFiles(mainPath: path)))
        }
    }

    /// The configuration, or the end of this process with every mistake named.
    private static func configuration(_ path: String) -> BoxConfiguration {
        do throws(ConfigurationError) {
            return try ConfigurationFiles(mainPath: path).load()
        } catch {
            complain(error.description)
            exit(78)
        }
    }

    static func complain(_ text: String) {
        _ = Array("\(text)\n".utf8).withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

/// What the command line asks for.
enum Invocation {
    case run(String)
    case check(String)
    case sweep(String)
    case help
    case version
    case wrong(String)

    init(arguments: some Sequence<String>) {
        var path = "/etc/cvr/cvr.yaml"
        var make = Invocation.run
        var rest = arguments.makeIterator()
        while let argument = rest.next() {
            switch argument {
            case "--config":
                guard let value = rest.next() else {
                    self = .wrong("--config needs a file")
                    return
                }
                path = value
            case "--check": make = Invocation.check
            case "--sweep": make = Invocation.sweep
            case "--help", "-h":
                self = .help
                return
            case "--version":
                self = .version
                return
            default:
                self = .wrong("unknown argument \(argument)")
                return
            }
        }
        self = make(path)
    }
}
