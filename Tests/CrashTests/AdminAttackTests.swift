import Foundation
import Messages
import TestSupport
import Testing

/// The real cvrd's admin socket under attack while its cameras record.
@Suite("Admin socket under attack", .showsEvidence, .timeLimit(.minutes(5)))
struct AdminAttackTests {
    @Test("only the attackers notice: other clients are answered, cameras lose nothing, no descriptor stays")
    func attack() async throws {
        try await Machine.shared.place {
            try await withCameras(["front", "yard"].map { .init($0, clip: "h264-video") }) { box, _ in
                try await box.start()
                for camera in ["front", "yard"] { try await box.untilStored(1, of: camera) }
                let supervisor = try #require(box.processes().first { $0.program == "cvrd" })
                let before = supervisor.openDescriptors
                for attack in Self.attacks { try await expectUnnoticed(attack, by: box, supervisor) }
                try await eventually("every attacker's descriptor is given back") {
                    supervisor.openDescriptors <= before + 3 ? true : nil
                }
                for camera in ["front", "yard"] { try await expectUnharmed(camera, in: box) }
                #expect(box.processes().contains(supervisor), "cvrd was replaced")
            }
        }
    }

    /// What is done over `path`; each prints `ready` at its height and then waits to be ended.
    static let attacks: [(name: String, script: String)] = [
        (
            "garbage",
            """
            for count in range(300):
                client = connect()
                try: client.sendall(random.randbytes(4096) + b"\\0")
                except OSError: pass
            """
        ),
        (
            "halves of messages",
            """
            for count in range(200): say(b'{"method":"io.cvr.Admin.Sta')
            """
        ),
        (
            "10,000 connections",
            """
            for count in range(10000): say(b"")
            """
        ),
        (
            "followers that never read, on every connection",
            """
            for count in range(64): say(b'{"method":"io.cvr.Admin.Events","more":true}\\0')
            """
        ),
        (
            "questions whose answers nobody reads",
            """
            for count in range(64): say(b'{"method":"io.cvr.Admin.Status"}\\0' * 1000)
            """
        ),
    ]

    private static let attacker = """
        import random, resource, socket, sys
        resource.setrlimit(resource.RLIMIT_NOFILE, (12000, max(12000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
        held = []
        def connect():
            held.append(socket.socket(socket.AF_UNIX))
            held[-1].connect(sys.argv[1])
            held[-1].settimeout(0.2)
            return held[-1]
        def say(text):
            try: connect().sendall(text)
            except OSError: pass

        """

    private func expectUnnoticed(
        _ attack: (name: String, script: String), by box: Box, _ supervisor: BoxProcess
    ) async throws {
        let attacker = try ChildProcess(
            "/usr/bin/python3",
            ["-c", Self.attacker + attack.script + "\nprint('ready', flush=True)\nsys.stdin.read()", box.adminSocket])
        // Also on the way there.
        for count in 1...3 { try await expectAnswer(attack.name, count, box) }
        _ = try await attacker.output.first("the height of \(attack.name)", within: .seconds(60)) {
            $0 == "ready" ? true : nil
        }
        for count in 4...6 { try await expectAnswer(attack.name, count, box) }
        #expect(supervisor.openDescriptors < 250, "\(attack.name)")
        attacker.closeInput()
        await attacker.stop()
    }

    private func expectAnswer(_ attack: String, _ count: Int, _ box: Box) async throws {
        let start = ContinuousClock.now
        let done = try await box.run(["status"], within: .seconds(20))
        let took = ContinuousClock.now - start
        #expect(done.ending == .exited(0), "\(attack), question \(count): \(done.errors)")
        #expect(took < .seconds(5), "\(attack), question \(count) took \(took)")
    }

    @Test(
        "a user who is not in its group is refused, with a next step",
        .enabled(if: geteuid() == 0, "asks as another user"))
    func wrongUser() async throws {
        try await Machine.shared.place {
            try await withBox(BoxSettings([])) { box in
                try await box.start()
                // The way there is open to everybody: the socket itself is what refuses.
                chmod(box.root, 0o755)
                let done = try await run(
                    "/usr/bin/setpriv",
                    [
                        "--reuid=65534", "--regid=65534", "--clear-groups", "\(Repository.binaries)/cvrctl", "--socket",
                        box.adminSocket, "--json", "status",
                    ])
                #expect(done.ending == .exited(5), "\(done.text)\(done.errors)")
                #expect(done.text.contains("permissionDenied") && done.text.contains("nextStep"), "\(done.text)")
                #expect(try await box.run(["status"]).ending == .exited(0))
            }
        }
    }

    @Test("cvrd's own processes, and what they start, are refused")
    func children() async throws {
        try await Machine.shared.place {
            try await withBox(BoxSettings([])) { box in
                try await box.start(programs: try await Self.askingSync(in: "\(box.root)/bin", socket: box.adminSocket))
                for name in ["child", "grandchild"] {
                    let answer = try await eventually("an answer to cvrd's \(name)") {
                        // Not asked yet.
                        try? String(contentsOfFile: "\(box.root)/bin/\(name)", encoding: .utf8)
                    }
                    #expect(answer.contains("io.cvr.Admin.Refused"), "\(name): \(answer)")
                }
                #expect(try await box.run(["status"]).ending == .exited(0))
            }
        }
    }

    /// A folder whose cvr-sync asks for the status, by itself and by a child of its own.
    private static func askingSync(in folder: String, socket: String) async throws -> String {
        let sync = """
            #!/usr/bin/python3
            import os, signal, socket
            def ask(name):
                client = socket.socket(socket.AF_UNIX)
                client.connect("\(socket)")
                client.sendall(b'{"method":"io.cvr.Admin.Status"}' + bytes(1))
                with open("\(folder)/" + name + ".new", "wb") as file: file.write(client.recv(65536))
                os.rename("\(folder)/" + name + ".new", "\(folder)/" + name)
            ask("child")
            if os.fork() == 0:
                ask("grandchild")
                os._exit(0)
            signal.pause()
            """
        return try await ProgramFolder(folder, replacing: ["cvr-sync": sync]).path
    }
}
