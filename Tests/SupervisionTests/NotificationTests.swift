import Foundation
import Glibc
import TestSupport
import Testing

/// The real cvrd under a service manager that only listens.
@Suite("Supervision: notifications", .timeLimit(.minutes(1)))
struct NotificationTests {
    /// What the service manager hears: one datagram each.
    private static func listen(at path: String) throws -> AsyncStream<String> {
        let descriptor = try UnixAddress(path).receive()
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

    @Test("cvrd is ready once each camera was tried, proves that it works, and says that it reloads and stops")
    func life() async throws {
        let box = try TemporaryBox()
        // Nothing listens there: readiness does not wait for a camera.
        try box.configure("{ front: { url: \"rtsp://127.0.0.1:9/a\" } }")
        var heard = try Self.listen(at: "\(box.root)/notify").makeAsyncIterator()
        let cvrd = try ChildProcess(
            "\(Repository.binaries)/cvrd", ["--config", "\(box.root)/cvr.yaml"],
            environment: ["NOTIFY_SOCKET": "\(box.root)/notify", "WATCHDOG_USEC": "400000"])
        defer { cvrd.signal(SIGTERM) }
        func next(_ prefix: String) async throws -> String {
            while true {
                let text = try #require(await heard.next())
                if text.hasPrefix(prefix) { return text }
            }
        }
        let ready = try await next("READY=1")
        #expect(ready.wholeMatch(of: /READY=1\nSTATUS=1 camera: 1 (starting|reconnecting) \(front\); sync \w+/) != nil)
        for _ in 0..<3 { #expect(try await next("WATCHDOG=1") == "WATCHDOG=1") }
        cvrd.signal(SIGHUP)
        #expect(try await next("RELOADING=1").wholeMatch(of: /RELOADING=1\nMONOTONIC_USEC=\d+/) != nil)
        #expect(try await next("READY=1") == "READY=1")
        cvrd.signal(SIGTERM)
        let stopping = try await next("STOPPING=1")
        #expect(stopping.contains("\nEXTEND_TIMEOUT_USEC=20000000"), "\(stopping)")
        #expect(try await cvrd.end() == .exited(0))
    }
}
