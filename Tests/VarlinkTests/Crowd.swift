import Foundation

/// Another process that holds ever more connections, with a call on each that is never answered.
final class Crowd: @unchecked Sendable {
    private let process = Process()
    private let orders = Pipe()

    private static let script = """
        import socket, sys
        held = []
        for line in sys.stdin:
            held.append(socket.socket(socket.AF_UNIX))
            held[-1].connect(sys.argv[1])
            held[-1].sendall(b'{"method":"test.cvr.Echo.Wait"}\\0')
        """

    init(_ path: String) throws {
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = ["-c", Self.script, path]
        process.standardInput = orders
        try process.run()
    }

    /// One connection more.
    func ask() { orders.fileHandleForWriting.write(Data("\n".utf8)) }

    func leave() { process.terminate() }
}
