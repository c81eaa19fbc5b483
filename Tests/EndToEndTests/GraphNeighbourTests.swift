import Foundation
import JSON
import Messages
import TestSupport
import Testing

/// Media graphs beside cameras of cvr.yaml, and beside a store that fails.
@Suite("Media graph: beside others", .showsEvidence, .timeLimit(.minutes(20)))
struct GraphNeighbourTests {
    @Test("cameras of cvr.yaml lose no frame while instances are set, activated, signalled, drained and deleted (I1)")
    func neighbours() async throws {
        try await Machine.shared.place(.half) {
            let cameras = ["front", "yard", "lab", "gate"].map { CameraRig.Camera($0, clip: "h264-video") }
            try await withCameras(cameras, settings: { $0.cameras.removeLast(2) }) { box, rig in
                try FileManager.default.createDirectory(atPath: "\(box.root)/files", withIntermediateDirectories: true)
                var settings = await box.settings
                settings.sections = ["graph: { filePaths: [\(box.root)/files] }"]
                try await box.configure(settings)
                try await box.start()
                try await box.until(["front", "yard"], are: "recording")
                let workers = try ["front", "yard"].map { try box.worker(of: $0) }
                let graph = GraphBox(box)
                for round in 1...3 {
                    settings.sections.append("# \(round)")
                    try await change(graph, rig, settings)
                }
                #expect(try await graph.told(of: "Lab").count { $0.type == "Operational.RecordingStopped" } == 3)
                #expect(try await graph.told(of: "Gate").count { $0.type == "Operational.RecordingStopped" } == 6)
                let after = try ["front", "yard"].map { try box.worker(of: $0) }
                #expect(after == workers)
                for name in ["front", "yard"] { try await expectUnharmed(name, in: box) }
                #expect(try await box.stop() == .exited(0))
            }
        }
    }

    /// A life of two instances, with a reload wherever there may be one.
    private func change(_ graph: GraphBox, _ rig: CameraRig, _ settings: BoxSettings) async throws {
        let reload = {
            try await graph.box.configure(settings)
            #expect(try await graph.box.run(["reload"]).ending == .exited(0))
        }
        let gated = GraphTexts.gated(directory: "\(graph.box.root)/files/evr")
        for text in [GraphTexts.continuous, gated] {
            #expect(try await graph.call("GraphTopologySet", try JSONValue(parsing: text)).status < 300)
        }
        for (name, topology) in [("Lab", "CVRToAMSAsset"), ("Gate", "EVR")] {
            let text = GraphTexts.instance(name, of: topology, url: try rig.url(name.lowercased()))
            #expect(try await graph.call("GraphInstanceSet", try JSONValue(parsing: text)).status == 201)
            #expect(try await graph.call("GraphInstanceActivate", named: name).status == 200)
        }
        try await reload()
        try await eventually("frames", within: .seconds(60)) {
            let frames = try await graph.box.status().cameras.map(\.framesReceived)
            return frames.count == 4 && frames.allSatisfy { $0 > 45 } ? true : nil
        }
        let before = try await graph.told(of: "Gate").count { $0.type == "Operational.RecordingAvailable" }
        #expect(try await graph.send("recordingTrigger") == ["Gate"])
        try await reload()
        try await graph.until("Operational.RecordingAvailable", of: "Gate", count: before + 2)
        let drain = try AdminConnection(to: graph.box)
        try drain.send("Graph", GraphBox.parameters("GraphInstanceDeactivate", ["name": "Lab"]))
        try await reload()
        #expect(try await graph.call("GraphInstanceDeactivate", named: "Gate").status == 200)
        #expect(try await drain.answer(to: "GraphInstanceDeactivate")["status"] == 200)
        for name in ["Lab", "Gate"] { #expect(try await graph.call("GraphInstanceDelete", named: name).status == 200) }
        try await reload()
    }

    // MARK: A store that fails

    private func withLab(
        cacheMiB: String, storeMiB: Int? = nil, _ body: @Sendable (GraphBox) async throws -> Void
    ) async throws {
        try await Machine.shared.place {
            try await withCameras(
                [.init("lab", clip: "demo")],
                settings: {
                    $0.cameras = []
                    $0.storeMountMiB = storeMiB
                }
            ) { box, rig in
                try await box.start()
                let graph = GraphBox(box)
                let topology = GraphTexts.continuous.replacing(
                    #""localMediaCacheMaximumSizeMiB":"2048""#, with: #""localMediaCacheMaximumSizeMiB":"\#(cacheMiB)""#
                )
                #expect(try await graph.call("GraphTopologySet", try JSONValue(parsing: topology)).status == 201)
                let text = GraphTexts.instance("Lab", of: "CVRToAMSAsset", url: try rig.url("lab"))
                #expect(try await graph.call("GraphInstanceSet", try JSONValue(parsing: text)).status == 201)
                #expect(try await graph.call("GraphInstanceActivate", named: "Lab").status == 200)
                try await body(graph)
            }
        }
    }

    @Test("a store that is away is a StorageError, what its cache then has no room for DataDropped; it goes on after")
    func away() async throws {
        // A segment of 30 s has some 7 MiB.
        try await withLab(cacheMiB: "4") { graph in
            try await graph.until("Operational.RecordingStarted", of: "Lab")
            try graph.box.takeStoreAway()
            try await graph.until("Diagnostics.StorageError", of: "Lab", within: .seconds(120))
            // The two that closed last wait for the store, whatever the cache may hold.
            try await graph.until("Diagnostics.DataDropped", of: "Lab", within: .seconds(240))
            try graph.box.giveStoreBack()
            #expect(try await graph.call("GraphInstanceDeactivate", named: "Lab").status == 200)
            let told = try await graph.told(of: "Lab").map(\.description)
            let store = "{\"storageAccountName\":\"\(graph.box.root)/store\"}"
            #expect(told.count { $0 == "Diagnostics.StorageError sinks/assetSink \(store)" } == 1, "\(told)")
            #expect(told.contains("Diagnostics.DataDropped sinks/assetSink {\"dataType\":\"media\"}"), "\(told)")
            #expect(told.count { $0.hasPrefix("Operational.RecordingStopped") } == 1, "\(told)")
        }
    }

    @Test("a store that is full is a StorageError", .enabled(if: geteuid() == 0, "mounts a tmpfs"))
    func full() async throws {
        try await withLab(cacheMiB: "2048", storeMiB: 4) { graph in
            try await graph.until("Diagnostics.StorageError", of: "Lab", within: .seconds(180))
            let told = try await graph.told(of: "Lab").map(\.description)
            let store = "{\"storageAccountName\":\"\(graph.box.root)/store\"}"
            #expect(told.contains("Diagnostics.StorageError sinks/assetSink \(store)"), "\(told)")
            #expect(!told.contains { $0.hasPrefix("Diagnostics.DataDropped") }, "\(told)")
            #expect(try await graph.state(of: "Lab") == "Active")
        }
    }
}
