import Foundation
import Glibc
import HTTP
import Logging
import Playback
import Recording
import Synchronization
import TestSupport
import Testing

/// Clients that mean harm, or are gone.
@Suite("Playback: hostile clients", .serialized) struct HostileClientTests {
    private static let range = "/ranges/front.mp4?from=2026-03-01T10:00:00Z&to=2026-03-01T10:10:00Z"

    /// Ten minutes of the same seconds, some tens of megabytes.
    private func recorded(_ segments: Int = 2) async throws -> RecordedSite {
        let site = try RecordedSite()
        try site.record(try await EncodedClip(size: "640x360", seconds: 2), segments: segments, length: 10)
        return site
    }

    /// Whoever waits for the rest of a request need not wait long here.
    private static var impatient: ServerLimits {
        var limits = ServerLimits()
        limits.idle = .seconds(3)
        return limits
    }

    @Test("whatever a request says, it is answered with an error, and the next client is served")
    func malformed() async throws {
        let site = try await recorded()
        try Data("secret".utf8).write(to: URL(filePath: site.folder + "/state/secret"))
        try await ServedSite.run(try site.archive(), limits: Self.impatient) { served in
            let paths = [
                "/../../state/secret", "/page/../../state/secret", "/page/..%2f..%2fstate%2fsecret", "//etc/passwd",
                "/assets/../state/secret", "/assets/asset-front/media/../../../state/secret",
                "/assets/asset-front/media/..%2F..%2Fstate/secret.mp4", "/ranges/..%2fstate.mp4?from=x",
                "/ranges/%00.mp4?from=2026-03-01T10:00:00Z", "/live/../front/stream.mp4",
                "/assets/asset-front/media/1.0.9223372036854775807/-9223372036854775808.mp4",
                "/assets/asset-front/media/1.0.1772359200000/99999999999999999999.mp4",
                "/assets/asset-front/media/01.0.1772359200000/0.mp4", "/export/front?from=2026-03-01T10:00:00Z&to=",
                "/ranges/front.mp4?from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z",
                "/get?path=front&start=2026-03-01T10:00:00Z&duration=nan",
                "/get?path=front&start=2026-03-01T10:00:00Z&duration=-1",
                "/get?path=front&start=2026-03-01T10:00:00Z&duration=1e400",
                "/coverage?camera=front&from=2026-03-01T11:00:00Z&to=2026-03-01T10:00:00Z", "/coverage",
                "/list?path=%ff",
                "/segments?camera=\(String(repeating: "a", count: 4000))", "/nothing", "/assets/x/availableMedia",
                "/ranges/front.mp4?\(String(repeating: "&", count: 5000))", "/%", "/page/%e2%82",
            ]
            for path in paths {
                let connection = try RawConnection(port: served.port)
                connection.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                let answer = await connection.readAll()
                let status = answer.dropFirst(9).prefix(3)
                #expect(answer.hasPrefix("HTTP/1.1 4"), "\(path): \(status)")
                #expect(!answer.hasSuffix("secret"), "\(path)")
            }
            #expect(try await served.get("/cameras").status == 200)
        }
    }

    @Test("what is no request at all is answered with an error, or not")
    func garbage() async throws {
        let site = try RecordedSite()
        try await ServedSite.run(try site.archive(), limits: Self.impatient) { served in
            for request in [
                "POST /cameras HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nabc",
                "GET /cameras HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
                "\u{0}\u{1}\u{2}\r\n\r\n",
                "GET /cameras HTTP/1.1\r\nHost: localhost\r\nX-Long: \(String(repeating: "a", count: 40_000))\r\n\r\n",
                "GET /\(String(repeating: "a", count: 40_000)) HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "GET /cameras HTTP/9.9\r\n\r\n",
                "DELETE /cameras HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            ] {
                let connection = try RawConnection(port: served.port)
                connection.send(request)
                let answer = await connection.readAll()
                #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"), "\(request.prefix(40)): \(answer.prefix(40))")
            }
            let fine = try await served.get("/cameras")
            #expect(fine.status == 200 && fine["content-security-policy"]?.hasPrefix("default-src 'none'") == true)
            #expect(fine["x-content-type-options"] == "nosniff" && fine["referrer-policy"] == "no-referrer")
        }
    }

