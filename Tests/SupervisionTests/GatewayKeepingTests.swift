import Foundation
import Glibc
import JSON
import Messages
import Recording
import Supervision
import TestSupport
import Testing

/// Scripted workers beside the real cvr-gateway, a real broker and a real webhook.
@Suite("Supervision: cvr-gateway", .timeLimit(.minutes(30)))
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

    /// Minutes that nobody takes events; for the tests that everybody runs, as long as it takes.
    private static var outage: Duration? {
        ProcessInfo.processInfo.environment["CVR_GATEWAY_OUTAGE_MINUTES"].flatMap { Int($0) }.map { .seconds($0 * 60) }
    }

    @Test("broker and webhook away while events come and cvr-gateway is killed again and again: none lost, order kept")
    func outage() async throws {
        var mosquitto = try await Mosquitto()
        var hook = try await Hook()
        let subscriber = try await mosquitto.subscribe(["devices/#"], name: "hub")
        let configuration =
            "{ mqtt: { url: \"mqtt://127.0.0.1:\(mosquitto.port)\", device: box }, "
            + "webhooks: { vms: { url: \"\(hook.url)\" } } }"
        try await withBox(gateway: configuration) { session in
            _ = try await gateway(session, is: "running")
            let spool = session.supervisor.spool
            for number in 1...20 { spool.append(Self.event(number)) }
            try await hook.request(holding: "\"number\":20,")
            _ = try await subscriber.output.first("the twentieth") { $0.contains("\"number\":20,") ? true : nil }
            await mosquitto.stop()
            await hook.stop()
            let number = try await sendAndKill(session, from: 20)
            mosquitto = try await Mosquitto(after: mosquitto)
            hook = try await Hook(after: hook)
            let last = "\"number\":\(number),"
            _ = try await subscriber.output.first("the last by MQTT", within: .seconds(120)) {
                $0.contains(last) ? true : nil
            }
            try await hook.request(holding: last, within: .seconds(120))
            let said = subscriber.output.lines.compactMap { Self.number(String($0.split(separator: "\t").last ?? "")) }
            #expect(Self.firsts(said) == Array(1...number), "MQTT: none lost, order kept")
            #expect(Self.firsts(hook.requests.compactMap { Self.number($0["body"] ?? "") }) == Array(21...number))
            try await eventually("nothing waits", every: .milliseconds(50)) {
                let found = try #require(await session.supervisor.status().gateway)
                return found.consumers.allSatisfy { $0.state == "ready" && $0.waiting == 0 } ? true : nil
            }
        }
        await subscriber.stop()
        await mosquitto.stop()
    }

    /// Sends ten events, kills cvr-gateway, and again, for as long as the outage is to be; returns the last event.
    private func sendAndKill(_ session: Session, from first: Int) async throws -> Int {
        let end = ContinuousClock.now + (Self.outage ?? .zero)
        var number = first
        repeat {
            for _ in 1...10 {
                number += 1
                session.supervisor.spool.append(Self.event(number))
            }
            let pid = try await gateway(session, is: "running").pid
            kill(pid_t(pid ?? 0), SIGKILL)
            try await eventually("another one", within: .seconds(90), every: .milliseconds(100)) {
                let found = await session.supervisor.status().gateway
                return found?.state == "running" && found?.pid != pid ? true : nil
            }
        } while ContinuousClock.now < end || number < first + 30
        try await eventually("they wait, and it is told", every: .milliseconds(50)) {
            let found = try #require(await session.supervisor.status().gateway)
            let isWaiting = found.consumers.allSatisfy { $0.state == "away" && $0.waiting == Int64(number - first) }
            return found.consumers.count == 2 && isWaiting ? true : nil
        }
        return number
    }

    private static func event(_ number: Int) -> Listing.Event {
        Listing.Event(
            time: "2026-01-02T03:04:05.678Z", type: "Microsoft.Media.Graph.Operational.RecordingStarted",
            camera: "front", detail: "d",
            graph: GraphEvent(
                topic: "/sites/a/boxes/b", subject: "/graphInstances/Front", eventTime: "2026-01-02T03:04:05.678Z",
                body: .object(["number": .integer(Int64(number)), "outputType": .string("assetName")])))
    }

    private static func number(_ text: String) -> Int? {
        text.firstMatch(of: /"number":(\d+),/).flatMap { Int($0.output.1) }
    }

    /// Each where it comes first: at least once is more than once sometimes.
    private static func firsts(_ numbers: [Int]) -> [Int] {
        var seen: Set<Int> = []
        return numbers.filter { seen.insert($0).inserted }
    }
}
