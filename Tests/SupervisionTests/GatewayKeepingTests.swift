import Foundation
import Glibc
import HTTP
import JSON
import Messages
import Recording
import Supervision
import TestSupport
import Testing

/// Scripted workers beside the real cvr-gateway.
@Suite("Supervision: cvr-gateway", .timeLimit(.minutes(1)))
struct GatewayKeepingTests {
    private let waiting = IngestToSupervisor.progress(WorkerProgress(state: .reconnecting, loops: 1))

    private func withBox(gateway: String, _ body: (inout Session) async throws -> Void) async throws {
        let box = try TemporaryBox()
        try SmallFileFixture.credential("t0ken-canary-0123456789\n", "lva-token", box)
        try SmallFileFixture.credential("br0ker-canary\n", "broker", box)
        try box.configure("{ front: { url: rtsp://h/a } }", gateway: gateway)
        try box.say("front", [try ScriptedWorker.hello("front"), waiting])
        try await withSession(box) { session in
            _ = try await session.configured("front")
            try await body(&session)
        }
    }

    private func gateway(_ session: Session, is state: String) async throws -> Admin.Gateway {
        try await eventually("the gateway is \(state)", every: .milliseconds(50)) {
            let found = try #require(await session.supervisor.status().gateway)
            return found.state == state ? found : nil
        }
    }

    private static let rest = "{ listen: 127.0.0.1:0, tokens: [lva-token] }"

    @Test("it is started, told its secrets, killed and back at once, left to the next cvrd, and ended with it")
    func life() async throws {
        try await withBox(gateway: Self.rest) { session in
            let first = try await gateway(session, is: "running")
            let port = try #require(first.listen?.split(separator: ":").last)
            #expect(port != "0" && first.tls == false && first.sandbox?.hasPrefix("landlock") == true)
            #expect(try await Web.get("http://127.0.0.1:\(port)/api/GraphTopology").status == 401)
            let token = [("Authorization", "Bearer t0ken-canary-0123456789")]
            #expect(try await Web.get("http://127.0.0.1:\(port)/api/GraphTopology", token).status != 401)
            let pid = pid_t(try #require(first.pid))
            #expect(await session.supervisor.keeps(pid), "the admin socket refuses it")
            let traces = try Secrets.traces(
                of: ["t0ken-canary-0123456789"], in: [session.box.root],
                except: [session.box.root + "/state/credentials/lva-token"])
            #expect(traces.isEmpty, "\(traces) (I10)")
            kill(pid, SIGKILL)
            let second = try await eventually("another one", every: .milliseconds(50)) {
                let found = await session.supervisor.status().gateway
                return found?.state == "running" && found?.pid != first.pid ? found : nil
            }
            try await session.begin()
            #expect(try await gateway(session, is: "running").pid == second.pid)
            #expect(try await session.camera("front").restarts == 0)
            #expect(Diagnosis.gateway(try await gateway(session, is: "running")).map(\.verdict) == ["ok"])
            try session.box.configure("{ front: { url: rtsp://h/a } }")
            _ = try await session.supervisor.change(.reload)
            #expect(try await gateway(session, is: "off").listen == nil)
            try await eventually("it has ended", every: .milliseconds(50)) {
                kill(pid_t(second.pid ?? 0), 0) != 0 ? true : nil
            }
        }
    }

    @Test("what it needs and cannot be read is refused in words, while it waits for the reload")
    func secrets() async throws {
        try await withBox(gateway: "{ tokens: [missing], listen: 127.0.0.1:0 }") { session in
            let refused = try await session.events.next("gatewayRefused")
            #expect(refused.detail.contains("there is no credential missing"))
            let away = try await gateway(session, is: "away")
            #expect(Diagnosis.gateway(away).map(\.verdict) == ["warning"])
            try SmallFileFixture.credential("0123456789abcdef\n", "missing", session.box)
            _ = try await session.supervisor.change(.reload)
            _ = try await gateway(session, is: "running")
        }
    }

    @Test("what goes on when its clients have left keeps none of another kind waiting; a message may be too long")
    func late() async throws {
        try await withGraphs(gateway: Self.rest) { box, session in
            try await session.activate("front")
            let listen = try await gateway(session, is: "running").listen
            let port = try #require(listen?.split(separator: ":").last)
            let ask = { @Sendable (method: String, path: String, body: String) in
                try await Web.ask(
                    HTTPRequest(
                        method, "http://127.0.0.1:\(port)\(path)",
                        headers: [("Authorization", "Bearer t0ken-canary-0123456789")],
                        body: method == "GET" ? .none : .bytes(Array(body.utf8))))
            }
            let long = try await ask("POST", "/api/messages/a", "[\"\(String(repeating: "x", count: 256 << 10))\"]")
            #expect(long.status == 413)
            try box.store([
                SyncInterface.CacheState(
                    name: "front", cacheBytes: 0, pendingSegments: 1, pendingBytes: 0, oldestLocal: nil)
            ])
            let call =
                #"{"methodName":"GraphInstanceDeactivate","responseTimeoutInSeconds":1,"payload":"#
                + #"{"@apiVersion":"2.0","name":"front"}}"#
            let clients = try (0..<GatewayInterface.mostRequests).map { _ in
                try RawConnection(port: try #require(Int(port)))
            }
            for client in clients {
                client.send(
                    "POST /api/methods HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: \(call.utf8.count)"
                        + "\r\nAuthorization: Bearer t0ken-canary-0123456789\r\n\r\n\(call)")
            }
            for client in clients {
                let answer = await client.readAll()
                #expect(answer.contains(#""status":504"#), "\(answer)")
            }
            #expect(try await ask("GET", "/api/GraphInstance/front", "").status == 200)
            #expect(try await ask("POST", "/api/messages/a", "{}").status == 200)
            let more = try await ask("POST", "/api/GraphInstance/front/deactivate", "")
            #expect(more.status == 503)
        }
    }
}
