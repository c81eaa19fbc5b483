import Foundation
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
    private func withWays(
        _ body: (Session, GatewayWays, _ hook: Hook, _ hub: ChildProcess) async throws -> Void
    ) async throws {
        let (mosquitto, hook) = (try await Mosquitto(), try await Hook())
        let hub = try await mosquitto.subscribe(GatewayWays.topics, name: "hub")
        let gateway = """
            { listen: 127.0.0.1:0, tokens: [lva-token], webhooks: { vms: { url: "\(hook.url)" } },
              mqtt: { url: "mqtt://127.0.0.1:\(mosquitto.port)", device: box } }
            """
        try await withGraphs(gateway: gateway) { _, session in
            let port = try await eventually("the gateway works", every: .milliseconds(50)) {
                let found = await session.supervisor.status().gateway
                guard let found, found.state == "running", found.consumers.allSatisfy({ $0.state == "ready" }) else {
                    return nil as Int?
                }
                return found.listen?.split(separator: ":").last.flatMap { Int($0) }
            }
            try await body(session, GatewayWays(port: port, mosquitto: mosquitto, hub: hub), hook, hub)
        }
        await hub.stop()
        await mosquitto.stop()
        await hook.stop()
    }

    @Test("the ten methods, by REST and by MQTT, each in the state that it is for")
    func methods() async throws {
        try await withWays { _, ways, _, _ in
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
            for (way, call) in [("REST", ways.rest), ("MQTT", ways.call)] {
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
        try await withWays { session, _, hook, hub in
            for event in events {
                session.supervisor.spool.append(
                    Listing.Event(
                        time: time.rfc3339, type: event.type, camera: "f", detail: "d",
                        graph: GraphEvent(
                            topic: "/sites/a/boxes/b", subject: event.subject, eventTime: time.rfc3339,
                            dataVersion: MediaGraphEvent.dataVersion, body: event.body, output: event.output)))
            }
            try await hook.request(holding: "Graph.Analytics.Inference")
            _ = try await hub.output.first("the last by MQTT") {
                $0.contains("eventType=Microsoft.Media.Graph.Analytics.Inference&") ? true : nil
            }
            for (way, arrived) in [("webhook", try ArrivedEvent.by(hook)), ("MQTT", try ArrivedEvent.by(hub))] {
                #expect(arrived.map(\.eventType) == events.map(\.type), "\(way)")
                #expect(arrived.map(\.body) == events.map(\.body), "\(way)")
            }
        }
    }
}
