import Foundation
import HTTP
import TestSupport
import Testing

/// A media graph from the network: by the real cvrd, cvr-gateway, mosquitto and a webhook, with a simulated camera.
@Suite("Gateway", .showsEvidence, .timeLimit(.minutes(5)))
struct GatewayTests {
    private static let (token, camera) = ("t0ken-canary-0123456789", "camera-canary-77")

    private static let topology = #"""
        {"@apiVersion": "2.0", "name": "CVRToAMSAsset", "properties": {
          "description": "continuous", "parameters": [
            {"name": "rtspUserName", "type": "String", "default": "dummyUserName"},
            {"name": "rtspPassword", "type": "SecretString", "default": "dummyPassword"},
            {"name": "rtspUrl", "type": "String"}],
          "sources": [{"@type": "#Microsoft.Media.MediaGraphRtspSource", "name": "rtspSource", "endpoint": {
            "@type": "#Microsoft.Media.MediaGraphUnsecuredEndpoint", "url": "${rtspUrl}", "credentials": {
              "@type": "#Microsoft.Media.MediaGraphUsernamePasswordCredentials",
              "username": "${rtspUserName}", "password": "${rtspPassword}"}}}],
          "sinks": [{"@type": "#Microsoft.Media.MediaGraphAssetSink", "name": "assetSink",
            "inputs": [{"nodeName": "rtspSource"}], "segmentLength": "PT30S",
            "assetNamePattern": "asset-${System.GraphTopologyName}-${System.GraphInstanceName}",
            "localMediaCachePath": "/var/lib/azuremediaservices/tmp/", "localMediaCacheMaximumSizeMiB": "200"}]}}
        """#

    private struct Scene {
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
                    headers: [("Authorization", "Bearer \(GatewayTests.token)")],
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
    }

    private func withScene(_ body: (Scene, CameraRig) async throws -> Void) async throws {
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
            settings.secrets = ["lva": Self.token]
            try await withBox(settings) { box in
                try await box.start()
                let port = try await eventually("the gateway works", every: .milliseconds(100)) {
                    try await Self.port(of: box)
                }
                try await body(Scene(box: box, port: port, hook: hook, mosquitto: mosquitto, hub: hub), rig)
            }
            await hub.stop()
            await mosquitto.stop()
            await rig.stop()
        }
    }

    /// Once it runs, and the broker is connected.
    private static func port(of box: Box) async throws -> Int? {
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

    @Test("LVA's methods by HTTP and MQTT record a camera, and its events come by webhook and MQTT, in LVA's order")
    func graph() async throws {
        try await withScene { scene, rig in
            #expect(try await scene.ask("PUT", "/api/GraphTopology", Self.topology).status == 201)
            let instance = """
                {"@apiVersion": "2.0", "name": "Lab", "properties": {"topologyName": "CVRToAMSAsset", "parameters": [
                 {"name": "rtspUrl", "value": "\(try rig.url("lab"))"},
                 {"name": "rtspPassword", "value": "\(Self.camera)"}]}}
                """
            #expect(try await scene.call("GraphInstanceSet", instance).status == 201)
            let stored = try await scene.ask("GET", "/api/GraphInstance/Lab")
            #expect(stored.status == 200 && stored.text.contains("Inactive") && !stored.text.contains(Self.camera))
            #expect(try await scene.call("GraphTopologyList", #"{"@apiVersion":"1.0"}"#).text.contains("CVRToAMSAsset"))
            #expect(try await scene.ask("GET", "/api/GraphTopology/Other").status == 404)
            #expect(try await scene.call("GraphNonsense", "{}").status == 501)
            #expect(try await scene.ask("DELETE", "/api/GraphTopology/CVRToAMSAsset").status == 409)
            #expect(try await scene.ask("POST", "/api/GraphInstance/Lab/activate").status == 200)
            try await scene.heard("Microsoft.Media.Graph.Diagnostics.MediaSessionEstablished")
            try await scene.heard("Microsoft.Media.Graph.Operational.RecordingStarted")
            #expect(try await scene.call("GraphInstanceActivate", #"{"@apiVersion":"2.0","name":"Lab"}"#).status == 200)
            #expect(
                try await scene.call("GraphInstanceDeactivate", #"{"@apiVersion":"2.0","name":"Lab"}"#).status == 200)
            try await scene.heard("Microsoft.Media.Graph.Operational.RecordingStopped")
            let types = scene.hook.requests.compactMap { $0["body"]?.firstMatch(of: /Graph\.\w+\.(\w+)"/)?.output.1 }
            #expect(
                types == ["MediaSessionEstablished", "RecordingStarted", "RecordingAvailable", "RecordingStopped"],
                "\(types)")
            #expect(try await scene.ask("DELETE", "/api/GraphInstance/Lab").status == 200)
            #expect(try await scene.ask("DELETE", "/api/GraphInstance/Lab").status == 204)
            #expect(
                try await scene.call("GraphTopologyDelete", #"{"@apiVersion":"2.0","name":"CVRToAMSAsset"}"#).status
                    == 200)
            let traces = try Secrets.traces(
                of: [Self.token, Self.camera], in: [scene.box.root],
                except: ["\(scene.box.root)/state/credentials/lva"])
            #expect(traces.isEmpty, "\(traces) (I10)")
        }
    }
}
