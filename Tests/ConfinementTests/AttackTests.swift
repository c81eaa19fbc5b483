import Foundation
import TestSupport
import Testing

/// Attacker code in a worker, from the moment its sandbox closed.
@Suite("Confinement: attack", .timeLimit(.minutes(2)))
struct AttackTests {
    /// What a box's workers run as: root, where it was started so, and a user of no privilege.
    static let users: [UInt32] = geteuid() == 0 ? [0, 4242] : [geteuid()]

    /// What cannot work here even for a process that nothing holds back, and so shows nothing here.
    static let idle: Set = [
        "place.systemdCredential", "place.configuration", "socket.inherited", "socket.cryptography",
    ]
    /// Root's alone, with or without a sandbox.
    static let privileged: Set = [
        "place.shadow", "escape.handle", "escape.chroot", "escape.device", "kernel.mount", "kernel.openTree",
        "kernel.namespaceOfVictim", "socket.packet", "socket.raw",
    ]

    /// Runs the attacker, and returns what it says of its sandbox and what became of each attempt, free and shut in.
    static func attack(
        _ user: UInt32, limits: String = "", environment: [String: String] = [:]
    ) async throws -> (sandbox: String, [Attempt]) {
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
        func lines(_ name: String) throws -> [Substring] {
            try String(contentsOfFile: "\(root)/run/front/a/\(name)", encoding: .utf8).split(separator: "\n")
        }
        return (String(try #require(try lines("sandbox").first)), try lines("attack").map { try Attempt($0) })
    }

    struct Attempt {
        let name: String
        let free: String
        let confined: String

        init(_ line: Substring) throws {
            let fields = line.split(separator: "\t").map(String.init)
            try #require(fields.count == 3)
            (name, free, confined) = (fields[0], fields[1], fields[2])
        }
    }

    @Test("reaches no other camera, credential, program, process or socket; free, each attempt works", arguments: users)
    func refused(user: UInt32) async throws {
        let (sandbox, attempts) = try await Self.attack(user)
        try #require(sandbox.hasPrefix("landlock ") && sandbox.hasSuffix(", seccomp"), "\(sandbox)")
        #expect(attempts.count > 90)
        for attempt in attempts {
            let isIdle = Self.idle.contains(attempt.name) || user != 0 && Self.privileged.contains(attempt.name)
            #expect(isIdle || attempt.free == "worked", "\(attempt): shows nothing")
            #expect((attempt.confined == "worked") == attempt.name.hasPrefix("own."), "\(attempt)")
            #expect(attempt.confined != "not tried")
        }
    }

    @Test("in cvr-sync's place reaches no process, program, socket or network", arguments: users)
    func sync(user: UInt32) async throws {
        let (sandbox, attempts) = try await Self.attack(user, environment: ["CVR_ATTACK_SYNC": "1"])
        try #require(sandbox.hasSuffix(", seccomp"), "\(sandbox)")
        let sockets: Set = [
            "socket.admin", "socket.sync", "socket.neighbour", "socket.abstract", "socket.inherited", "socket.netlink",
            "socket.packet", "socket.raw", "socket.multipath", "socket.fastOpen", "own.connect",
        ]
        let programs: Set = ["program.execute", "program.executeAt", "program.fork", "program.clone"]
        let barred = attempts.filter {
            $0.name.hasPrefix("victim.") || sockets.contains($0.name) || programs.contains($0.name)
        }
        #expect(barred.count > 28)
        for attempt in barred { #expect(attempt.confined != "worked", "\(attempt)") }
        for name in ["own.read", "own.list", "neighbour.read"] {
            #expect(attempts.first { $0.name == name }?.confined == "worked", "\(name)")
        }
    }

    @Test("is refused as well where the kernel has an older Landlock, and that is said", arguments: Int32(1)...6)
    func older(version: Int32) async throws {
        let (sandbox, attempts) = try await Self.attack(4242, limits: "landlock:\(version)")
        #expect(sandbox == "degraded: landlock \(version), seccomp (CVR_SANDBOX is set)")
        for attempt in attempts where !attempt.name.hasPrefix("own.") {
            #expect(attempt.confined != "worked", "\(attempt)")
        }
    }

    @Test("without Landlock reaches files, and without the filter programs: each is said to be missing")
    func layers() async throws {
        let filtered = try await Self.attack(4242, limits: "landlock:0")
        #expect(filtered.sandbox.hasPrefix("degraded: no landlock (Function not implemented), seccomp"))
        #expect(filtered.1.first { $0.name == "neighbour.read" }?.confined == "worked")
        #expect(filtered.1.first { $0.name == "program.execute" }?.confined == "signal 31")
        let walled = try await Self.attack(4242, limits: "noseccomp")
        #expect(walled.sandbox.hasSuffix("no seccomp (Function not implemented) (CVR_SANDBOX is set)"))
        #expect(walled.1.first { $0.name == "neighbour.read" }?.confined == "errno 13")
        #expect(walled.1.first { $0.name == "socket.admin" }?.confined == "worked")
    }
}
