package import Foundation

/// A recorder box as a fleet has it: real systemd with the shipped units, in namespaces of its own (`contrib/machine`).
package actor SystemMachine: RecorderBox {
    /// Everything of the machine lies here: `var` is its /var/lib/cvr.
    package nonisolated let root: String
    private let container: ChildProcess
    /// Its process 1.
    package nonisolated let leader: pid_t

    package nonisolated var data: String { "\(root)/var" }

    private init(root: String, container: ChildProcess, leader: pid_t) {
        self.root = root
        self.container = container
        self.leader = leader
    }

    /// Boots a machine that is not recording yet, with `worker` for its cvr-ingest.
    static func boot(_ settings: BoxSettings, worker: String) async throws -> SystemMachine {
        let root = try Box.makeRoot()
        // The machine's own users have to pass.
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: root)
        try Data(settings.yaml(root: "/var/lib/cvr", runtime: "/run/cvr").utf8)
            .write(to: URL(filePath: "\(root)/cvr.yaml"))
        try settings.writeCredentials(to: "\(root)/credentials")
        let own = ["cvrd", "cvrctl", "cvr-sync", "cvr-playback", "cvr-gateway", "cvr-preview"].map { ($0, $0) }
        for (name, program) in own + [("cvr-ingest", worker)] {
            try FileManager.default.createSymbolicLink(
                atPath: "\(root)/\(name)", withDestinationPath: "\(Repository.binaries)/\(program)")
        }
        let container = try ChildProcess(
            Repository.path("contrib/machine"), [root], environment: ["CVR_TEST_BIN": root])
        do {
            let booted = try await container.output.first("the machine", within: .seconds(60)) { line in
                // Another line than the one looked for decodes to nothing.
                try? JSONDecoder().decode([String: pid_t].self, from: Data(line.utf8))["leader"]
            }
            return SystemMachine(root: root, container: container, leader: booted.found)
        } catch {
            // It ends what it booted by itself, and in any case within its own limit.
            container.closeInput()
            try await container.end(within: .seconds(90))
            throw Missed("\(error)\n\(container.errors.text)")
        }
    }

    /// Ends with everything that runs in it.
    func shutDown() async throws {
        container.closeInput()
        try await container.end(within: .seconds(30))
        try FileManager.default.removeItem(atPath: root)
    }

    // What runs in it

    package nonisolated func processes() -> [BoxProcess] { BoxProcess.all(inContainerOf: leader) }

    package nonisolated func processes(of program: String) -> [BoxProcess] {
        processes().filter { $0.program == program }
    }

    package nonisolated func supervisor() throws -> BoxProcess {
        guard let found = processes(of: "cvrd").first else { throw Missed("no cvrd runs") }
        return found
    }

    // What it says

    /// Runs a program in the machine, as its root.
    package nonisolated func execute(
        _ program: String, _ arguments: [String], within limit: Duration = .seconds(60)
    ) async throws -> Finished {
        try await TestSupport.run(
            "/usr/bin/nsenter", ["-t", "\(leader)", "-a", program] + arguments, within: limit)
    }

    package nonisolated func run(
        _ arguments: [String], input: String = "", within limit: Duration = .seconds(60)
    ) async throws -> Finished {
        try await execute("/usr/bin/cvrctl", arguments, within: limit)
    }

    /// Runs systemctl, which has to succeed.
    @discardableResult
    package nonisolated func systemctl(_ arguments: String...) async throws -> String {
        let done = try await execute("/usr/bin/systemctl", arguments)
        guard done.ending == .exited(0) else {
            throw Missed("systemctl \(arguments.joined(separator: " ")): \(done.ending) \(done.text)\(done.errors)")
        }
        return done.text
    }

    /// A property of cvrd.service.
    package nonisolated func property(_ name: String, of unit: String = "cvrd.service") async throws -> String {
        try await systemctl("show", "--value", "-p", name, unit).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The journal of its units, from the machine's boot.
    package nonisolated func journal() async throws -> String {
        try await execute(
            "/usr/bin/journalctl", ["--no-pager", "-o", "short-precise", "-u", "cvrd", "-u", "cvr-workers"]
        ).text
    }
}

/// Runs `body` with a machine that does not record yet; whatever happens, nothing of it is left.
///
/// When `body` throws, its journal is printed.
package func withSystemMachine<Result: Sendable>(
    _ settings: BoxSettings, worker: String = "cvr-ingest", isolation: isolated (any Actor)? = #isolation,
    _ body: (SystemMachine) async throws -> Result
) async throws -> Result {
    let machine = try await SystemMachine.boot(settings, worker: worker)
    do {
        let result = try await body(machine)
        try await machine.shutDown()
        return result
    } catch {
        // Best effort: the test failed already.
        print("---- the machine's journal\n\((try? await machine.journal().suffix(20000)) ?? "none")")
        try? await machine.shutDown()  // as above
        throw error
    }
}
