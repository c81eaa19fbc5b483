import Foundation
import Testing

/// The shipped units say what the design argues for, and leave little open to whoever captures a process.
@Suite("Structure: units")
struct UnitTests {
    let tree = SourceTree()

    /// The assignments of a unit file, in order.
    func settings(_ unit: String) throws -> [String] {
        try tree.text("etc/systemd/\(unit)").split(separator: "\n").map(String.init)
            .filter { !$0.hasPrefix("#") && !$0.hasPrefix("[") }
    }

    @Test("cvrd's workers outlive it, and a restart differs from a stop")
    func survival() throws {
        let settings = try settings("cvrd.service")
        for wanted in [
            "Type=notify", "Restart=always", "StartLimitIntervalSec=0", "KillMode=process", "KillSignal=SIGTERM",
            "RestartKillSignal=SIGUSR2", "OOMPolicy=continue", "Wants=cvr-workers.service", "User=cvr",
            "WatchdogSec=10s", "LoadCredential=cvr:/etc/cvr/credentials",
        ] {
            #expect(settings.contains(wanted), "\(wanted)")
        }
        // Each would end or hide the workers that a new cvrd has to find.
        for key in ["Delegate", "RuntimeDirectory", "PrivateUsers", "ProtectProc", "ProcSubset", "PrivatePIDs"] {
            #expect(!settings.contains { $0.hasPrefix(key + "=") }, "\(key)=")
        }
        let companion = try self.settings("cvr-workers.service")
        #expect(companion.contains("PartOf=cvrd.service") && companion.contains("StartLimitIntervalSec=0"))
        // What hangs or waits for its next start is ended with the service, and not by a restart.
        #expect(settings.contains("ExecStopPost=+/usr/libexec/cvr/cvr-sweep ended"))
        #expect(companion.contains("ExecStop=/usr/libexec/cvr/cvr-sweep stopped"))
    }

    @Test("exposure stays below what systemd-analyze may find", arguments: [("cvrd", 14), ("cvr-workers", 16)])
    func exposure(unit: String, limit: Int) throws {
        let analyze = Process()
        let output = Pipe()
        analyze.executableURL = URL(filePath: "/usr/bin/systemd-analyze")
        let path = tree.root.appending(path: "etc/systemd/\(unit).service").path
        analyze.arguments = ["security", "--offline=true", "--no-pager", "--threshold=\(limit)", path]
        (analyze.standardOutput, analyze.standardError) = (output, output)
        try analyze.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        analyze.waitUntilExit()
        #expect(analyze.terminationStatus == 0, "\(text)")
        #expect(text.contains("Overall exposure level for \(unit).service"), "\(text)")
    }
}
