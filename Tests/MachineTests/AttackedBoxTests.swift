import TestSupport
import Testing

extension ServedBoxTests {
    /// What is there for the taking under the unit too, as long as the worker's sandbox is open: without it the rest
    /// would show nothing.
    static let withinReach = [
        "place.systemdCredential", "place.configuration", "place.credential", "place.state", "neighbour.read",
        "neighbour.write", "neighbour.unlink", "program.execute", "victim.kill", "socket.admin",
        "socket.sync",
    ]

    @Test("give an attacker in a worker's place nothing but its own camera (I1, I10)")
    func attacked() async throws {
        let names = ["front", "yard"]
        var settings = BoxSettings(names.map { .init($0, url: "rtsp://127.0.0.1:9/\($0)") })
        (settings.cameras[1].username, settings.cameras[1].password) = ("viewer", "canary-in-the-credentials")
        let reports = try await withSystemMachine(settings, worker: "cvr-attacker") { machine in
            // As `cvrctl camera add` keeps a password.
            let password = ["/etc/cvr/credentials/yard", "/var/lib/cvr/state/credentials/added-gate"]
            let copied = try await machine.execute("/usr/bin/install", ["-D", "-o", "cvr", "-m", "600"] + password)
            try #require(copied.ending == .exited(0), "\(copied.errors)")
            try await machine.systemctl("start", "cvrd")
            var reports: [AttackReport] = []
            for name in names {
                let directory = "/proc/\(machine.leader)/root/run/cvr/\(name)/a"
                reports.append(
                    try await eventually("the attacker of \(name)", within: .seconds(40)) {
                        // It is at it.
                        try? AttackReport(in: directory)
                    })
            }
            return reports
        }
        for report in reports {
            #expect(report.sandbox.wholeMatch(of: /landlock \d+, seccomp/) != nil, "\(report.sandbox)")
            #expect(report.breaches.isEmpty)
            for name in Self.withinReach { #expect(report[name]?.free == "worked", "\(name): \(report[name] as Any)") }
        }
    }
}
