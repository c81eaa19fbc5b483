import Foundation
import TestSupport
import Testing

/// Attacker code in a worker, from the moment its sandbox closed.
@Suite("Confinement: attack", .timeLimit(.minutes(2)))
struct AttackTests {
    /// What a box's workers run as: root, where it was started so, and a user of no privilege.
    static let users: [UInt32] = geteuid() == 0 ? [0, 4242] : [geteuid()]

    /// What cannot work here even for a process that nothing holds back, and so shows nothing here; the first two do
    /// under systemd (`MachineTests`).
    static let idle: Set = [
        "place.systemdCredential", "place.configuration", "socket.inherited", "socket.cryptography",
    ]
    /// Root's alone, with or without a sandbox.
    static let privileged: Set = [
        "place.shadow", "escape.handle", "escape.chroot", "escape.device", "kernel.mount", "kernel.openTree",
        "kernel.namespaceOfVictim", "socket.packet", "socket.raw",
    ]

    /// Runs the attacker; its standard error is what a worker leaves in cvrd's log.
    static func attack(
        _ user: UInt32, limits: String = "", environment: [String: String] = [:]
    ) async throws -> (report: AttackReport, log: String) {
        let root = NSTemporaryDirectory() + "cvr-attack-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: root) }  // A leftover in /tmp fails no test.
        for folder in [
            "cache/front", "cache/yard", "run/front/a", "run/yard/a", "run/sync", "state/credentials", "store",
        ] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
        }
        try Data("password".utf8).write(to: URL(filePath: "\(root)/state/credentials/yard"))
        var command = [
            "\(Repository.binaries)/cvr-attacker", "--camera", "front", "--slot", "a", "--cache", "\(root)/cache/front",
            "--run", "\(root)/run/front/a",
        ]
        if geteuid() == 0 {
            _ = try await run("/bin/chown", ["-R", "\(user):\(user)", root])
            command = ["/usr/bin/setpriv", "--reuid", "\(user)", "--regid", "\(user)", "--clear-groups"] + command
        }
        let done = try await run(
            command[0], Array(command.dropFirst()),
            environment: environment.merging(["CVR_ATTACK_ALONE": "1", "CVR_SANDBOX": limits]) { $1 })
        try #require(done.ending == .exited(0), "\(done.errors)")
        return (try AttackReport(in: "\(root)/run/front/a"), done.errors)
    }

    /// Free, each attempt has to work, else its failure shut in would show nothing.
    private func expectFree(_ report: AttackReport, user: UInt32) {
        for attempt in report.attempts where attempt.free != "worked" {
            #expect(
                Self.idle.contains(attempt.name) || user != 0 && Self.privileged.contains(attempt.name), "\(attempt)")
        }
    }

    @Test("reaches no other camera, credential, program, process or socket; free, each attempt works", arguments: users)
    func refused(user: UInt32) async throws {
        let (report, log) = try await Self.attack(user)
        try #require(report.sandbox.wholeMatch(of: /landlock \d+, seccomp/) != nil, "\(report.sandbox)")
        expectFree(report, user: user)
        #expect(report.breaches.isEmpty)
        // Whoever looks for the reason of a `sandboxViolation` finds each call named.
        let named = log.split(separator: "\n").count { $0.wholeMatch(of: /sandbox: system call \d+ refused/) != nil }
        #expect(named == report.attempts.count { $0.confined == "signal \(SIGSYS)" } && named > 20, "\(log)")
    }

    @Test(
        "in cvr-sync's place reaches no process, program or socket, and no network but for a store that is a service",
        arguments: users, ["file", "service"])
    func sync(user: UInt32, store: String) async throws {
        let (report, _) = try await Self.attack(user, environment: ["CVR_ATTACK_SYNC": store])
        try #require(report.sandbox.hasSuffix(", seccomp"), "\(report.sandbox)")
        let sockets: Set = [
            "socket.admin", "socket.sync", "socket.neighbour", "socket.abstract", "socket.inherited", "socket.netlink",
            "socket.packet", "socket.raw", "socket.multipath",
        ]
        let network: Set = store == "file" ? ["socket.fastOpen", "own.connect"] : []
        let programs: Set = ["program.execute", "program.executeAt", "program.fork", "program.clone"]
        let barred = report.attempts.filter {
            $0.name.hasPrefix("victim.") || sockets.union(network).union(programs).contains($0.name)
        }
        #expect(barred.count > 28)
        for attempt in barred { #expect(attempt.isRefused, "\(attempt)") }
        for name in ["own.read", "own.list", "neighbour.read"] + (store == "file" ? [] : ["own.connect"]) {
            #expect(report[name]?.confined == "worked", "\(name)")
        }
    }

    @Test("in cvr-gateway's place reaches no footage, secret, process, program, Unix socket or port", arguments: users)
    func gateway(user: UInt32) async throws {
        let (report, _) = try await Self.attack(user, environment: ["CVR_ATTACK_GATEWAY": "1"])
        try #require(report.sandbox.wholeMatch(of: /landlock \d+, seccomp/) != nil, "\(report.sandbox)")
        // What a client does, and what neither Landlock nor a list of withheld calls sees to, as for cvr-sync; the victim
        // here may be read, since it is no process of cvr's.
        let open: Set = [
            "place.ownMaps", "place.library", "place.victimEnvironment", "escape.pipe", "socket.pair",
            "socket.interfaces", "socket.fastOpen", "socket.filter", "program.executableMemory",
        ]
        let barred = report.attempts.filter { attempt in
            let isBarred = ["victim.", "neighbour.", "escape.", "place.", "socket.", "program.ex"].contains {
                attempt.name.hasPrefix($0)
            }
            return isBarred && !open.contains(attempt.name) || ["own.read", "own.write"].contains(attempt.name)
        }
        #expect(barred.count > 70)
        for attempt in barred { #expect(attempt.isRefused, "\(attempt)") }
        #expect(report["own.connect"]?.confined == "worked" && report["own.hosts"]?.confined == "worked")
    }

    @Test("in cvr-preview's place reaches nothing at all", arguments: users)
    func preview(user: UInt32) async throws {
        let (report, _) = try await Self.attack(user, environment: ["CVR_ATTACK_PREVIEW": "1"])
        try #require(report.sandbox.wholeMatch(of: /landlock \d+, seccomp/) != nil, "\(report.sandbox)")
        expectFree(report, user: user)
        for attempt in report.attempts { #expect(attempt.isRefused, "\(attempt)") }
    }

    @Test("is refused as well where the kernel has an older Landlock, and that is said", arguments: Int32(1)...6)
    func older(version: Int32) async throws {
        let user = Self.users.last ?? 0
        let (report, _) = try await Self.attack(user, limits: "landlock:\(version)")
        #expect(report.sandbox == "degraded: landlock \(version), seccomp (CVR_SANDBOX is set)")
        expectFree(report, user: user)
        #expect(report.breaches.isEmpty)
    }

    @Test("without Landlock reaches files, and without the filter programs: each is said to be missing")
    func layers() async throws {
        let user = Self.users.last ?? 0
        let (filtered, _) = try await Self.attack(user, limits: "landlock:0")
        #expect(filtered.sandbox.hasPrefix("degraded: no landlock (Function not implemented), seccomp"))
        #expect(filtered["neighbour.read"]?.confined == "worked")
        // Only what Landlock alone keeps.
        for attempt in filtered.breaches {
            #expect(attempt.confined == "worked" && attempt.isOfFiles, "\(attempt)")
        }
        let (walled, _) = try await Self.attack(user, limits: "noseccomp")
        #expect(walled.sandbox.hasSuffix("no seccomp (Function not implemented) (CVR_SANDBOX is set)"))
        #expect(walled["neighbour.read"]?.confined == "errno \(EACCES)")
        #expect(walled["socket.admin"]?.confined == "worked")
        #expect(walled.breaches.allSatisfy { $0.confined == "worked" }, "\(walled.breaches)")
    }
}

extension AttackReport.Attempt {
    fileprivate var isOfFiles: Bool { ["neighbour.", "escape.", "place."].contains { name.hasPrefix($0) } }
}
