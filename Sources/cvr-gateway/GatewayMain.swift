import Gateway
import Glibc
import Messages

@main
enum GatewayMain {
    /// Begins on the first thread, while it is the only one: a sandbox holds for the thread that closes it and those
    /// that it starts from then on.
    @MainActor
    static func main() async {
        let arguments = CommandLine.arguments
        switch arguments.dropFirst().first {
        case "--help", "-h": print(GatewayArguments.usage)
        case "--version": print(Release.version)
        // Without the libraries' own farewells, which clear away what a thread that still connects to a broker uses.
        default: _exit(await GatewayProcess.run(GatewayProcess.start(arguments: arguments)))
        }
    }
}
