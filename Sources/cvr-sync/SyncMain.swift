import Glibc
import Sync

@main
enum SyncMain {
    /// Begins on the first thread, while it is the only one: a sandbox holds for the thread that closes it and those
    /// that it starts from then on.
    @MainActor
    static func main() async {
        let start = SyncProcess.start(arguments: CommandLine.arguments)
        exit(await SyncProcess.run(start))
    }
}
