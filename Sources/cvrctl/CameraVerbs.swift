import ArgumentParser
import Messages
import Varlink

struct CamerasVerb: Verb {
    static let configuration = CommandConfiguration(commandName: "cameras", abstract: "List the configured cameras.")

    @OptionGroup var global: GlobalOptions

    func perform(_ admin: AdminSession) async throws {
        let cameras = try await admin.ask("Cameras", as: Admin.Cameras.self).cameras
        admin.show(cameras) { terminal in
            if cameras.isEmpty { return "No cameras. Add one: cvrctl camera add NAME --url rtsp://HOST/PATH\n" }
            var table = Table([
                .init(title: "CAMERA"), .init(title: "ENABLED", dispensability: 1), .init(title: "URL"),
                .init(title: "USER", dispensability: 3), .init(title: "TRANSPORT", dispensability: 4),
                .init(title: "SEGMENT", alignsRight: true, dispensability: 5),
                .init(title: "RETENTION", alignsRight: true, dispensability: 2),
                .init(title: "ASSET", dispensability: 6), .init(title: "ORIGIN", dispensability: 7),
            ])
            for camera in cameras {
                table.add([
                    camera.name, camera.enabled ? "yes" : "stopped", camera.url, camera.username, camera.transport,
                    Quantity.duration(camera.segmentLength), camera.retention.map(Quantity.duration) ?? "for ever",
                    camera.asset, camera.origin,
                ])
            }
            return table.text(for: terminal)
        }
    }
}

struct CameraVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "camera", abstract: "Add, remove, start or stop a camera.",
        subcommands: [Add.self, Remove.self, Start.self, Stop.self, Restart.self])

    @OptionGroup var global: GlobalOptions

    struct Add: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Add a camera and record it.",
            discussion: "It is stored next to the configuration, its password in a file that only cvrd reads.")

        @Argument(help: "Its name: lower-case letters, digits, hyphens; at most 32.")
        var name: String

        @Option(help: "An rtsp:// or rtsps:// URL without user name and password.")
        var url: String

        @Option(help: "User name of an account on the camera.")
        var username: String?

        @Flag(help: "Read the password from standard input, one line; on a terminal, prompt for it.")
        var passwordStdin = false

        @Option(
            help: "tcp, udp or http (default: as configured, else tcp).", completion: .list(["tcp", "udp", "http"]))
        var transport: String?

        @Option(help: ArgumentHelp("ISO 8601, such as PT30S (default: as configured).", valueName: "duration"))
        var segmentLength: String?

        @Option(help: ArgumentHelp("ISO 8601, such as P30D (default: as configured).", valueName: "duration"))
        var retention: String?

        @OptionGroup var global: GlobalOptions

        func perform(_ admin: AdminSession) async throws {
            var camera = Admin.AddCamera(name: name, url: url)
            camera.username = username
            if passwordStdin {
                guard let password = Terminal.readSecret("Password of \(name): "), !password.isEmpty else {
                    throw Complaint(
                        .usage, code: "usage", message: "there is no password on standard input",
                        nextStep: "Give it as one line, or leave out --password-stdin")
                }
                camera.password = password
            }
            camera.transport = transport
            camera.segmentLength = segmentLength
            camera.retention = retention
            let done = try await admin.ask("AddCamera", camera, as: VarlinkEmpty.self)
            admin.show(done) { _ in "\(name) added. Watch it come up: cvrctl status\n" }
        }
    }

    struct Remove: CameraVerb {
        static let configuration = CommandConfiguration(
            abstract: "Stop a camera for good; its footage stays under its retention.")
        static let outcome = (method: "RemoveCamera", word: "removed; its footage is kept under its retention")

        @OptionGroup var camera: NamedCamera
        @OptionGroup var global: GlobalOptions
    }

    struct Start: CameraVerb {
        static let configuration = CommandConfiguration(abstract: "Start recording a camera; survives restarts.")
        static let outcome = (method: "StartCamera", word: "started")

        @OptionGroup var camera: NamedCamera
        @OptionGroup var global: GlobalOptions
    }

    struct Stop: CameraVerb {
        static let configuration = CommandConfiguration(abstract: "Stop recording a camera; survives restarts.")
        static let outcome = (method: "StopCamera", word: "stopped")

        @OptionGroup var camera: NamedCamera
        @OptionGroup var global: GlobalOptions
    }

    struct Restart: CameraVerb {
        static let configuration = CommandConfiguration(abstract: "Stop a camera's worker and start another.")
        static let outcome = (method: "RestartCamera", word: "restarted")

        @OptionGroup var camera: NamedCamera
        @OptionGroup var global: GlobalOptions
    }
}

struct NamedCamera: ParsableArguments {
    @Argument(help: "The camera's name.", completion: .cameras)
    var name: String
}

extension CompletionKind {
    /// The configured cameras, asked for when they are needed; where cvrd does not answer there are none.
    static var cameras: CompletionKind { .shellCommand("cvrctl cameras 2>/dev/null | awk 'NR > 1 { print $1 }'") }
}

/// A verb that needs nothing but a camera's name.
protocol CameraVerb: Verb {
    static var outcome: (method: String, word: String) { get }
    var camera: NamedCamera { get }
}

extension CameraVerb {
    func perform(_ admin: AdminSession) async throws {
        let done = try await admin.ask(
            Self.outcome.method, Admin.NamedCamera(name: camera.name), as: VarlinkEmpty.self)
        admin.show(done) { _ in "\(camera.name) \(Self.outcome.word).\n" }
    }
}
