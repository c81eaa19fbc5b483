import Gateway
import Glibc

@main
enum GatewayMain {
    static func main() async { exit(await GatewayProcess.run(CommandLine.arguments)) }
}
