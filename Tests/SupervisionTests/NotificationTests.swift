import Foundation
import Glibc
import Testing

/// The real cvrd under a service manager that only listens.
@Suite("Supervision: notifications", .timeLimit(.minutes(1)))
struct NotificationTests {
    /// What the service manager hears: one datagram each.
    private static func listen(at path: String) throws -> AsyncStream<String> {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0, "bind \(path): errno \(errno)")
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        Thread.detachNewThread {
            var bytes = [UInt8](repeating: 0, count: 4096)
            while case let count = recv(descriptor, &bytes, bytes.count, 0), count > 0 {
                let text = String(decoding: bytes.prefix(count), as: UTF8.self)
                continuation.yield(text)
            }
            close(descriptor)
            continuation.finish()
        }
        return stream
    }

    private func start(_ box: TemporaryBox) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: ProgramTests.binary)
        process.arguments = ["--config", "\(box.root)/cvr.yaml"]
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["NOTIFY_SOCKET": "\(box.root)/notify", "WATCHDOG_USEC": "400000"]) { $1 }
        (process.standardError, process.standardInput) = (FileHandle.nullDevice, FileHandle.nullDevice)
        try process.run()
        return process
    }

    @Test("cvrd is ready once each camera was tried, proves that it works, and says that it reloads and stops")
    func life() async throws {
        let box = try TemporaryBox()
        // Nothing listens there: readiness does not wait for a camera.
        try box.configure("{ front: { url: \"rtsp://127.0.0.1:9/a\" } }")
        var heard = try Self.listen(at: "\(box.root)/notify").makeAsyncIterator()
        let process = try start(box)
        defer { if process.isRunning { process.terminate() } }
        func next(_ prefix: String) async throws -> String {
            while true {
                let text = try #require(await heard.next())
                if text.hasPrefix(prefix) { return text }
            }
        }
        let ready = try await next("READY=1")
        #expect(ready.wholeMatch(of: /READY=1\nSTATUS=1 camera: 1 (starting|reconnecting) \(front\); sync \w+/) != nil)
        for _ in 0..<3 { #expect(try await next("WATCHDOG=1") == "WATCHDOG=1") }
        kill(process.processIdentifier, SIGHUP)
        #expect(try await next("RELOADING=1").wholeMatch(of: /RELOADING=1\nMONOTONIC_USEC=\d+/) != nil)
        #expect(try await next("READY=1") == "READY=1")
        process.terminate()
        let stopping = try await next("STOPPING=1")
        #expect(stopping.contains("\nEXTEND_TIMEOUT_USEC=20000000"), "\(stopping)")
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                process.waitUntilExit()
                continuation.resume()
            }
        }
        #expect(process.terminationStatus == 0)
    }
}
