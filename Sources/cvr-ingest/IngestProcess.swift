internal import CLinux
internal import Ingest

/// cvr-ingest: records one camera into its cache, whoever else lives or dies.
@main
enum IngestProcess {
    static let usage = "usage: cvr-ingest --camera NAME --slot a|b [--role successor] --cache DIRECTORY --run DIRECTORY"

    static func main() {
        exit(start(CommandLine.arguments).rawValue)
    }

    /// Standard error is cvrd's journal; no line of it ever holds a secret (I10).
    static func complain(_ text: String) {
        let line = Array("cvr-ingest: \(text)\n".utf8)
        write(STDERR_FILENO, line, line.count)
    }
}
