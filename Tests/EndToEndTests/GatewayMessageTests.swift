import Foundation
import Glibc
import JSON
import Messages
import TestSupport
import Testing

/// What opens a gate from the network, and what comes of it.
@Suite("Gateway: messages", .showsEvidence, .timeLimit(.minutes(15)))
struct GatewayMessageTests {
    @Test("by MQTT and by POST open a gate and give a clip each, also after cvrd was killed")
    func messages() async throws {
        try await withGateway { scene, rig in
            let files = "\(scene.box.root)/files"
            let gated = GraphTexts.gated(directory: "\(files)/evr")
            #expect(try await scene.ask("PUT", "/api/GraphTopology", gated).status == 201)
            let instance = GraphTexts.instance("Lab", of: "EVR", url: try rig.url("lab"))
            #expect(try await scene.call("GraphInstanceSet", instance).status == 201)
            #expect(try await scene.ask("POST", "/api/GraphInstance/Lab/activate").status == 200)
            try await scene.heard("Microsoft.Media.Graph.Diagnostics.MediaSessionEstablished")
            try await clip(1, scene) { try await post(scene) }
            try await clip(2, scene) { try await publish(scene) }
            let gateway = try gateway(of: scene.box)
            try await scene.box.endSupervisor(SIGKILL)
            #expect(try await scene.ask("GET", "/api/GraphInstance/Lab").status == 503)
            try await scene.box.start()
            try await eventually("the gateway has a cvrd again") {
                try await scene.ask("GET", "/api/GraphInstance/Lab").status == 200 ? true : nil
            }
            #expect(try self.gateway(of: scene.box) == gateway)
            let name = #"{"@apiVersion":"2.0","name":"Lab"}"#
            #expect(try await scene.call("GraphInstanceGet", name).text.contains(#""state":"Active""#))
            try await clip(3, scene) { try await publish(scene) }
            try await clip(4, scene) { try await post(scene) }
            #expect(try await scene.call("GraphInstanceDeactivate", name).status == 200)
            #expect(try await scene.ask("DELETE", "/api/GraphInstance/Lab").status == 200)
            try await checkClips(scene, files)
        }
    }

    @Test("by MQTT that comes while cvrd is away opens a gate, from the time on that it names")
    func whileAway() async throws {
        try await withGateway { scene, rig in
            let instance = GraphTexts.instance("Lab", of: "EVR", url: try rig.url("lab"))
            #expect(try await scene.call("GraphTopologySet", Self.gated).status == 201)
            #expect(try await scene.call("GraphInstanceSet", instance).status == 201)
            #expect(try await scene.call("GraphInstanceActivate", #"{"@apiVersion":"2.0","name":"Lab"}"#).status == 200)
            // There is something to begin with before the message.
            try await eventually("frames for the pre-roll") {
                try await scene.box.status(of: "lab").framesReceived > 60 ? true : nil
            }
            try await scene.box.endSupervisor(SIGKILL)
            try await eventually("the broker is left") {
                scene.mosquitto.log.contains { $0.contains("DISCONNECT from box/cvr") } ? true : nil
            }
            let time = Date.now.ISO8601Format().replacing(":", with: "%3A")
            try await scene.mosquitto.publish("devices/box/modules/cvr/inputs/trigger/eventTime=\(time)", "{}")
            try await scene.box.start()
            try await eventually("the message is acknowledged") {
                scene.mosquitto.log.contains { $0.contains("PUBACK from box/cvr") } ? true : nil
            }
            try await scene.heard("Microsoft.Media.Graph.Operational.RecordingStarted")
            try await scene.heard("Microsoft.Media.Graph.Operational.RecordingStopped")
            let recorded = try await scene.box.segments(of: "lab").reduce(0) { $0 + $1.duration }
            // From the keyframe at or before one second before it to eight seconds after it.
            #expect((8.9...12).contains(recorded), "\(recorded) s")
        }
    }

