import ArgumentParser
import Glibc
import Recording

struct PlayVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "play", abstract: "Show a camera in the browser, live or at a time.")

    @Argument(help: "The camera's name.", completion: .cameras)
    var camera: String

    @Option(
        help: ArgumentHelp("When to play from, RFC 3339 (default: live).", valueName: "time"),
        transform: FootageOptions.time)
    var at: String?

    @OptionGroup var server: ServerOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        guard CameraName(camera) != nil else {
            throw ValidationError("'\(camera)' is not a camera's name: lower-case letters, digits and -.")
        }
        let session = try await server.session(global.socketPath)
        if server.asksAsSomebody { try Self.check(camera, session) }
        let address = session.address
        guard server.tokenFile == nil else { throw Self.tokenStays(address, camera) }
        let url = "\(address)/#cameras=\(camera)" + (at.map { "&time=\($0)" } ?? "")
        Terminal.write(global.json ? JSONText.of(["url": url]) + "\n" : url + "\n")
        guard !global.json, getenv("DISPLAY") != nil || getenv("WAYLAND_DISPLAY") != nil else { return }
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("xdg-open"), strdup(url), nil]
        // Takes our place; without such a program the address that was printed is all there is.
        execvp("xdg-open", &arguments)
    }

    /// A browser can ask for an account, and for no token.
    private static func tokenStays(_ address: String, _ camera: String) -> Complaint {
        Complaint(
            .refused, code: "tokenNotHandedOn",
            message: "the token may see \(camera), but is not put into an address that is printed and an argument",
            nextStep: "Give --account, or open \(address)/?token=TOKEN#cameras=\(camera) yourself")
    }

    /// The browser asks for the account itself, since an address is no place for a secret; what it would be refused is
    /// said here.
    private static func check(_ camera: String, _ session: PlaybackSession) throws {
        struct Answer: Decodable {
            struct Camera: Decodable { let name: String }
            let cameras: [Camera]
        }
        let known = try session.get("/cameras", as: Answer.self).cameras
        guard known.contains(where: { $0.name == camera }) else {
            throw Complaint(
                .notFound, code: "noSuchCamera", message: "there is no camera '\(camera)' for this account or token",
                nextStep: "cvrctl cameras lists those of the box; its operator says who may see them")
        }
    }
}
