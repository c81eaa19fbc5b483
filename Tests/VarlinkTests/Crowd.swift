import Foundation
import TestSupport

/// Another process that holds ever more connections, with a call on each that is never answered.
final class Crowd: Sendable {
    private let process: ChildProcess

    private static let script = """
        import socket, sys
        held = []
        def connect():
            held.append(socket.socket(socket.AF_UNIX))
            held[-1].connect(sys.argv[1])
            return held[-1]
        def ends(connection, call):
            try:
                connection.sendall(call)
                return not connection.recv(1)
            except OSError: return True
        wait, echo = b'{"method":"test.cvr.Echo.Wait"}\\0', b'{"method":"test.cvr.Echo.Echo","parameters":{"text":"c"}}\\0'
        for line in sys.stdin:
            if line == "once served\\n":
                while ends(connect(), echo): pass
                held[-1].sendall(wait)
            elif line == "until the end\\n": print(ends(connect(), wait), flush=True)
            else: connect().sendall(wait)
        """

    init(_ path: String) throws {
        process = try ChildProcess("/usr/bin/python3", ["-c", Self.script, path])
    }

    /// One connection more.
    func ask() throws { try process.send("") }

    /// As often as it takes until one is let in.
    func askUntilServed() throws { try process.send("once served") }

    /// One connection more, which the server ends.
    func isTurnedAway() async throws -> Bool {
        try process.send("until the end")
        return try await process.output.first("the newcomer's end") { $0 }.found == "True"
    }

    func leave() { process.signal(SIGKILL) }
}