    @Test("requests that say too much, or what no text is, are refused, and end their connection")
    func floods() async throws {
        let site = try RecordedSite()
        try await ServedSite.run(try site.archive(), limits: Self.impatient) { served in
            let head = "GET /cameras HTTP/1.1\r\nHost: localhost\r\n"
            let field = { (index: Int) in "X-\(index): \(String(repeating: "v", count: 400))\r\n" }
            for (what, request) in [
                ("200 fields", head + (0..<200).map { "X-\($0): 1\r\n" }.joined() + "\r\n"),
                ("40 KiB of fields", head + (0..<99).map(field).joined() + "\r\n"),
                ("fields without an end", head + (0..<10_000).map(field).joined()),
                ("a method without an end", String(repeating: "G", count: 1 << 20)),
                ("a NUL in the path", "GET /came\u{0}ras HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                ("a NUL in a field", head + "X-A: a\u{0}b\r\n\r\n"),
                ("a line end in the path", "GET /came\rras HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                ("a folded field", head + "X-A: a\r\n b\r\n\r\n"),
                ("a space before a colon", head + "X-A : a\r\n\r\n"),
                ("two lengths", head + "Content-Length: 0\r\nContent-Length: 5\r\n\r\nGET /"),
                ("a length and chunks", head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                ("a chunked body", head + "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"),
                (
                    "endless chunks",
                    head + "Transfer-Encoding: chunked\r\n\r\nffffffff\r\n" + String(repeating: "x", count: 1 << 20)
                ),
            ] {
                let connection = try RawConnection(port: served.port)
                connection.send(request)
                let answer = await connection.readAll()
                #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"), "\(what): \(answer.prefix(60))")
                #expect(answer.components(separatedBy: "HTTP/1.1 ").count <= 2, "\(what): \(answer)")
            }
            #expect(try await served.get("/cameras").status == 200)
        }
    }

    @Test("old clients and requests one behind the other are answered in their order")
    func pipelined() async throws {
        let site = try RecordedSite()
        try await ServedSite.run(try site.archive(), limits: Self.impatient) { served in
            let old = try RawConnection(port: served.port)
            old.send("GET /healthz HTTP/1.0\r\n\r\n")
            let answer = await old.readAll()
            #expect(answer.hasPrefix("HTTP/1.") && answer.hasSuffix("ok\n"), "\(answer)")
            let many = try RawConnection(port: served.port)
            let wanted = (0..<60).map { $0.isMultiple(of: 3) ? "/healthz" : "/page/none-\($0)" }
            for path in wanted.dropLast() { many.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n") }
            many.send("GET \(wanted[59]) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            let statuses = await many.readAll().matches(of: /HTTP\/1\.1 (\d+)/).map { String($0.output.1) }
            #expect(statuses == wanted.map { $0 == "/healthz" ? "200" : "404" })
            // One that asks on and on and reads nothing is let wait: its questions stay in the kernel.
            let memory = try residentBytes()
            let greedy = try RawConnection(port: served.port, window: 4096)
            var limit = timeval(tv_sec: 1, tv_usec: 0)
            setsockopt(greedy.descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            let block = String(repeating: "GET /page/app.js HTTP/1.1\r\nHost: localhost\r\n\r\n", count: 2000)
            for _ in 0..<8 { greedy.send(block) }
            #expect(try await served.get("/cameras").status == 200)
            #expect(try residentBytes() - memory < 32 << 20)
        }
    }

    @Test("heads that come a byte at a time cost little, and are given up")
    func slowHeads() async throws {
        let site = try RecordedSite()
        var limits = ServerLimits()
        limits.idle = .seconds(2)
        try await ServedSite.run(try site.archive(), limits: limits) { served in
            let memory = try residentBytes()
            let slow = try (0..<300).map { _ in try RawConnection(port: served.port) }
            for connection in slow { connection.send("GET /cameras HTTP/1.1\r\nHost: localhost\r\nX-A: ") }
            #expect(try await served.get("/cameras").status == 200, "others are served meanwhile")
            // Each byte is a sign of life, and none of them helps.
            try await eventually("all are let go", within: .seconds(20), every: .milliseconds(100)) {
                for connection in slow { connection.send("x") }
                return try openConnections(port: served.port) <= 1 ? true : nil
            }
            #expect(try residentBytes() - memory < 64 << 20)
            #expect(try await served.get("/cameras").status == 200)
        }
    }

    @Test("one address has its part of the connections, whatever it does with them, and a proxy has all")
    func connections() async throws {
        let site = try RecordedSite()
        var limits = ServerLimits()
        limits.connectionsOfAddress = 8
        let archive = try site.archive()
        let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        try await ServedSite.run(archive, limits: limits) { served in
            func answer() async throws -> (RawConnection, String) {
                let connection = try RawConnection(port: served.port)
                connection.send(request)
                return (connection, String(decoding: await connection.read(4096) ?? [], as: UTF8.self))
            }
            var open: [RawConnection] = []
            for index in 0..<12 {
                let (connection, text) = try await answer()
                #expect(text.hasPrefix("HTTP/1.1 200") == (index < 8) && text.isEmpty == (index >= 8), "\(index)")
                open.append(connection)
            }
            open.removeFirst(4)
            try await eventually("one that left has made room") {
                try await answer().1.hasPrefix("HTTP/1.1 200") ? true : nil
            }
        }
        try await ServedSite.run(archive, limits: limits, proxies: ["127.0.0.1"]) { served in
            let open = try (0..<12).map { _ in try RawConnection(port: served.port) }
            for connection in open {
                connection.send(request)
                #expect(await connection.read(12) == Array("HTTP/1.1 200".utf8))
            }
        }
    }

    @Test("one address that asks without end is told when to come back")
    func rate() async throws {
        let site = try RecordedSite()
        var limits = ServerLimits()
        (limits.burst, limits.requestsPerSecond) = (20, 0.01)
        try await ServedSite.run(try site.archive(), limits: limits) { served in
            var answers: [HTTPResponse] = []
            for index in 0..<25 {
                answers.append(try await served.get(index.isMultiple(of: 2) ? "/cameras" : "/nothing"))
            }
            #expect(answers.prefix(20).allSatisfy { [200, 404].contains($0.status) })
            #expect(answers.suffix(5).allSatisfy { $0.status == 429 })
            #expect(answers.last?["retry-after"].flatMap { Int($0) }.map { (1...100).contains($0) } == true)
        }
    }

    @Test("mistakes of whoever asks are not in the journal, and failures are a few lines there")
    func journal() async throws {
        let site = try RecordedSite()
        let lines = LogLines()
        let hooks = ServerHooks(metrics: { _ in throw Missed("a failure") })
        try await ServedSite.run(
            try site.archive(), hooks: hooks, log: Logger(label: "playback") { _ in lines }
        ) { served async throws in
            for path in ["/nothing", "/assets/asset-front/manifest(format=flv)", "/coverage", "/list?path=nowhere"] {
                #expect((400..<500).contains(try await served.get(path).status), "\(path)")
            }
            #expect(lines.errors.isEmpty, "\(lines.errors)")
            for _ in 0..<20 { #expect(try await served.get("/metrics").status == 500) }
            #expect(lines.errors.count == 5 && lines.errors.allSatisfy { $0.contains("a failure") })
        }
    }

    @Test("one that asks a little too often is slowed down, and refused nothing")
    func pace() async throws {
        let site = try RecordedSite()
        var limits = ServerLimits()
        (limits.burst, limits.requestsPerSecond) = (5, 50)
        try await ServedSite.run(try site.archive(), limits: limits) { served async throws in
            let start = ContinuousClock.now
            for _ in 0..<30 { #expect(try await served.get("/cameras").status == 200) }
            #expect(ContinuousClock.now - start > .milliseconds(450))
        }
    }

    @Test("readers that stall or go away cost a buffer, and their descriptors are closed")
    func slowReaders() async throws {
        let site = try await recorded(12)
        var limits = ServerLimits()
        limits.stalled = .seconds(2)
        limits.idle = .seconds(2)
        try await ServedSite.run(try site.archive(), limits: limits) { served in
            let length = try #require(
                try await served.get(Self.range, method: "HEAD")["content-length"].flatMap { Int($0) })
            #expect(length > 8 << 20)
            let memory = try residentBytes()
            var slow: [RawConnection] = []
            for _ in 0..<40 {
                let connection = try RawConnection(port: served.port, window: 4096)
                connection.send("GET \(Self.range) HTTP/1.1\r\nHost: localhost\r\n\r\n")
                slow.append(connection)
            }
            // Half go away in the middle, half stay and read nothing.
            for connection in slow { #expect(await connection.read(100)?.isEmpty == false) }
            slow.removeFirst(20)
            try await eventually("the stalled readers are let go", within: .seconds(30)) {
                try served.server.viewers == 0 && openConnections(port: served.port) == 0 ? true : nil
            }
            // What tests beside this one hold goes by itself.
            try await eventually("what they cost is a buffer each", every: .milliseconds(100)) {
                try residentBytes() - memory < 64 << 20 ? true : nil
            }
            slow = []
            // One that says nothing at all, and one that never ends its head.
            let silent = try RawConnection(port: served.port)
            let dripping = try RawConnection(port: served.port)
            dripping.send("GET /cameras HTTP/1.1\r\nHost: ")
            #expect(await silent.read(1)?.isEmpty ?? true)
            #expect(await dripping.read(1)?.isEmpty ?? true)
            #expect(try await served.get("/cameras").status == 200)
        }
    }

    @Test("what answers hold is bounded in sum: who comes later is told when to come back, and is served then")
    func budget() async throws {
        let site = try await recorded(12)
        var limits = ServerLimits()
        // Two that are sent footage, and little more.
        limits.memory = 600 << 10
        try await ServedSite.run(try site.archive(), limits: limits) { served in
            var slow: [RawConnection] = []
            for _ in 0..<2 {
                let connection = try RawConnection(port: served.port, window: 4096)
                connection.send("GET \(Self.range) HTTP/1.1\r\nHost: localhost\r\n\r\n")
                #expect(await connection.read(100)?.starts(with: "HTTP/1.1 200".utf8) == true)
                slow.append(connection)
            }
            let manifest = "/assets/asset-front/manifest(format=m3u8-cmaf)"
            for path in [
                Self.range, "/export/front?" + (Self.range.split(separator: "?").last ?? ""),
            ] {
                // A head is sent before all is held that comes behind it.
                let refused = try await eventually("\(path) is refused", within: .seconds(10)) {
                    let answer = try await served.get(path)
                    return answer.status == 503 ? answer : nil
                }
                #expect(ServedSite.code(refused) == "busy", "\(path)")
                #expect(refused["retry-after"] == "2", "\(path)")
            }
            #expect(try await served.get("/cameras").status == 200)
            #expect(try await served.get(manifest).status == 200, "there is room for what is small")
            slow = []
            try await eventually("there is room again", within: .seconds(20)) {
                try await served.get(Self.range, [("Range", "bytes=0-9")]).status == 206 ? true : nil
            }
        }
    }

    @Test("a segment that goes away in the middle ends the connection: no byte is made up")
    func vanishing() async throws {
        let site = try await recorded(12)
        try await ServedSite.run(try site.archive()) { served in
            let whole = try await served.get(Self.range)
            let connection = try RawConnection(port: served.port, window: 4096)
            connection.send("GET \(Self.range) HTTP/1.1\r\nHost: localhost\r\n\r\n")
            var got = try #require(await connection.read(1000))
            try FileManager.default.removeItem(atPath: "\(site.cachePath)/front/2026-03-01")
            while let more = await connection.read(1 << 16), !more.isEmpty { got += more }
            let head = try #require(got.firstRange(of: Array("\r\n\r\n".utf8)))
            let body = got[head.upperBound...]
            #expect(body.count < whole.body.count && body.elementsEqual(whole.body.prefix(body.count)))
            let gone = try await served.get(Self.range)
            #expect(gone.status == 404 && ServedSite.code(gone) == "gone")
        }
    }

    @Test("who connects while the server ends is let go, and the process lives", .timeLimit(.minutes(1)))
    func ends() async throws {
        let site = try RecordedSite()
        for _ in 0..<20 {
            let (connected, first) = AsyncStream.makeStream(of: Void.self)
            try await ServedSite.run(try site.archive()) { served in
                let port = served.port
                for _ in 0..<4 {
                    Thread.detachNewThread {
                        // Until nobody listens any more.
                        while let connection = try? RawConnection(port: port) {
                            first.yield()
                            connection.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                        }
                        first.finish()
                    }
                }
                for await _ in connected { break }
            }
        }
    }
}

/// Of this process.
func residentBytes() throws -> Int {
    let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
    guard pages.count > 1, let count = Int(pages[1]) else { throw Missed("/proc/self/statm") }
    return count * 4096
}

/// What a server says of errors.
private final class LogLines: LogHandler, Sendable {
    private let lines = Mutex<[String]>([])

    var errors: [String] { lines.withLock { $0 } }
    var logLevel: Logger.Level {
        get { .error }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        guard event.level >= .error else { return }
        lines.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
    }
}
