import Foundation
import Messages
import TestSupport
import Testing

extension ServedBoxTests {
    @Test("hear on the bus whether the clock is synchronised, whichever time service keeps it")
    func clock() async throws {
        var settings = BoxSettings([.init("front", url: "rtsp://127.0.0.1:9/front")])
        settings.trustsClock = false
        let verdicts = try await withSystemMachine(settings) { machine in
            try await machine.systemctl("start", "cvrd")
            // A container's timedated may not ask the kernel either.
            let before = try await Self.clockCheck(machine)
            try await Self.vouch(on: machine)
            return [before, try await Self.clockCheck(machine)]
        }
        #expect(verdicts == ["failed", "ok"])
    }

    private static func clockCheck(_ machine: SystemMachine) async throws -> String? {
        // It fails, for the camera is away.
        let done = try await machine.run(["--json", "doctor"])
        return try JSONDecoder().decode([Admin.Check].self, from: done.output).first { $0.name == "clock" }?.verdict
    }

    /// The kernel tells the machine's systemd-timedated that the clock is right.
    private static func vouch(on machine: SystemMachine) async throws {
        let source = """
            #include <string.h>
            #include <sys/timex.h>
            int adjtimex(struct timex *query) { memset(query, 0, sizeof *query); return 0; }
            """
        let library = "\(machine.root)/root/etc/vouching.so"
        let made = try await run(
            "/usr/bin/env", ["clang", "-shared", "-fPIC", "-x", "c", "-", "-o", library], input: source)
        try #require(made.ending == .exited(0), "\(made.errors)")
        try await machine.systemctl("set-environment", "LD_PRELOAD=/etc/vouching.so")
        try await machine.systemctl("stop", "systemd-timedated")
    }
}
