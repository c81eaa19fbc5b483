internal import CAttack
internal import CLinux
internal import Confinement
internal import Ingest
internal import SegmentStore

/// A worker whose code is the camera's from the moment its sandbox closes: takes the command line of cvr-ingest, makes
/// its attempts and writes what became of them to `attack` in its run directory.
///
/// Each attempt runs twice in a process of its own: free, where it has to work for the other to prove anything, and
/// shut in as a worker is. Put in place of cvr-ingest it proves the same under cvrd and its unit.
@main
enum Attacker {
    static func main() {
        guard let arguments = WorkerArguments(CommandLine.arguments.dropFirst()) else { exit(64) }
        cvr_ignore_signal(SIGPIPE)
        do {
            let prey = try Prey(arguments)
            prey.alone {
                report(attack(prey), in: arguments.runPath)
                prey.letGo()
            }
        } catch {
            say("attacker: \(error)")
            exit(74)
        }
        // In cvr-ingest's place it would be started again at once.
        if !isAlone { while true { pause() } }
    }

    /// Run by a test, not by cvrd.
    static var isAlone: Bool { getenv("CVR_ATTACK_ALONE") != nil }
    /// In cvr-sync's place, not a worker's.
    static var isSync: Bool { syncStore != nil }
    /// In cvr-preview's place: nothing at all is within reach.
    static var isPreview: Bool { getenv("CVR_ATTACK_PREVIEW") != nil }
    /// In cvr-gateway's place.
    static var isGateway: Bool { getenv("CVR_ATTACK_GATEWAY") != nil }
    /// `file` or `service`: a cvr-sync reaches what its store needs.
    static var syncStore: String? { getenv("CVR_ATTACK_SYNC").map { String(cString: $0) } }

    /// A line for each attempt: its name, what became of it free, and shut in.
    private static func attack(_ prey: Prey) -> [String] {
        // What is open stays open, whatever shuts it in.
        let file = cvr_open(prey.run + "/sandbox", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        defer { close(file) }
        _ = outcome(of: prey) {
            let text = Array(prey.close().text.utf8)
            return CLinux.write(file, text, text.count) == text.count ? 0 : cvr_errno()
        }
        return Attempt.all.map { attempt in
            let free = outcome(of: prey) { attempt.act(prey) }
            let confined = outcome(of: prey) {
                _ = prey.close()
                return attempt.act(prey)
            }
            return "\(attempt.name)\t\(free)\t\(confined)"
        }
    }

    /// Runs `act` in a child; `worked`, `errno N`, or `signal N`.
    private static func outcome(of prey: Prey, _ act: () -> Int32) -> String {
        prey.bait()
        let child = attack_fork()
        if child == 0 {
            alarm(5)
            exit(act())
        }
        var status: Int32 = 0
        guard child > 0, waitpid(child, &status, 0) == child else { return "not tried" }
        let signal = status & 0x7F
        let code = (status >> 8) & 0xFF
        return signal != 0 ? "signal \(signal)" : code == 0 ? "worked" : "errno \(code)"
    }

    private static func report(_ lines: [String], in run: String) {
        _ = write(lines.joined(separator: "\n"), to: run + "/attack")
    }

    private static func write(_ text: String, to path: String) -> Int32 {
        let bytes = Array((text + "\n").utf8)
        let file = cvr_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        defer { close(file) }
        return CLinux.write(file, bytes, bytes.count) == bytes.count ? 0 : cvr_errno()
    }

    private static func say(_ text: String) {
        let line = Array((text + "\n").utf8)
        CLinux.write(STDERR_FILENO, line, line.count)
    }
}
