import Glibc
import Messages
import Playback

@main
enum PlaybackMain {
    /// Begins on the first thread, while it is the only one: a sandbox holds for the thread that closes it and those
    /// that it starts from then on.
    @MainActor
    static func main() async {
        let arguments = CommandLine.arguments
        switch arguments.dropFirst().first {
        case "--help", "-h": print(PlaybackArguments.usage)
        case "--version": print(Release.version)
        default:
            let start = PlaybackProcess.start(arguments: arguments, preview: sibling("cvr-preview"))
            exit(await PlaybackProcess.run(start))
        }
    }

    /// Where a program of the same installation is.
    private static func sibling(_ name: String) -> String {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        let own = String(decoding: path.prefix(max(count, 0)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        let folder = own.lastIndex(of: "/").map { own[..<$0] } ?? ""
        let beside = "\(folder)/\(name)"
        return access(beside, X_OK) == 0 ? beside : "/usr/libexec/cvr/\(name)"
    }
}
