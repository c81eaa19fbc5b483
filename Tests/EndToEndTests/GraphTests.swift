import Foundation
import JSON
import Messages
import TestSupport
import Testing

/// LVA's topologies of tiers 1 and 2, on a real camera, by `cvrctl graph`.
@Suite("Media graph", .showsEvidence, .timeLimit(.minutes(20)))
struct GraphTests {
    private static let canary = "canary-\(UUID())@home"
    private static let operational = "Microsoft.Media.Graph.Operational."
    private static let diagnostics = "Microsoft.Media.Graph.Diagnostics."

    @Test(
        "R -> A: set, recorded, taken over by the next cvrd, drained into the store, deleted; LVA's events in their order"
    )
    func continuous() async throws {
        try await Machine.shared.place {
            let clip = try await SourceClip("h264-aac")
            let camera = CameraRig.Camera("front", clip: clip.name, "user=viewer", "password=none")
            try await withCameras([camera], settings: { $0.cameras = [] }) { box, rig in
                try await rig.tell("password front \(Self.canary)")
                try await box.start()
                let graph = GraphBox(box)
                try await graph.set("topology", "continuous", GraphBox.continuous)
                try await graph.set(
                    "instance", "front",
                    GraphBox.instance("Front", of: "CVRToAMSAsset", url: try rig.url("front"), password: Self.canary))
                try await graph.run("instance", "activate", "Front")
                try await box.until(["front"], are: "recording")
                try await graph.event(Self.diagnostics + "MediaSessionEstablished")
                try await graph.event(Self.operational + "RecordingStarted")
                let worker = try box.worker(of: "front")
                try await box.endSupervisor(SIGKILL)
                try await box.start()
                try await box.until(["front"], are: "recording")
                #expect(try box.worker(of: "front") == worker)
                #expect(try await graph.state(of: "front") == "Active")
                #expect(try await box.run(["camera", "remove", "front"]).ending == .exited(5))
                #expect(
                    try await box.run(["camera", "add", "front", "--url", "rtsp://127.0.0.1/"]).ending == .exited(5))
                try await deactivated(graph, clip)
                try await noTraces(graph)
                try await graph.run("instance", "delete", "FRONT")
                try await graph.run("topology", "delete", "CVRToAMSAsset")
                let names = SegmentFiles.all(in: "\(box.root)/state/graph", endings: [".json", ".refused"])
                #expect(names.isEmpty, "\(names)")
            }
        }
    }

    private func deactivated(_ graph: GraphBox, _ clip: SourceClip) async throws {
        try await graph.run("instance", "deactivate", "front")
        try await stored(graph.box, clip)
        for type in ["RecordingAvailable", "RecordingStopped"] { try await graph.event(Self.operational + type) }
        let told = try await graph.events().filter { $0.hasPrefix(Self.operational) }
        #expect(told == ["RecordingAvailable", "RecordingStopped"].map { Self.operational + $0 })
        #expect(try await graph.box.status().cameras.isEmpty)
    }

    /// All of it is in the store when the deactivation is answered, under the asset's name, and stays there.
    private func stored(_ box: Box, _ clip: SourceClip) async throws {
        let objects = SegmentFiles.all(in: "\(box.root)/store/test/asset-CVRToAMSAsset-Front", endings: [".mp4"])
        let cached = SegmentFiles.all(in: "\(box.root)/cache/front", endings: [".mp4", ".partial"])
        #expect(!objects.isEmpty && objects.count == cached.count, "\(objects) \(cached)")
        let footage = try await Footage(objects, of: clip)
        #expect(footage.complaints.isEmpty, "\(footage.complaints)")
        for track in footage.tracks { #expect(track.isWhole, "\(track)") }
        #expect(try await box.segments(of: "front").count == objects.count)
    }

    /// The password is in no file, log, argument or answer.
    private func noTraces(_ graph: GraphBox) async throws {
        var said = ""
        for kind in ["topology", "instance"] {
            for verb in [["list"], ["get", kind == "topology" ? "CVRToAMSAsset" : "Front"]] {
                for format in [[], ["--json"]] {
                    said += try await graph.box.run(format + ["graph", kind] + verb).text
                }
            }
        }
        #expect(said.contains("rtspUrl"))
        try said.write(toFile: "\(graph.box.root)/log/graphs", atomically: true, encoding: .utf8)
        // What the test itself gave to cvrctl.
        let given = "\(graph.box.root)/given-front.json"
        let traces = try await graph.box.traces(of: Self.canary, user: "viewer", cameras: ["front"], except: [given])
        #expect(traces.isEmpty, "\(traces)")
    }

    @Test("R + H -> G -> L, A: a message records a clip from before it, into a file and an asset of its own")
    func gated() async throws {
        try await Machine.shared.place {
            let clip = try await SourceClip("h264-aac")
            try await withCameras([.init("front", clip: clip.name)], settings: { $0.cameras = [] }) { box, rig in
                var settings = await box.settings
                settings.sections = ["graph: { filePaths: [\(box.root)/files] }"]
                try FileManager.default.createDirectory(
                    atPath: "\(box.root)/files", withIntermediateDirectories: true)
                try await box.configure(settings)
                try await box.start()
                let graph = GraphBox(box)
                try await graph.set("topology", "gated", GraphBox.gated(directory: "\(box.root)/files/evr"))
                try await graph.set(
                    "instance", "front", GraphBox.instance("Front", of: "EVR", url: try rig.url("front")))
                try await graph.run("instance", "activate", "Front")
                try await graph.event(Self.diagnostics + "MediaSessionEstablished")
                // There is something to begin with before the message.
                try await eventually("frames for the pre-roll") {
                    try await box.status(of: "front").framesReceived > 60 ? true : nil
                }
                #expect(try await graph.send("recordingTrigger") == ["Front"])
                for type in ["RecordingStarted", "RecordingStopped", "RecordingAvailable"] {
                    try await graph.event(Self.operational + type)
                }
                let file = try await eventually("the file is complete") {
                    SegmentFiles.all(in: "\(box.root)/files/evr", endings: [".mp4"]).first
                }
                let duration = try await Self.duration(of: file)
                // From the keyframe at or before one second before the message to two seconds after it.
                #expect((2.9...6.5).contains(duration), "\(duration) s")
                try await graph.run("instance", "deactivate", "Front")
                let assets = try FileManager.default.contentsOfDirectory(atPath: "\(box.root)/store/test")
                #expect(assets.contains { $0.hasPrefix("evr-2") }, "\(assets)")
            }
        }
    }

    private static func duration(of file: String) async throws -> Double {
        let done = try await run(
            "/usr/bin/ffprobe", ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", file])
        return Double(done.text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    }
}

/// A box whose media graphs are managed by cvrctl.
private struct GraphBox {
    let box: Box

    init(_ box: Box) { self.box = box }

    func set(_ kind: String, _ name: String, _ text: String) async throws {
        let path = "\(box.root)/given-\(name).json"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        try await run(kind, "set", path)
    }

    func run(_ words: String...) async throws {
        let done = try await box.run(["graph"] + words)
        #expect(done.ending == .exited(0), "graph \(words): \(done.text)\(done.errors)")
    }

    func state(of instance: String) async throws -> String? {
        let done = try await box.run(["--json", "graph", "instance", "get", instance])
        let reply = try JSONDecoder().decode(JSONValue.self, from: done.output)
        guard case .string(let state) = reply["payload"]?["properties"]?["state"] else { return nil }
        return state
    }

    func event(_ type: String) async throws {
        _ = try await box.events.first(type) { $0.contains("\"\(type)\"") ? true : nil }
    }

    /// Types of all events since cvrd answered.
    func events() async throws -> [String] {
        try await box.events.lines.compactMap { line in
            // A line that is no event is none of ours.
            guard let event = try? JSONDecoder().decode(JSONValue.self, from: Data(line.utf8)),
                case .string(let type) = event["type"]
            else { return nil }
            return type
        }
    }

    /// The instances that a message for an input reached.
    func send(_ input: String) async throws -> [String] {
        let script = """
            import json, sys, varlink
            with varlink.Client.new_with_address("unix:" + sys.argv[1]) as client:
                with client.open("io.cvr.Admin") as admin:
                    print(json.dumps(admin.SendMessage(sys.argv[2], {"door": "open"}, {})["instances"]))
            """
        let done = try await StockClient().run(["-c", script, box.adminSocket, input])
        guard done.ending == .exited(0) else { throw Missed("SendMessage: \(done.errors)") }
        return try JSONDecoder().decode([String].self, from: done.output)
    }

    private static let source = """
        {"@type":"#Microsoft.Media.MediaGraphRtspSource","name":"rtspSource","endpoint":{
        "@type":"#Microsoft.Media.MediaGraphUnsecuredEndpoint","url":"${rtspUrl}","credentials":{
        "@type":"#Microsoft.Media.MediaGraphUsernamePasswordCredentials",
        "username":"${rtspUserName}","password":"${rtspPassword}"}}}
        """
    private static let parameters = """
        {"name":"rtspUrl","type":"String"},{"name":"rtspUserName","type":"String","default":"viewer"},
        {"name":"rtspPassword","type":"SecretString","default":"dummyPassword"}
        """

    static let continuous = """
        {"@apiVersion":"1.0","name":"CVRToAMSAsset","properties":{"description":"Continuous video recording",
        "parameters":[\(parameters)],"sources":[\(source)],"sinks":[
        {"@type":"#Microsoft.Media.MediaGraphAssetSink","name":"assetSink","inputs":[{"nodeName":"rtspSource"}],
        "assetNamePattern":"asset-${System.GraphTopologyName}-${System.GraphInstanceName}","segmentLength":"PT0M30S",
        "localMediaCacheMaximumSizeMiB":"2048","localMediaCachePath":"/var/lib/azuremediaservices/tmp/"}]}}
        """

    static func gated(directory: String) -> String {
        """
        {"@apiVersion":"2.0","name":"EVR","properties":{"parameters":[\(parameters)],"sources":[\(source),
        {"@type":"#Microsoft.Media.MediaGraphIoTHubMessageSource","name":"hub","hubInputName":"recordingTrigger"}],
        "processors":[{"@type":"#Microsoft.Media.MediaGraphSignalGateProcessor","name":"gate",
        "inputs":[{"nodeName":"hub"},{"nodeName":"rtspSource"}],"activationEvaluationWindow":"PT0S",
        "activationSignalOffset":"-PT1S","minimumActivationTime":"PT2S","maximumActivationTime":"PT4S"}],"sinks":[
        {"@type":"#Microsoft.Media.MediaGraphFileSink","name":"fileSink","inputs":[{"nodeName":"gate"}],
        "baseDirectoryPath":"\(directory)","fileNamePattern":"clip-${System.DateTime}","maximumSizeMiB":"512"},
        {"@type":"#Microsoft.Media.MediaGraphAssetSink","name":"assetSink","inputs":[{"nodeName":"gate"}],
        "assetNamePattern":"evr-${System.DateTime}","localMediaCachePath":"/var/lib/azuremediaservices/tmp/",
        "localMediaCacheMaximumSizeMiB":"200"}]}}
        """
    }

    static func instance(_ name: String, of topology: String, url: String, password: String? = nil) -> String {
        let secret = password.map { #",{"name":"rtspPassword","value":"\#($0)"}"# } ?? ""
        return """
            {"@apiVersion":"2.0","name":"\(name)","properties":{"topologyName":"\(topology)",
            "parameters":[{"name":"rtspUrl","value":"\(url)"}\(secret)]}}
            """
    }
}
