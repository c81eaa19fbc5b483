import Foundation
import HTTP
import Playback
import Recording
import Testing

/// Viewers who come through something: a proxy, or a page of another server.
@Suite("Playback: behind a proxy, and in other pages", .serialized) struct ProxyTests {
    private static func from(_ addresses: String) -> [(name: String, value: String)] {
        [("X-Forwarded-For", addresses)]
    }

    @Test("limits go by the viewer's address where a proxy of ours says it, and by nobody else's word")
    func addresses() async throws {
        var limits = ServerLimits()
        (limits.burst, limits.requestsPerSecond) = (3, 0.001)
        let site = try RecordedSite()
        let archive = try site.archive()
        try await ServedSite.run(archive, limits: limits, proxies: ["127.0.0.0/8", "10.0.0.7"]) { served async throws in
            let ask = { (addresses: String) in
                try await served.get("/healthz", Self.from(addresses)).status
            }
            for attempt in 0..<4 { #expect(try await ask("192.0.2.1") == (attempt < 3 ? 200 : 429)) }
            // Whatever a viewer writes before is not theirs to say; proxies behind each other are passed.
            #expect(try await ask("198.51.100.9, 192.0.2.1") == 429)
            #expect(try await ask("198.51.100.9,192.0.2.1 , 10.0.0.7") == 429)
            #expect(try await ask("192.0.2.1, 198.51.100.9") == 200)
            // Of IPv6 the network is one viewer's.
            for host in 1...3 { #expect(try await ask("2001:db8::\(host)") == 200) }
            #expect(try await ask("2001:db8::ff") == 429)
            #expect(try await ask("2001:db8:0:1::ff") == 200)
        }
        try await ServedSite.run(archive, limits: limits) { served in
            for host in 1...4 {
                let status = try await served.get("/healthz", Self.from("192.0.2.\(host)")).status
                #expect(status == (host < 4 ? 200 : 429))
            }
        }
    }

    @Test("a page of an allowed origin may ask and read, and no other")
    func origins() async throws {
        let access = Access(
            accounts: ["chief": .init(password: try #require(Password("secret")), cameras: .all)], isOpen: false)
        let site = try RecordedSite()
        try await ServedSite.run(
            try site.archive(), access: access, origins: ["https://portal.example"]
        ) { served in
            let portal = (name: "Origin", value: "https://portal.example")
            let asked = try await served.get("/cameras", [portal], method: "OPTIONS")
            #expect(asked.status == 204 && asked["Access-Control-Allow-Origin"] == portal.value)
            #expect(asked["Access-Control-Allow-Headers"]?.contains("Range") == true)
            let login = ("Authorization", "Basic " + Data("chief:secret".utf8).base64EncodedString())
            for (headers, status) in [([portal, login], 200), ([portal], 401)] {
                let answer = try await served.get("/cameras", headers)
                #expect(answer.status == status && answer["Access-Control-Allow-Origin"] == portal.value)
                #expect(answer["Access-Control-Allow-Credentials"] == nil && answer["Vary"] == "Origin")
                #expect(answer["Access-Control-Expose-Headers"]?.contains("Content-Range") == true)
            }
            for other in ["https://portal.example.evil", "http://portal.example", "https://portal.example:444", "null"]
            {
                let answer = try await served.get("/cameras", [("Origin", other), login])
                #expect(answer.status == 200 && answer["Access-Control-Allow-Origin"] == nil, "\(other)")
                #expect(try await served.get("/cameras", [("Origin", other)], method: "OPTIONS").status == 405)
            }
        }
    }

    @Test("absolute addresses are those of the viewer, below the path that a proxy names")
    func prefixes() async throws {
        let site = try RecordedSite()
        try site.record(try await EncodedClip(seconds: 1), segments: 1, length: 4)
        try await ServedSite.run(try site.archive()) { served in
            for (prefix, path) in [
                ("/cvr", "/cvr"), ("/a/b-1/", "/a/b-1"), ("/", ""), ("", ""), ("//evil.example", ""), ("cvr", ""),
                ("/c\"r", ""), ("/c?r", ""),
            ] {
                let answer = try await served.get(
                    "/list?path=front", [("X-Forwarded-Prefix", prefix), ("X-Forwarded-Proto", "https")])
                let text = String(decoding: answer.body, as: UTF8.self)
                #expect(
                    text.contains("\"https://127.0.0.1:\(served.port)\(path)/get?path=front&"), "\(prefix): \(text)")
            }
        }
    }

    @Test("a server without accounts answers to the names of its allowed origins")
    func names() async throws {
        let site = try RecordedSite()
        try await ServedSite.run(try site.archive(), origins: ["https://portal.example"]) { served async throws in
            for (host, status) in [("portal.example", 200), ("portal.example:1", 421), ("evil.example", 421)] {
                #expect(try await served.get("/cameras", [("Host", host)]).status == status, "\(host)")
            }
        }
    }
}
