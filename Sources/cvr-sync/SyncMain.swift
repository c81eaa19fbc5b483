import Glibc
import Sync

@main
enum SyncMain {
    static func main() async {
        exit(await SyncProcess.run(arguments: CommandLine.arguments))
    }
}
