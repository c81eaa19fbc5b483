import Foundation
import TestSupport
import Testing

/// A media graph from the network: by the real cvrd, cvr-gateway, mosquitto and a webhook, with a simulated camera.
@Suite("Gateway", .showsEvidence, .timeLimit(.minutes(5)))
struct GatewayTests {
    private static let (token, camera) = (GatewayWays.token, "camera-canary-77")

    @Test("LVA's methods by HTTP and MQTT record a camera, and its events come by webhook and MQTT, in LVA's order")
    func graph() async throws {
        try await withGateway { scene, rig in
            #expect(try await scene.ask("PUT", "/api/GraphTopology", GraphTexts.continuous).status == 201)
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
