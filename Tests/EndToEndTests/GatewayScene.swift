import Foundation
import HTTP
import JSON
import TestSupport

/// The real cvrd, cvr-gateway, mosquitto and a webhook.
struct GatewayScene {
    static let token = "t0ken-canary-0123456789"

    let box: Box
    let port: Int
    let hook: Hook
    let mosquitto: Mosquitto
    let hub: ChildProcess

    /// Status and body of an answer over HTTP.
    func ask(_ method: String, _ path: String, _ body: String? = nil) async throws -> (status: Int, text: String) {
        let answer = try await Web.ask(
            HTTPRequest(
                method, "http://127.0.0.1:\(port)\(path)",
                headers: [("Authorization", "Bearer \(Self.token)")],
                body: body.map { .bytes(Array($0.utf8)) } ?? .none))
        return (answer.status, String(decoding: answer.body, as: UTF8.self))
    }

    /// Status and payload of a direct method's answer by MQTT.
    func call(_ method: String, _ payload: String) async throws -> (status: Int, text: String) {
        let request = UUID().uuidString
        try await mosquitto.publish("$iothub/methods/POST/\(method)/?$rid=\(request)", payload)
        let line = try await hub.output.first("the answer to \(method)", within: .seconds(120)) { line in
            line.hasPrefix("$iothub/methods/res/") && line.contains("/?$rid=\(request)\t") ? line : nil
        }.found
        let status = line.split(separator: "/").dropFirst(3).first.flatMap { Int($0) } ?? 0
        return (status, String(line.split(separator: "\t").last ?? ""))
    }

    /// Waits until both have had an event of this type.
    func heard(_ type: String) async throws {
        try await hook.request(holding: type, within: .seconds(90))
        _ = try await hub.output.first("\(type) by MQTT", within: .seconds(90)) {
            $0.contains("&eventType=\(type)&") ? true : nil
        }
    }

    /// An event as it arrived, once or more often.
    struct Arrival: Hashable {
        let id: String
        /// As `RecordingStarted`.
        let type: String
        let correlation: String
        let body: String
    }

    /// What the webhook was sent so far.
    func byWebhook() throws -> Set<Arrival> {
        Set(
            try hook.requests.map { request in
                let event = try JSONValue(parsing: request["body"] ?? "")
                let text = { (name: String) -> String in if case .string(let text) = event[name] { text } else { "" } }
                return Arrival(
                    id: text("id"), type: Self.last(text("eventType")), correlation: text("correlationId"),
                    body: event["data"]?.text ?? "")
            })
    }

    /// What came from the broker so far.
    func byMQTT() throws -> Set<Arrival> {
        let events = hub.output.lines.filter { $0.hasPrefix("devices/box/modules/cvr/messages/events/") }
        return Set(
            try events.map { line in
                let parts = line.split(separator: "\t", maxSplits: 1)
                let bag = parts[0].split(separator: "/").last?.split(separator: "&") ?? []
                let value = { (name: String) in bag.first { $0.hasPrefix(name + "=") }?.dropFirst(name.count + 1) ?? ""
                }
                return Arrival(
                    id: String(value("$.mid")), type: Self.last(String(value("eventType"))),
                    correlation: String(value("correlationId")),
                    body: try JSONValue(parsing: String(parts.last ?? "")).text)
            })
    }

    private static func last(_ type: String) -> String { type.split(separator: ".").last.map(String.init) ?? "" }

    /// Once it runs, and the broker is connected.
    fileprivate static func port(of box: Box) async throws -> Int? {
        struct Status: Decodable {
            struct Receiver: Decodable { var name, state: String }
            struct Gateway: Decodable {
                var state: String
                var listen: String?
                var consumers: [Receiver]
            }
            var gateway: Gateway
        }
        let done = try await box.run(["--json", "status"])
        let gateway = try JSONDecoder().decode(Status.self, from: done.output).gateway
        guard gateway.state == "running", gateway.consumers.allSatisfy({ $0.state == "ready" }) else { return nil }
        return gateway.listen?.split(separator: ":").last.flatMap { Int($0) }
    }
}

/// Runs `body` with a box whose gateway serves and is connected, and a camera `lab` that is not in cvr.yaml.
func withGateway(_ body: (GatewayScene, CameraRig) async throws -> Void) async throws {
    try await Machine.shared.place {
        let rig = try await CameraRig([.init("lab", clip: try await SourceClip("h264-aac").name)])
        let (mosquitto, hook) = (try await Mosquitto(), try await Hook())
        let hub = try await mosquitto.subscribe(
            ["$iothub/methods/res/#", "devices/box/modules/cvr/messages/events/#"], name: "hub")
        var settings = BoxSettings([])
        settings.sections = [
            "gateway:", "  listen: 127.0.0.1:0", "  tokens: [lva]",
            "  webhooks: { vms: { url: \"\(hook.url)\" } }",
            "  mqtt: { url: \"mqtt://127.0.0.1:\(mosquitto.port)\", device: box }",
        ]
        settings.secrets = ["lva": GatewayScene.token]
        try await withBox(settings) { box in
            try await box.start()
            let port = try await eventually("the gateway works", every: .milliseconds(100)) {
                try await GatewayScene.port(of: box)
            }
            try await body(GatewayScene(box: box, port: port, hook: hook, mosquitto: mosquitto, hub: hub), rig)
        }
        await hub.stop()
        await mosquitto.stop()
        await rig.stop()
    }
}
