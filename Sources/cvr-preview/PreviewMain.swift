import Glibc
import Preview

@main
enum PreviewMain {
    static func main() { exit(PreviewProcess.run(arguments: Array(CommandLine.arguments.dropFirst()))) }
}
