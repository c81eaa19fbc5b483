import Foundation
import JSON
import Messages
import Recording
import TestSupport
import Testing
import Varlink

/// LVA's mapping of its methods to HTTP, on the real process.
@Suite("Gateway: REST", .timeLimit(.minutes(2)))
struct RestTests {
    private static let topology = #"{"@apiVersion":"1.0","name":"CVR","properties":{"sinks":[]}}"#

    /// One request for each of LVA's methods: verb, path, body, and what cvrd is to hear.
    private static let table: [(verb: String, path: String, body: String?, method: String, payload: JSONValue)] = [
        ("PUT", "/api/GraphTopology", topology, "GraphTopologySet", value(topology)),
        (
            "PUT", "/api/GraphInstance/a%2Db", #"{"properties":{}}"#, "GraphInstanceSet",
            value(#"{"@apiVersion":"2.0","name":"a-b","properties":{}}"#)
        ),
        (
            "GET", "/api/GraphTopology?%40query=%24orderby%3Dname%20asc&%40continuationToken=next&api-version=1.0", nil,
            "GraphTopologyList",
            value(##"{"@apiVersion":"1.0","@continuationToken":"next","@query":"$orderby=name asc"}"##)
        ),
        (
            "GET", "/api/GraphTopology?@query=$orderby=name+asc", nil, "GraphTopologyList",
            value(##"{"@apiVersion":"2.0","@query":"$orderby=name asc"}"##)
        ),
        (
            "PUT", "/api/GraphInstance/FRONT", #"{"@apiVersion":"2.0","name":"Front"}"#, "GraphInstanceSet",
            named("Front")
        ),
        ("GET", "/api/GraphInstance", nil, "GraphInstanceList", value(#"{"@apiVersion":"2.0"}"#)),
        ("GET", "/api/GraphTopology/CVR", nil, "GraphTopologyGet", named("CVR")),
        ("GET", "/api/GraphInstance/Cam-1", nil, "GraphInstanceGet", named("Cam-1")),
        ("POST", "/api/GraphInstance/Cam-1/activate", nil, "GraphInstanceActivate", named("Cam-1")),
        ("POST", "/api/GraphInstance/Cam-1/deactivate", nil, "GraphInstanceDeactivate", named("Cam-1")),
        ("DELETE", "/api/GraphInstance/Cam-1", nil, "GraphInstanceDelete", named("Cam-1")),
        ("DELETE", "/api/GraphTopology/CVR", nil, "GraphTopologyDelete", named("CVR")),
    ]

    private static func named(_ name: String) -> JSONValue { value(#"{"@apiVersion":"2.0","name":"\#(name)"}"#) }

    private static func value(_ text: String) -> JSONValue {
        // The texts are ours.
        (try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))) ?? .null
    }

    @Test("each method of LVA's reaches cvrd as it would by IoT Hub, and status and payload come back as those of HTTP")
    func methods() async throws {
        let replies: [String: GraphReply] = [
            "GraphTopologySet": GraphReply(status: 201, payload: Self.value(#"{"name":"CVR"}"#)),
            "GraphInstanceSet": .init(
                status: 409, payload: Self.value(#"{"error":{"code":"Conflict","message":"m","details":[]}}"#)),
            "GraphTopologyDelete": GraphReply(status: 204),
        ]
        let gateway = try await DrivenGateway { replies[$0.call?.method ?? ""] ?? GraphReply(status: 200) }
        for line in Self.table {
            let answer = try await gateway.ask(line.verb, line.path, line.body)
            let asked = try #require(gateway.asked.all.last?.call)
            #expect(asked.method == line.method && asked.payload == line.payload, "\(line.path): \(asked)")
            let reply = replies[line.method] ?? GraphReply(status: 200)
            #expect(answer.status == Int(reply.status), "\(line.path)")
            #expect(answer.body == (reply.status == 204 ? nil : reply.payload ?? .null), "\(line.path)")
        }
        #expect(gateway.asked.all.count == Self.table.count)
    }

    @Test("what the body calls a name and a version counts whatever its case, and null is none")
    func anyCase() async throws {
        let gateway = try await DrivenGateway()
        for (body, sent) in [
            (#"{"Name":"Foo","@APIVERSION":"1.0"}"#, #"{"Name":"Foo","@APIVERSION":"1.0"}"#),
            (
                #"{"NAME":null,"@ApiVersion":null}"#,
                #"{"NAME":null,"@ApiVersion":null,"name":"foo","@apiVersion":"2.0"}"#
            ),
        ] {
            #expect(try await gateway.ask("PUT", "/api/GraphTopology/foo", body).status == 200)
            #expect(gateway.asked.all.last?.call?.payload == Self.value(sent), "\(body)")
        }
        let count = gateway.asked.all.count
        #expect(try await gateway.ask("PUT", "/api/GraphTopology/foo", #"{"Name":"bar"}"#).status == 400)
        #expect(gateway.asked.all.count == count, "it is no other topology")
    }

    @Test("IoT Hub's own form is answered as IoT Hub answers, and messages go to their input")
    func others() async throws {
        let gateway = try await DrivenGateway { request in
            request.call.map { GraphReply(status: 404, payload: .string($0.method)) }
                ?? GraphReply(status: 200, payload: Self.value(#"{"instances":["Front"]}"#))
        }
        for path in ["/api/methods", "/twins/box/modules/lvaEdge/methods?api-version=2020-05-31-preview"] {
            let answer = try await gateway.ask(
                "POST", path, #"{"methodName":"Anything","responseTimeoutInSeconds":60,"payload":{"name":"x"}}"#)
            #expect(answer.status == 200 && answer.body == Self.value(#"{"status":404,"payload":"Anything"}"#))
            #expect(gateway.asked.all.last?.call?.payload == Self.value(#"{"name":"x"}"#))
        }
        let sent = try await gateway.ask("POST", "/api/messages/recordingTrigger?a=1&b=%C3%BC", #"{"x":[1,2.5,null]}"#)
        #expect(sent.status == 200 && sent.body == Self.value(#"{"instances":["Front"]}"#))
        let message = try #require(gateway.asked.all.last?.message)
        #expect(message.input == "recordingTrigger" && message.body == Self.value(#"{"x":[1,2.5,null]}"#))
        #expect(message.properties == ["a": "1", "b": "ü"])
    }

    @Test("nobody without a token gets in, and nothing reaches cvrd that is no request")
    func refused() async throws {
        let gateway = try await DrivenGateway()
        for token in [nil, "", "t0ken-of-the-test", "t0ken-of-the-tests2", String(repeating: "x", count: 9000)] {
            let answer = try await gateway.ask("GET", "/api/GraphTopology", token: token)
            #expect(answer.status == 401 && answer.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
            #expect(answer.body?["error"]?["code"] == .string("Unauthorized"))
        }
        let long = "[\(String(repeating: "1,", count: 30_000))1]"
        let deep = String(repeating: "[", count: 10_000)
        for body in ["", "{", "[]", "\"name\"", "{\"a\":\u{0}}", deep, long, #"{"name":"other"}"#] {
            let answer = try await gateway.ask("PUT", "/api/GraphTopology/CVR", body)
            #expect(answer.status == 400, "\(body.prefix(40))")
            #expect(answer.body?["error"]?["message"] != nil)
        }
        let huge = try await gateway.ask("PUT", "/api/GraphTopology", String(repeating: " ", count: (1 << 20) + 1))
        #expect(huge.status == 413)
        for (verb, path, allow) in [
            ("GET", "/", nil), ("POST", "/api/GraphTopology", "GET, PUT"), ("GET", "/api/%00", nil),
            ("PATCH", "/api/methods", "POST"), ("POST", "/api/GraphInstance/a", "DELETE, GET, PUT"),
        ] {
            let answer = try await gateway.ask(verb, path, verb == "GET" ? nil : "{}")
            #expect(answer.status == (allow == nil ? 404 : 405), "\(verb) \(path): \(answer.status)")
            #expect(answer.headers["allow"] == allow, "\(verb) \(path)")
        }
        #expect(gateway.asked.all.isEmpty)
        #expect(try await gateway.ask("GET", "/api/GraphTopology").status == 200)
    }

    @Test("a client of IoT Hub's gets its answer within the time that it asked for; what is late may come again")
    func timeouts() async throws {
        let (never, held) = AsyncStream.makeStream(of: Void.self)
        defer { held.finish() }
        let gateway = try await DrivenGateway { request in
            if request.call?.method == "Slow" { for await _ in never {} }
            return GraphReply(status: 504)
        }
        let start = ContinuousClock.now
        let body = #"{"methodName":"Slow","responseTimeoutInSeconds":1}"#
        let late = try await gateway.ask("POST", "/api/methods", body)
        #expect(late.body?["status"] == .integer(504) && ContinuousClock.now - start < .seconds(20))
        #expect(try await gateway.ask("GET", "/api/GraphInstance").headers["retry-after"] != nil)
        for wrong in ["0", "301", "1.5", #""5""#] {
            let body = #"{"methodName":"Slow","responseTimeoutInSeconds":\#(wrong)}"#
            #expect(try await gateway.ask("POST", "/api/methods", body).status == 400)
        }
    }

    @Test("one that waits delays no other, and what cvrd took with it is told to come again")
    func sideBySide() async throws {
        let (entered, arrivals) = AsyncStream.makeStream(of: Void.self)
        let (never, held) = AsyncStream.makeStream(of: Void.self)
        defer { held.finish() }
        let gateway = try await DrivenGateway { request in
            guard request.call?.method == "GraphInstanceActivate" else { return GraphReply(status: 200) }
            arrivals.yield()
            for await _ in never {}
            return GraphReply(status: 200)
        }
        async let waiting = gateway.ask("POST", "/api/GraphInstance/a/activate")
        for await _ in entered { break }
        #expect(try await gateway.ask("GET", "/api/GraphInstance").status == 200)
        // Another cvrd reads the requests now.
        let client = try await gateway.connect()
        var requests = client.stream("io.cvr.Gateway.Requests", VarlinkEmpty()).makeAsyncIterator()
        async let next = requests.next()
        let answer = try await waiting
        #expect(answer.status == 503 && answer.body?["error"]?["code"] == .string("ServerBusy"))
        #expect(answer.headers["retry-after"] != nil)
        await client.close()
        _ = try? await next  // Its connection was closed.
        #expect(try await gateway.ask("GET", "/api/GraphInstance").status == 503)
    }

    @Test("however many requests of a kind wait, those of another are answered, and what is too much is told so")
    func kinds() async throws {
        let (entered, arrivals) = AsyncStream.makeStream(of: Void.self)
        let (never, held) = AsyncStream.makeStream(of: Void.self)
        defer { held.finish() }
        let gateway = try await DrivenGateway { request in
            guard request.kind == .change, request.call?.method != "ready" else { return GraphReply(status: 200) }
            arrivals.yield()
            for await _ in never {}
            return GraphReply(status: 200)
        }
        let waiting = try (0..<GatewayInterface.mostRequests).map { _ in try RawConnection(port: gateway.port) }
        for connection in waiting {
            connection.send(
                "POST /api/GraphInstance/a/deactivate HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n"
                    + "Authorization: Bearer \(DrivenGateway.token)\r\n\r\n")
        }
        var arrived = entered.makeAsyncIterator()
        for _ in waiting { await arrived.next() }
        let more = try await gateway.ask("POST", "/api/GraphInstance/a/activate")
        #expect(more.status == 503 && more.body?["error"]?["code"] == .string("ServerBusy"))
        #expect(try await gateway.ask("GET", "/api/GraphInstance").status == 200)
        #expect(try await gateway.ask("POST", "/api/messages/a", "{}").status == 200)
    }

    @Test("over TLS, with a certificate; a slow client and a flood of connections keep nobody else out")
    func hostile() async throws {
        let gateway = try await DrivenGateway()
        let slow = try (0..<90).map { _ in try RawConnection(port: gateway.port) }
        for connection in slow {
            connection.send(
                "PUT /api/GraphTopology HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(DrivenGateway.token)\r\n")
            connection.send("Content-Length: 1000000\r\n\r\n{")
        }
        let junk = try RawConnection(port: gateway.port)
        junk.send((0..<4096).map { _ in UInt8.random(in: 0...255) })
        #expect(try await gateway.ask("GET", "/api/GraphInstance").status == 200)
        #expect(gateway.child.isRunning)
        let folder = FileManager.default.temporaryDirectory.appending(path: "cert-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }  // A leftover in /tmp fails no test.
        let secure = try await DrivenGateway(tls: try await Certificate(in: folder))
        #expect(try await secure.ask("GET", "/api/GraphInstance").status == 200)
        #expect(try await secure.status().certificateEnd != nil)
    }
}
