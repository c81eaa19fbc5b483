import Foundation
import Glibc
import Testing
import Varlink

@Suite("Varlink: socket file", .timeLimit(.minutes(1)))
struct UnixSocketTests {
    @Test("the socket has its mode and group")
    func permissions() async throws {
        try await EchoService.run(mode: 0o660, group: getgid()) { service in
            var status = stat()
            #expect(lstat(service.path, &status) == 0)
            #expect(status.st_mode == S_IFSOCK | 0o660)
            #expect(status.st_gid == getgid())
        }
    }

    @Test("the socket of a dead server is replaced")
    func stale() async throws {
        let folder = try temporaryFolder()
        defer { remove(folder) }
        for _ in 0..<2 {
            try await EchoService.run(path: "\(folder)/s") { service in
                let echo = EchoService.Text(text: "a")
                let client = try await VarlinkClient.connect(path: service.path)
                #expect(try await client.call("test.cvr.Echo.Echo", echo, as: EchoService.Text.self) == echo)
            }
            #expect(FileManager.default.fileExists(atPath: "\(folder)/s"))
        }
    }

    @Test("the socket of a living server is left alone")
    func taken() async throws {
        try await EchoService.run { first in
            let error = await #expect(throws: VarlinkConnectionError.self) {
                try await EchoService.run(path: first.path) { _ in }
            }
            #expect(error?.errno == EADDRINUSE)
            let echo = EchoService.Text(text: "a")
            let client = try await VarlinkClient.connect(path: first.path)
            #expect(try await client.call("test.cvr.Echo.Echo", echo, as: EchoService.Text.self) == echo)
        }
    }

    @Test("a file that is no socket is never removed")
    func file() async throws {
        let folder = try temporaryFolder()
        defer { remove(folder) }
        try Data("precious".utf8).write(to: URL(filePath: "\(folder)/s"))
        let error = await #expect(throws: VarlinkConnectionError.self) {
            try await EchoService.run(path: "\(folder)/s") { _ in }
        }
        #expect(error?.errno == EEXIST)
        #expect(try String(contentsOf: URL(filePath: "\(folder)/s"), encoding: .utf8) == "precious")
    }

    @Test("a path that does not fit, or into nowhere, is an error with a next step")
    func unusable() async throws {
        let long = "/tmp/" + String(repeating: "x", count: 103)
        for (path, number) in [(long, ENAMETOOLONG), ("/nonexistent/s", ENOENT)] {
            let error = await #expect(throws: VarlinkConnectionError.self) {
                try await EchoService.run(path: path) { _ in }
            }
            #expect(error?.errno == number)
            #expect(error?.nextStep.isEmpty == false)
        }
    }
}