    private static let gated = #"""
        {"@apiVersion": "2.0", "name": "EVR", "properties": {"parameters": [{"name": "rtspUrl", "type": "String"}],
          "sources": [{"@type": "#Microsoft.Media.MediaGraphRtspSource", "name": "rtspSource", "endpoint": {
            "@type": "#Microsoft.Media.MediaGraphUnsecuredEndpoint", "url": "${rtspUrl}"}},
            {"@type": "#Microsoft.Media.MediaGraphIoTHubMessageSource", "name": "hub", "hubInputName": "trigger"}],
          "processors": [{"@type": "#Microsoft.Media.MediaGraphSignalGateProcessor", "name": "gate",
            "inputs": [{"nodeName": "hub"}, {"nodeName": "rtspSource"}], "activationEvaluationWindow": "PT0S",
            "activationSignalOffset": "-PT1S", "minimumActivationTime": "PT8S", "maximumActivationTime": "PT10S"}],
          "sinks": [{"@type": "#Microsoft.Media.MediaGraphAssetSink", "name": "assetSink",
            "inputs": [{"nodeName": "gate"}], "assetNamePattern": "evr-${System.DateTime}",
            "localMediaCachePath": "/tmp/", "localMediaCacheMaximumSizeMiB": "200"}]}}
        """#

    private func gateway(of box: Box) throws -> BoxProcess {
        guard let found = box.processes().first(where: { $0.program == "cvr-gateway" }) else {
            throw Missed("no cvr-gateway runs")
        }
        return found
    }

    private func post(_ scene: GatewayScene) async throws {
        let reply = try await scene.ask("POST", "/api/messages/recordingTrigger", #"{"door":"open"}"#)
        #expect(reply.status == 200 && reply.text.contains(#"["Lab"]"#), "\(reply)")
    }

    private func publish(_ scene: GatewayScene) async throws {
        try await scene.mosquitto.publish("devices/box/modules/cvr/inputs/recordingTrigger", #"{"door":"open"}"#)
    }

    /// A message on a closed gate; returns when its file was told, by webhook and by MQTT.
    private func clip(_ number: Int, _ scene: GatewayScene, _ send: () async throws -> Void) async throws {
        // There is something to begin with before the message.
        try await eventually("frames for the pre-roll") {
            try await scene.box.status(of: "lab").framesReceived > 60 ? true : nil
        }
        try await send()
        try await eventually("clip \(number) by webhook and MQTT", within: .seconds(90)) {
            let heard = [Set(try ArrivedEvent.by(scene.hook)), Set(try ArrivedEvent.by(scene.hub))]
            let files = heard.map { $0.count { $0.type == "RecordingAvailable" && $0.body.text.contains("filePath") } }
            return files == [number, number] ? true : nil
        }
    }

    private func checkClips(_ scene: GatewayScene, _ files: String) async throws {
        // The assets are stored by the deactivation at the latest.
        try await eventually("all of it by webhook and MQTT", within: .seconds(90)) {
            let heard = [Set(try ArrivedEvent.by(scene.hook)), Set(try ArrivedEvent.by(scene.hub))]
            return heard.allSatisfy { $0.count { $0.type == "RecordingAvailable" } == 8 } ? true : nil
        }
        let (hook, broker) = (Set(try ArrivedEvent.by(scene.hook)), Set(try ArrivedEvent.by(scene.hub)))
        #expect(hook == broker, "\(hook.symmetricDifference(broker))")
        let told = Dictionary(grouping: hook.filter { $0.type.hasPrefix("Recording") }, by: \.correlation)
        #expect(told.count == 4 && told[""] == nil, "\(told)")
        for events in told.values {
            #expect(Set(events.map(\.type)).count == 3 && Set(events.map(\.body)).count == 2, "\(events)")
            #expect(events.count == 6, "\(events)")
        }
        let clips = SegmentFiles.all(in: files, endings: [".mp4"])
        #expect(clips.count == 4, "\(clips)")
        let clip = try await SourceClip("h264-aac")
        for file in clips {
            #expect(hook.contains { $0.type == "RecordingAvailable" && $0.body.text.contains(file) }, "\(file)")
            let footage = try await Footage([file], of: clip, areOurs: false)
            #expect(footage.complaints.isEmpty && footage.tracks.allSatisfy(\.isWhole), "\(file): \(footage)")
            // From the keyframe at or before one second before the message to two seconds after it.
            let frames = footage.tracks.first?.samples ?? 0
            #expect((70...165).contains(frames), "\(file): \(frames) frames of 25 a second")
        }
    }
}
