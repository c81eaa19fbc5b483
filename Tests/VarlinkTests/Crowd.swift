import Foundation
import TestSupport

/// Another process that holds ever more connections, with a call on each that is never answered.
final class Crowd: Sendable {
    private let process: ChildProcess

    private static let script = """
        import socket, sys
        held = []
        for line in sys.stdin:
            held.append(socket.socket(socket.AF_UNIX))
            held[-1].connect(sys.argv[1])
            try:
                held[-1].sendall(b'{"method":"test.cvr.Echo.Wait"}\\0')
                if line.strip(): print(len(held[-1].recv(1)), flush=True)
            except OSError: print(0, flush=True)
        """

    init(_ path: String) throws {
        process = try ChildProcess("/usr/bin/python3", ["-c", Self.script, path])
    }

    /// One connection more.
    func ask() throws { try process.send("") }

    /// One connection more, which the server ends.
    func isTurnedAway() async throws -> Bool {
        try process.send("and wait")
        return try await process.output.first("the newcomer's end") { $0 }.found == "0"
    }

    func leave() { process.signal(SIGKILL) }
}
