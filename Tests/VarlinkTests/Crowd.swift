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
            held[-1].sendall(b'{"method":"test.cvr.Echo.Wait"}\\0')
        """

    init(_ path: String) throws {
        process = try ChildProcess("/usr/bin/python3", ["-c", Self.script, path])
    }

    /// One connection more.
    func ask() throws { try process.send("") }

    func leave() { process.signal(SIGKILL) }
}
