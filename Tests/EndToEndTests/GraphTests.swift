import Foundation
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
                try await graph.set("topology", "continuous", GraphTexts.continuous)
                try await graph.set(
                    "instance", "front",
                    GraphTexts.instance("Front", of: "CVRToAMSAsset", url: try rig.url("front"), password: Self.canary))
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
                try await graph.set("topology", "gated", GraphTexts.gated(directory: "\(box.root)/files/evr"))
                try await graph.set(
                    "instance", "front", GraphTexts.instance("Front", of: "EVR", url: try rig.url("front")))
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
