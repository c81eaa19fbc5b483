import Foundation
import JSON
import Messages
import Recording
import TestSupport
import Testing

/// Each of LVA's events, by what brings it about on a real box, through the real cvr-gateway.
@Suite("Gateway: events", .showsEvidence, .timeLimit(.minutes(15)))
struct GatewayEventTests {
    /// A camera that is in trouble from the start, and all that is told of it.
    private struct Trouble {
        let name: String
        var options: [String] = []
        /// The rig's command that brings it about.
        var command: String?
        /// Where its instance looks for it, behind the camera's path.
        var path = ""
        let events: [String]
    }

    private static let troubles = [
        Trouble(
            name: "wrong", options: ["user=viewer", "password=other"],
            events: [protocolError("wrong", "401"), sourceError("Authentication", "401")]),
        Trouble(
            name: "forbidden", command: "fail forbidden 403",
            events: [protocolError("forbidden", "403"), sourceError("Authorization", "403")]),
        Trouble(name: "unknown", path: "-other", events: [protocolError("unknown-other", "404")]),
        Trouble(name: "unfit", command: "fail unfit 461", events: [protocolError("unfit", "4xx")]),
        Trouble(name: "noise", command: "fail noise garbage", events: [sourceError("Network", "timeout")]),
        Trouble(name: "away", command: "vanish away", events: [sourceError("Network", "connectionRefused")]),
        Trouble(
            name: "mjpeg", command: "fail mjpeg mjpeg",
            events: [#"MediaFormatError sources/rtspSource {"code":"unsupportedVideoFormat","timestamp":0}"#]),
    ]

    private static func protocolError(_ path: String, _ code: String) -> String {
        "ProtocolError sources/rtspSource "
            + #"{"code":"\#(code)","errorCode":"\#(code)","protocol":"rtsp","target":"rtsp://camera/\#(path)"}"#
    }

    private static func sourceError(_ kind: String, _ code: String) -> String {
        #"\#(kind)Error sources/rtspSource {"errorCode":"\#(code)"}"#
    }

    private static let session = #"MediaSessionEstablished sources/rtspSource {"sdp":""}"#

    private static func recording(_ fact: String, _ sink: String) -> String {
        #"Recording\#(fact) sinks/\#(sink) {"outputType":"\#(sink == "fileSink" ? "filePath" : "assetName")"}"#
    }

    @Test("each comes of what it tells of, once by webhook, by MQTT and in cvrctl, in LVA's envelope")
    func events() async throws {
        let cameras = Self.troubles.map { trouble in
            var camera = CameraRig.Camera(trouble.name, clip: "h264-aac")
            camera.options = trouble.options
            return camera
        }
        let well = [("gated", "h264-aac"), ("loose", "h264-aac"), ("full", "h264-big-keyframe")].map {
            CameraRig.Camera($0.0, clip: $0.1)
        }
        try await withGateway(cameras + well, .half) { scene, rig in
            let began = Self.now()
            for trouble in Self.troubles { if let command = trouble.command { try await rig.tell(command) } }
            try await activate(scene, rig)
            let clips = try await record(scene)
            let broken = try await lose(scene, rig)
            try await fail(scene, rig)
            let store = #"StorageError sinks/assetSink {"storageAccountName":"\#(scene.box.root)/store"}"#
            var expected = Dictionary(uniqueKeysWithValues: Self.troubles.map { ($0.name, $0.events + [store]) })
            expected["gated"] = clips + [store]
            expected["loose"] = broken + [Self.recording("Stopped", "assetSink")]
            expected["full"] = broken + [store]
            try await check(scene, since: began, expected)
        }
    }

    private static func now() -> String {
        WallTime(microseconds: Int64(Date.now.timeIntervalSince1970 * 1e6)).rfc3339
    }

    // MARK: What happens

    private func activate(_ scene: GatewayScene, _ rig: CameraRig) async throws {
        let small = GraphTexts.continuous.replacing("CVRToAMSAsset", with: "Small")
            .replacing(#""localMediaCacheMaximumSizeMiB":"2048""#, with: #""localMediaCacheMaximumSizeMiB":"4""#)
        let gated = GraphTexts.gated(directory: "\(scene.box.root)/files/evr", output: "inferenceOutput")
        for text in [GraphTexts.continuous, small, gated] {
            #expect(try await scene.ask("PUT", "/api/GraphTopology", text).status == 201)
        }
        let paths = Self.troubles.map { ($0.name, "CVRToAMSAsset", $0.path) }
        for (name, topology, path) in paths + [
            ("gated", "EVR", ""), ("loose", "CVRToAMSAsset", ""), ("full", "Small", ""),
        ] {
            let instance = GraphTexts.instance(name, of: topology, url: try rig.url(name) + path)
            #expect(try await scene.call("GraphInstanceSet", instance).status == 201)
            #expect(try await scene.ask("POST", "/api/GraphInstance/\(name)/activate").status == 200)
        }
    }

    /// Two clips, the second while the folder of files is away; returns what is told of them.
    private func record(_ scene: GatewayScene) async throws -> [String] {
        let folder = "\(scene.box.root)/files/evr"
        try await clip(1, scene)
        try await until("both can be played", scene) { $0.count(of: "RecordingAvailable", "gated") == 2 }
        try FileManager.default.moveItem(atPath: folder, toPath: folder + "-away")
        try Data().write(to: URL(filePath: folder))
        try await clip(2, scene)
        try await until("the second asset can be played", scene) { $0.count(of: "RecordingAvailable", "gated") == 3 }
        try await until("the folder is away", scene) { $0.count(of: "StorageError", "gated") == 1 }
        let clips = (1...2).flatMap { number in
            [#"Inference sources/hub {"door":\#(number),"timestamp":0}"#]
                + ["Started", "Stopped"].flatMap { fact in
                    ["assetSink", "fileSink"].map { Self.recording(fact, $0) }
                }
        }
        return [Self.session] + clips + ["assetSink", "assetSink", "fileSink"].map { Self.recording("Available", $0) }
            + [#"StorageError sinks/fileSink {"storageAccountName":"\#(folder)"}"#]
    }

    private func clip(_ number: Int, _ scene: GatewayScene) async throws {
        // There is something to begin with before the message.
        try await eventually("frames for the pre-roll") {
            try await scene.box.status(of: "gated").framesReceived > 60 ? true : nil
        }
        #expect(try await scene.ask("POST", "/api/messages/recordingTrigger", #"{"door":\#(number)}"#).status == 200)
        try await until("clip \(number)", scene) { $0.count(of: "RecordingStopped", "gated") == 2 * number }
    }

    /// Connections that break, and the end of a recording; returns what is told of the one that goes on.
    private func lose(_ scene: GatewayScene, _ rig: CameraRig) async throws -> [String] {
        let names = ["loose", "full"]
        try await until("they are recorded", scene) { told in
            names.allSatisfy { told.count(of: "RecordingStarted", $0) == 1 }
        }
        for name in names { try await rig.tell("kick \(name)") }
        try await until("they are back", scene) { told in
            names.allSatisfy { told.count(of: "MediaSessionEstablished", $0) == 2 }
        }
        try await until("they can be played", scene) { told in
            names.allSatisfy { told.count(of: "RecordingAvailable", $0) == 1 }
        }
        #expect(try await scene.call("GraphInstanceDeactivate", #"{"@apiVersion":"2.0","name":"loose"}"#).status == 200)
        return [Self.session, Self.session, Self.sourceError("Network", "disconnected")]
            + ["Started", "Available"].map { Self.recording($0, "assetSink") }
    }

    /// A store that is away until a cache is full, and a disk that takes no topology.
    private func fail(_ scene: GatewayScene, _ rig: CameraRig) async throws {
        try scene.box.takeStoreAway()
        var clips = ["demo", "h264-big-keyframe"]
        // A segment ends with the format of its pictures.
        try await eventually("footage is dropped", within: .seconds(90), every: .seconds(6)) {
            if try ArrivedEvent.by(scene.hook).count(of: "DataDropped", "full") > 0 { return true }
            try await rig.tell("format full \(clips[0])")
            clips.reverse()
            return nil
        }
        let folder = "\(scene.box.root)/state/graph/topologies"
        try FileManager.default.moveItem(atPath: folder, toPath: folder + "-away")
        try Data().write(to: URL(filePath: folder))
        let other = GraphTexts.continuous.replacing("CVRToAMSAsset", with: "Other")
        #expect(try await scene.ask("PUT", "/api/GraphTopology", other).status == 500)
        try await scene.heard("Microsoft.Media.Edge.Diagnostics.RuntimeError")
    }

    private func until(
        _ what: String, _ scene: GatewayScene, _ condition: ([ArrivedEvent]) -> Bool
    ) async throws {
        try await eventually(what, within: .seconds(90)) {
            condition(try ArrivedEvent.by(scene.hook)) ? true : nil
        }
    }
}
