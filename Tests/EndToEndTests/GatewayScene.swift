import Foundation
import TestSupport

/// The real cvrd, cvr-gateway, mosquitto and a webhook.
struct GatewayScene {
    let box: Box
    let ways: GatewayWays
    let hook: Hook
    let mosquitto: Mosquitto
    let hub: ChildProcess

    func ask(_ method: String, _ path: String, _ body: String? = nil) async throws -> (status: Int, text: String) {
        try await ways.ask(method, path, body)
    }

    func call(_ method: String, _ payload: String) async throws -> (status: Int, text: String) {
        try await ways.call(method, payload)
    }

    /// Waits until both have had an event of this type.
    func heard(_ type: String) async throws {
        try await hook.request(holding: type, within: .seconds(90))
        _ = try await hub.output.first("\(type) by MQTT", within: .seconds(90)) {
            $0.contains("&eventType=\(type)&") ? true : nil
        }
    }

    /// As `cvrctl status` has it.
    struct Status: Decodable {
        struct Receiver: Decodable {
            var name, state: String
            var waiting: Int
        }
        struct Gateway: Decodable {
            var state: String
            var pid: Int32?
            var listen: String?
            var consumers: [Receiver]
        }
        var gateway: Gateway
    }

    static func status(of box: Box) async throws -> Status.Gateway {
        try JSONDecoder().decode(Status.self, from: try await box.run(["--json", "status"]).output).gateway
    }
}

/// Runs `body` with a box whose gateway serves and is connected, and cameras that are not in cvr.yaml; media graphs may
/// write below its folder `files`.
func withGateway(
    _ cameras: [CameraRig.Camera] = [.init("lab", clip: "h264-aac")], _ share: Machine.Share = .one,
    _ body: (GatewayScene, CameraRig) async throws -> Void
) async throws {
    try await Machine.shared.place(share) {
        let (mosquitto, hook) = (try await Mosquitto(), try await Hook())
        let hub = try await mosquitto.subscribe(GatewayWays.topics, name: "hub")
        do {
            try await withCameras(cameras) { box, rig in
                let port = try await start(box, hook, mosquitto)
                let ways = GatewayWays(port: port, mosquitto: mosquitto, hub: hub)
                try await body(GatewayScene(box: box, ways: ways, hook: hook, mosquitto: mosquitto, hub: hub), rig)
            }
        } catch {
            // It would look for its broker for ever; the others go with this process.
            await hub.stop()
            throw error
        }
        await hub.stop()
        await mosquitto.stop()
    }
}

/// Returns the gateway's port, once it serves and is connected.
private func start(_ box: Box, _ hook: Hook, _ mosquitto: Mosquitto) async throws -> Int {
    var settings = await box.settings
    settings.cameras = []
    settings.sections = [
        "gateway:", "  listen: 127.0.0.1:0", "  tokens: [lva]",
        "  webhooks: { vms: { url: \"\(hook.url)\" } }",
        "  mqtt: { url: \"mqtt://127.0.0.1:\(mosquitto.port)\", device: box }",
        "graph: { filePaths: [\(box.root)/files] }",
    ]
    settings.secrets = ["lva": GatewayWays.token]
    try FileManager.default.createDirectory(atPath: "\(box.root)/files", withIntermediateDirectories: true)
    try await box.configure(settings)
    try await box.start()
    return try await eventually("the gateway works", every: .milliseconds(100)) {
        let gateway = try await GatewayScene.status(of: box)
        let isReady = gateway.state == "running" && gateway.consumers.allSatisfy { $0.state == "ready" }
        return isReady ? gateway.listen?.split(separator: ":").last.flatMap { Int($0) } : nil
    }
}
