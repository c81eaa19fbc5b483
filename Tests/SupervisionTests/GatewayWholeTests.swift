import Foundation
import HTTP
import JSON
import MediaGraph
import Messages
import Recording
import Supervision
import TestSupport
import Testing

/// All that goes through the real cvr-gateway: each method of LVA's by both of its ways in, each event by both ways out.
@Suite("Supervision: all methods and events by cvr-gateway", .timeLimit(.minutes(3)))
struct GatewayWholeTests {
    /// By REST and by MQTT.
    private struct Ways {
        static let token = "t0ken-canary-0123456789"

        let port: Substring
        let mosquitto: Mosquitto
        let hub: ChildProcess
        let hook: Hook

        func rest(_ method: String, _ payload: String) async throws -> (status: Int, text: String) {
            let kind = method.contains("Topology") ? "GraphTopology" : "GraphInstance"
            let verb = String(method.dropFirst(kind.count))
            let name = try Graphs.json(payload)["name"].map { "/" + $0.text.replacing("\"", with: "") } ?? ""
            let (call, path) =
                switch verb {
                case "Set": ("PUT", "")
                case "List": ("GET", "")
                case "Get": ("GET", name)
                case "Delete": ("DELETE", name)
                default: ("POST", "\(name)/\(verb.lowercased())")
                }
            let answer = try await Web.ask(
                HTTPRequest(
                    call, "http://127.0.0.1:\(port)/api/\(kind)\(path)",
                    headers: [("Authorization", "Bearer \(Self.token)")],
                    body: verb == "Set" ? .bytes(Array(payload.utf8)) : .none))
            return (answer.status, String(decoding: answer.body, as: UTF8.self))
        }

        func mqtt(_ method: String, _ payload: String) async throws -> (status: Int, text: String) {
            let request = UUID().uuidString
            try await mosquitto.publish("$iothub/methods/POST/\(method)/?$rid=\(request)", payload)
            let line = try await hub.output.first("the answer to \(method)") { line in
                line.hasPrefix("$iothub/methods/res/") && line.contains("/?$rid=\(request)\t") ? line : nil
            }.found
            let status = line.split(separator: "/").dropFirst(3).first.flatMap { Int($0) } ?? 0
            return (status, String(line.split(separator: "\t").last ?? ""))
        }
    }

    private func withWays(_ body: (Session, Ways) async throws -> Void) async throws {
        let (mosquitto, hook) = (try await Mosquitto(), try await Hook())
        let hub = try await mosquitto.subscribe(["$iothub/methods/res/#", "devices/#"], name: "hub")
        let gateway = """
            { listen: 127.0.0.1:0, tokens: [lva-token], webhooks: { vms: { url: "\(hook.url)" } },
              mqtt: { url: "mqtt://127.0.0.1:\(mosquitto.port)", device: box } }
            """
        try await withGraphs(gateway: gateway) { _, session in
            let port = try await eventually("the gateway works", every: .milliseconds(50)) {
                let found = await session.supervisor.status().gateway
                guard let found, found.state == "running", found.consumers.allSatisfy({ $0.state == "ready" }) else {
                    return nil as Substring?
                }
                return found.listen?.split(separator: ":").last
            }
            try await body(session, Ways(port: port, mosquitto: mosquitto, hub: hub, hook: hook))
        }
        await hub.stop()
        await mosquitto.stop()
        await hook.stop()
    }

    @Test("the ten methods, by REST and by MQTT, each in the state that it is for")
    func methods() async throws {
        try await withWays { session, ways in
            let (topology, instance) = (Graphs.named("CVRToAMSAsset"), Graphs.named("front"))
            let calls: [(method: String, payload: String, status: Int, holds: String)] = [
                ("GraphTopologySet", Graphs.continuous(), 201, "CVRToAMSAsset"),
                ("GraphTopologyGet", topology, 200, "assetSink"),
                ("GraphTopologyList", #"{"@apiVersion":"2.0"}"#, 200, "CVRToAMSAsset"),
                ("GraphInstanceSet", Graphs.instance("front", url: "rtsp://h/front"), 201, #""state":"Inactive""#),
                ("GraphInstanceGet", instance, 200, #""state":"Inactive""#),
                ("GraphInstanceList", #"{"@apiVersion":"2.0"}"#, 200, "front"),
                ("GraphInstanceActivate", instance, 200, ""), ("GraphInstanceGet", instance, 200, #""state":"Active""#),
                ("GraphInstanceDeactivate", instance, 200, ""), ("GraphInstanceDelete", instance, 200, ""),
                ("GraphInstanceGet", instance, 404, "NotFound"), ("GraphTopologyDelete", topology, 200, ""),
                ("GraphTopologyGet", topology, 404, "NotFound"),
            ]
            #expect(Set(calls.map(\.method)).count == 10)
            for (way, call) in [("REST", ways.rest), ("MQTT", ways.mqtt)] {
                for (method, payload, status, text) in calls {
                    let answer = try await call(method, payload)
                    #expect(
                        answer.status == status && (text.isEmpty || answer.text.contains(text)),
                        "\(method) by \(way): \(answer)")
                }
            }
        }
    }

    @Test("every event, by webhook and by MQTT, once and with its body")
    func events() async throws {
        let (source, sink) = (MediaGraphEvent.Origin.source("rtsp", of: "F"), MediaGraphEvent.Origin.sink("a", of: "F"))
        let time = WallTime(microseconds: 1_795_427_280_123_000)
        let events: [MediaGraphEvent] = [
            .recordingStarted(sink, .asset("a")), .recordingAvailable(sink, .file("/var/media/a.mp4")),
            .recordingStopped(sink, .asset("a")), .mediaSessionEstablished(source, sdp: "SDP:\nv=0\r\n"),
            .protocolError(source, code: "404", target: "rtsp://h/a"), .networkError(source, code: "timeout"),
            .authenticationError(source, code: "401"), .authorizationError(source, code: "403"),
            .mediaFormatError(source, code: "unsupportedAudioFormat", at: time), .dataDropped(sink),
            .storageError(sink, storageAccountName: "s"), .runtimeError(code: "graphsNotRead"),
            .inference(source, body: .object(["door": .string("open")]), at: time, output: "out"),
        ]
        try await withWays { session, ways in
            for event in events {
                session.supervisor.spool.append(
                    Listing.Event(
                        time: time.rfc3339, type: event.type, camera: "f", detail: "d",
                        graph: GraphEvent(
                            topic: "/sites/a/boxes/b", subject: event.subject, eventTime: time.rfc3339,
                            dataVersion: MediaGraphEvent.dataVersion, body: event.body, output: event.output)))
            }
            try await ways.hook.request(holding: "Graph.Analytics.Inference")
            _ = try await ways.hub.output.first("the last by MQTT") {
                $0.contains("eventType=Microsoft.Media.Graph.Analytics.Inference&") ? true : nil
            }
            let hooked = try ways.hook.requests.map { try Graphs.json($0["body"] ?? "") }
            let told = ways.hub.output.lines.filter { $0.hasPrefix("devices/box/modules/cvr/messages/events/") }
            #expect(hooked.count == events.count && told.count == events.count)
            for event in events {
                let type = JSONValue.string(event.type)
                #expect(hooked.filter { $0["eventType"] == type }.map { $0["data"] } == [event.body], "\(event.type)")
                let bodies = told.filter { $0.contains("&eventType=\(event.type)&") }.map {
                    try? Graphs.json(String($0.split(separator: "\t").last ?? ""))  // Nil is none of them.
                }
                #expect(bodies == [event.body], "\(event.type): \(bodies)")
            }
        }
    }
}
