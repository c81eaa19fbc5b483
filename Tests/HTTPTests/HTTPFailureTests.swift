import Foundation
import HTTP
import Synchronization
import TestSupport
import Testing

@Suite("HTTP client: what goes wrong", .timeLimit(.minutes(1)))
struct HTTPFailureTests {
    func failure(
        _ request: HTTPRequest, _ settings: HTTPSettings = HTTPSettings(), bodyLimit: Int = 1 << 20
    ) async throws -> HTTPFailure {
        let client = HTTPClient(settings)
        do {
            let answer = try await client.ask(request, bodyLimit: bodyLimit)
            throw Missed("answered \(answer.status) with \(answer.body.count) bytes")
        } catch let failure as HTTPFailure {
            #expect(!"\(failure)".contains("SECRET"))
            return failure
        }
    }

    @Test(
        "an answer that ends in the middle is none",
        arguments: [("/short", HTTPFailure.Kind.reset), ("/reset", .reset), ("/noise", .other)])
    func cut(path: String, kind: HTTPFailure.Kind) async throws {
        let peer = try await Peer()
        let failure = try await failure(HTTPRequest("GET", peer.url(path + "?sig=SECRET")))
        #expect(failure.kind == kind)
    }

    @Test("an answer without end is cut off, in its headers and in its body")
    func endless() async throws {
        let peer = try await Peer()
        #expect(try await failure(HTTPRequest("GET", peer.url("/headers"))).kind == .tooLarge)
        #expect(try await failure(HTTPRequest("GET", peer.url("/endless"))).kind == .tooLarge)
        #expect(try await failure(HTTPRequest("GET", peer.url("/bytes?1001")), bodyLimit: 1000).kind == .tooLarge)
        #expect(try await HTTPClient(HTTPSettings()).get(peer.url("/bytes?1000"), bodyLimit: 1000).body.count == 1000)
    }

    @Test("where nothing moves any more is noticed, whoever fell silent")
    func stalls() async throws {
        let peer = try await Peer()
        let settings = HTTPSettings(stallLimit: .milliseconds(300))
        let request = HTTPRequest("GET", try peer.url("/drip"))
        #expect(try await failure(request, settings).kind == .stalled)
        let body = HTTPBody.bytes(Array(repeating: 1, count: 30_000_000))
        #expect(try await failure(HTTPRequest("PUT", peer.url("/swallow"), body: body), settings).kind == .stalled)
        // What its own pace holds up does not count.
        let waits = Mutex([Duration.milliseconds(900), .zero])
        let paced = HTTPSettings(
            stallLimit: .milliseconds(300), pace: { _ in waits.withLock { $0.isEmpty ? .zero : $0.removeFirst() } })
        #expect(
            try await HTTPClient(paced).ask(HTTPRequest("PUT", peer.url("/sink"), body: .bytes([1]))).status == 200)
    }

    @Test("a redirect is the answer, and nothing goes where it points")
    func redirect() async throws {
        let peer = try await Peer()
        let client = HTTPClient(HTTPSettings())
        let answer = try await client.ask(
            HTTPRequest("PUT", peer.url("/elsewhere"), headers: [("authorization", "SECRET")], body: .bytes([1])))
        #expect(answer.status == 307 && answer["location"]?.hasSuffix("/stolen") == true)
        _ = try await client.get(peer.url("/ok"))
        #expect(peer.seen("PUT /stolen").isEmpty && peer.seen("GET /stolen").isEmpty)
    }

    @Test(
        "a certificate that does not hold is told from a network that does not, with the next step",
        arguments: [
            ("expired", true, "clock"), ("named", true, "name that the certificate is for"),
            ("good", false, "certificateAuthority"),
        ])
    func certificates(listener: String, isKnown: Bool, nextStep: String) async throws {
        let peer = try await Peer()
        let settings = HTTPSettings(certificateAuthority: isKnown ? peer.authority : nil)
        let failure = try await failure(HTTPRequest("GET", peer.url("/ok?SECRET", listener)), settings)
        #expect(failure.kind == .tls)
        #expect(failure.nextStep.contains(nextStep), "\(failure)")
        #expect(peer.seen("GET").isEmpty)
    }

    @Test("what is no TLS, no host, no port, no proxy and no file is told apart")
    func kinds() async throws {
        let peer = try await Peer()
        let closed = try #require(try unusedPort())
        let plain = try peer.url("/").replacing("http:", with: "https:")
        #expect(try await failure(HTTPRequest("GET", plain)).kind == .tls)
        #expect(try await failure(HTTPRequest("GET", "http://127.0.0.1:\(closed)/")).kind == .connect)
        #expect(try await failure(HTTPRequest("GET", "http://no-such-host.invalid/")).kind == .resolve)
        let proxy = HTTPSettings(proxy: "http://127.0.0.1:\(try peer.port("proxy"))")
        let denied = try await failure(HTTPRequest("GET", "https://denied.example/"), proxy)
        #expect(denied.kind == .connect && denied.nextStep.contains("user and password"))
        let missing = HTTPBody.file(peer.folder + "/none", offset: 0, count: 5)
        #expect(try await failure(HTTPRequest("PUT", peer.url("/sink"), body: missing)).kind == .file)
        try Data([1, 2]).write(to: URL(filePath: peer.folder + "/two"))
        let short = HTTPBody.file(peer.folder + "/two", offset: 0, count: 5)
        #expect(try await failure(HTTPRequest("PUT", peer.url("/sink"), body: short)).kind == .file)
        let split = HTTPRequest("GET", try peer.url("/ok"), headers: [("x", "1\r\nauthorization: SECRET")])
        #expect(try await failure(split).kind == .other)
        #expect(try await failure(HTTPRequest("GET", "file:///etc/passwd")).kind == .other)
    }

    @Test("who is to stop does so, with what is under way and what waits; so does a client that goes")
    func stop() async throws {
        let peer = try await Peer()
        let isStopping = Mutex(false)
        let settings = HTTPSettings(connections: 2, isStopping: { isStopping.withLock { $0 } })
        let client = HTTPClient(settings)
        let url = try peer.url("/hold")
        let kinds = try await withThrowingTaskGroup(of: HTTPFailure.Kind?.self) { group in
            for _ in 0..<5 {
                group.addTask {
                    do { _ = try await client.get(url) } catch let failure as HTTPFailure { return failure.kind }
                    return nil
                }
            }
            _ = try await peer.child.output.first("a request") { $0.hasPrefix("GET /hold") ? true : nil }
            isStopping.withLock { $0 = true }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(kinds == Array(repeating: .stopped, count: 5))
    }

    private func unusedPort() throws -> Int? {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && getsockname(listener, $0, &size) == 0
            }
        }
        return isBound ? Int(UInt16(bigEndian: address.sin_port)) : nil
    }
}
