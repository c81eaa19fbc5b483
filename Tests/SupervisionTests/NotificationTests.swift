import Foundation
import Glibc
import TestSupport
import Testing

/// The real cvrd under a service manager that only listens.
@Suite("Supervision: notifications", .timeLimit(.minutes(1)))
struct NotificationTests {
    /// What the service manager hears when it hears nothing for five of cvrd's periods.
    private static let silence = "silence"

    /// What the service manager hears: one datagram each.
    private static func listen(at path: String) throws -> AsyncStream<String> {
        let descriptor = try UnixAddress(path).receive()
        var patience = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        Thread.detachNewThread {
            var bytes = [UInt8](repeating: 0, count: 4096)
            var isWanted = true
            while isWanted, case let count = recv(descriptor, &bytes, bytes.count, 0), count > 0 || errno == EAGAIN {
                let text = count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : silence
                if case .terminated = continuation.yield(text) { isWanted = false }
            }
            close(descriptor)
            continuation.finish()
        }
        return stream
    }

    private func start(_ box: TemporaryBox, log: String? = nil) throws -> ChildProcess {
        try ChildProcess(
            "\(Repository.binaries)/cvrd", ["--config", "\(box.root)/cvr.yaml"],
            environment: ["NOTIFY_SOCKET": "\(box.root)/notify", "WATCHDOG_USEC": "400000"], log: log)
    }

    @Test("cvrd is ready once each camera was tried, proves that it works, and says that it reloads and stops")
    func life() async throws {
        let box = try TemporaryBox()
        // Nothing listens there: readiness does not wait for a camera.
        try box.configure("{ front: { url: \"rtsp://127.0.0.1:9/a\" } }")
        var heard = try Self.listen(at: "\(box.root)/notify").makeAsyncIterator()
        let cvrd = try start(box)
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

    @Test("cvrd gives no sign of life while its table of cameras stands still, and does again when it goes on")
    func stuck() async throws {
        let box = try TemporaryBox()
        try box.configure("{ front: { url: \"rtsp://127.0.0.1:9/a\" } }")
        var heard = try Self.listen(at: "\(box.root)/notify").makeAsyncIterator()
        let pipe = "\(box.root)/log"
        try #require(mkfifo(pipe, 0o600) == 0)
        let (reader, writer) = (open(pipe, O_RDONLY | O_NONBLOCK), open(pipe, O_WRONLY | O_NONBLOCK))
        try #require(reader >= 0 && writer >= 0)
        let cvrd = try start(box, log: pipe)
        // A log that takes no more holds up whoever has something to say: the table at the latest, that it reloaded.
        func letGo() {
            _ = fcntl(reader, F_SETFL, 0)
            Thread.detachNewThread {
                var bytes = [UInt8](repeating: 0, count: 65536)
                while read(reader, &bytes, bytes.count) > 0 {}
                close(reader)
            }
            close(writer)
        }
        func next(_ wanted: String) async throws {
            var others = 0
            while case let text = try #require(await heard.next()), !text.hasPrefix(wanted) {
                if text == "WATCHDOG=1" { others += 1 }
                try #require(others < 50, "no \(wanted)")
            }
        }
        defer { cvrd.signal(SIGTERM) }
        do {
            defer { letGo() }
            try await next("READY=1")
            for size in [4096, 1] { while write(writer, [UInt8](repeating: 0, count: size), size) > 0 {} }
            cvrd.signal(SIGHUP)
            try await next(Self.silence)
        }
        try await next("WATCHDOG=1")
        cvrd.signal(SIGTERM)
        #expect(try await cvrd.end() == .exited(0))
    }
}
