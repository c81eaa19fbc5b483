import Logging
import Playback

@main
enum PlaybackMain {
    static func main() async throws {
        try await PlaybackProcess.run(arguments: CommandLine.arguments, log: Logger(label: "cvr-playback"))
    }
}
