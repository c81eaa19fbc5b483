import Crypto
import Foundation
import HTTP
import Synchronization
import TestSupport
import Testing

@Suite("HTTP client: what goes right", .timeLimit(.minutes(1)))
struct HTTPClientTests {
    @Test(
        "of a URL only scheme, host and port are ever shown",
        arguments: [
            ("https://acme.blob.core.windows.net/c/x?sig=SECRET", "https://acme.blob.core.windows.net"),
            ("http://user:SECRET@127.0.0.1:9000/b", "http://127.0.0.1:9000"), ("https://h", "https://h"),
            ("https://h?sig=SECRET", "https://h"), ("nonsense SECRET", ""),
        ])
    func origin(url: String, origin: String) { #expect(HTTPRequest("GET", url).origin == origin) }

    @Test("an answer is returned whole, its headers found in any case, whatever its status")
    func answers() async throws {
        let peer = try await Peer()
        let client = HTTPClient(HTTPSettings())
        let answer = try await client.get(peer.url("/ok"))
        #expect(answer.status == 200 && answer.body == Array("hello".utf8))
        #expect(answer["X-NAME"] == "one" && answer["content-length"] == "5")
        let refused = try await client.ask(HTTPRequest("PUT", peer.url("/refuse"), body: .bytes([1])))
        #expect(refused.status == 403 && refused.body == Array("no".utf8))
    }

    @Test("a body comes from memory or from a part of a file, as it is")
    func bodies() async throws {
        let peer = try await Peer()
        let client = HTTPClient(HTTPSettings())
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let file = peer.folder + "/body"
        try Data(bytes).write(to: URL(filePath: file))
        let bodies: [(HTTPBody, ArraySlice<UInt8>)] = [
            (.bytes([]), []), (.bytes(bytes), bytes[...]),
            (.file(file, offset: 0, count: 3_000_000), bytes[...]),
            (.file(file, offset: 5, count: 1000), bytes[5..<1005]),
        ]
        for (body, expected) in bodies {
            let answer = try await client.ask(HTTPRequest("PUT", peer.url("/sink"), body: body))
            #expect(String(decoding: answer.body, as: UTF8.self) == sha256(expected))
        }
        // An empty header is sent, and none that was not asked for.
        _ = try await client.ask(
            HTTPRequest("POST", peer.url("/sink"), headers: [("x-empty", ""), ("x-full", "1")], body: .bytes([7])))
        let heard = try await peer.child.output.first("the POST") { $0.hasPrefix("POST") ? $0 : nil }.found
        #expect(heard.contains("\"x-empty\": \"\"") && heard.contains("\"x-full\": \"1\""))
        #expect(!heard.contains("content-type") && !heard.contains("transfer-encoding"))
    }

    @Test("many who ask at once share a few connections, which stay")
    func sharing() async throws {
        let peer = try await Peer()
        let client = HTTPClient(HTTPSettings(connections: 3))
        let url = try peer.url("/hold")
        let answers = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<30 { group.addTask { try await client.get(url).status } }
            for _ in 0..<30 { try peer.child.send("go") }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers == Array(repeating: 200, count: 30))
        #expect(peer.seen("GET /hold").count == 30)
        #expect(peer.seen("accept plain").count == 3)
    }

    @Test("what a kept connection died under is asked again on a new one")
    func stale() async throws {
        let peer = try await Peer()
        let client = HTTPClient(HTTPSettings(connections: 1))
        for _ in 0..<5 {
            #expect(try await client.ask(HTTPRequest("PUT", peer.url("/dies"), body: .bytes([1]))).status == 200)
        }
    }

    @Test("the pace is asked before bytes go, and they wait as it says")
    func pace() async throws {
        let peer = try await Peer()
        let asked = Mutex(0)
        let sent = Mutex(0)
        let settings = HTTPSettings(pace: { bytes in
            let turn = asked.withLock { turn in
                turn += 1
                return turn
            }
            guard turn.isMultiple(of: 2) else { return .milliseconds(20) }
            sent.withLock { $0 += bytes }
            return .zero
        })
        let client = HTTPClient(settings)
        let start = ContinuousClock.now
        let answer = try await client.ask(
            HTTPRequest("PUT", peer.url("/sink"), body: .bytes(Array(repeating: 1, count: 1_000_000))))
        #expect(answer.status == 200)
        #expect(sent.withLock { $0 } == 1_000_000)
        let turns = asked.withLock { $0 }
        #expect(turns >= 8)
        #expect(ContinuousClock.now - start >= .milliseconds(10 * turns))
    }

    @Test("a server over TLS is believed by the authority that was named, through a proxy too")
    func authority() async throws {
        let peer = try await Peer()
        let direct = HTTPClient(HTTPSettings(certificateAuthority: peer.authority))
        #expect(try await direct.get(peer.url("/ok", "good")).status == 200)
        let settings = HTTPSettings(
            proxy: "http://127.0.0.1:\(try peer.port("proxy"))", certificateAuthority: peer.authority)
        let through = HTTPClient(settings)
        #expect(try await through.get(peer.url("/ok", "good", host: "storage.example")).status == 200)
        #expect(peer.seen("CONNECT storage.example").count == 1)
        // What clouds say of the box itself is not asked through it.
        #expect(try await through.get(peer.url("/ok")).status == 200)
        #expect(peer.seen("accept proxy").count == 1)
    }
}

private func sha256(_ bytes: ArraySlice<UInt8>) -> String {
    SHA256.hash(data: Data(bytes)).map { String(format: "%02x", $0) }.joined()
}
