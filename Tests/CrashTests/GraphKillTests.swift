import Foundation
import FragmentedMP4
import JSON
import Messages
import TestSupport
import Testing

/// Killed with SIGKILL while an instance of a media graph changes: nothing is lost, and every event is told.
@Suite("Media graph: killed", .showsEvidence, .timeLimit(.minutes(20)))
struct GraphKillTests {
    /// What has come of a call when cvrd is killed.
    enum Moment: String, CaseIterable, Sendable {
        /// It is on its way.
        case asked
        /// The new state is on disk.
        case written
        /// The worker is there, or is gone.
        case worker
        /// Activated: it was answered. Deactivated: cvr-sync was refused by the store.
        case settled
        /// Activated: the camera sends media. Deactivated: cvrd is not killed at all.
        case late
    }

    private static let recording = ["Started", "Available", "Stopped"].map { "Operational.Recording\($0)" }

    private func withFront(
        _ topology: @Sendable (Box) -> String, _ body: @Sendable (GraphBox, SourceClip) async throws -> Void
    ) async throws {
        try await Machine.shared.place {
            let clip = try await SourceClip("h264-aac")
            try await withCameras([.init("front", clip: clip.name)], settings: { $0.cameras = [] }) { box, rig in
                try FileManager.default.createDirectory(atPath: "\(box.root)/files", withIntermediateDirectories: true)
                var settings = await box.settings
                settings.sections = ["graph: { filePaths: [\(box.root)/files] }"]
                try await box.configure(settings)
                try await box.start()
                let graph = GraphBox(box)
                let payload = try JSONValue(parsing: topology(box))
                #expect(try await graph.call("GraphTopologySet", payload).status == 201)
                let text = GraphTexts.instance(
                    "Front", of: payload["name"] == "EVR" ? "EVR" : "CVRToAMSAsset", url: try rig.url("front"))
                #expect(try await graph.call("GraphInstanceSet", try JSONValue(parsing: text)).status == 201)
                try await body(graph, clip)
            }
        }
    }

    // MARK: Activation

    @Test(
        "cvrd while it activates: the next one has it active, or as before; it records once", arguments: Moment.allCases
    )
    func activation(moment: Moment) async throws {
        try await withFront({ _ in GraphTexts.continuous }) { graph, clip in
            let box = graph.box
            let call = try AdminConnection(to: box)
            try call.send("Graph", GraphBox.parameters("GraphInstanceActivate", ["name": "Front"]))
            switch moment {
            case .asked: break
            case .written: try await state(box, isOneOf: ["Activating", "Active"])
            case .worker:
                try await eventually("a worker", every: .milliseconds(2)) {
                    box.processes().contains { $0.camera == "front" } ? true : nil
                }
            case .settled: #expect(try await call.answer(to: "GraphInstanceActivate")["status"] == 200)
            case .late: try await graph.event("Microsoft.Media.Graph.Diagnostics.MediaSessionEstablished")
            }
            try await box.endSupervisor(SIGKILL)
            try await box.start()
            // Nobody was promised anything: it may be asked for again.
            if moment == .asked, try await graph.state(of: "Front") == "Inactive" {
                #expect(try await graph.call("GraphInstanceActivate", named: "Front").status == 200)
            }
            #expect(try await graph.state(of: "Front") == "Active")
            try await box.until(["front"], are: "recording")
            #expect(box.processes().filter { $0.camera == "front" }.count == 1)
            try await eventually("frames", within: .seconds(60)) {
                try await box.status(of: "front").framesReceived > 100 ? true : nil
            }
            #expect(try await graph.call("GraphInstanceDeactivate", named: "Front").status == 200)
            try await checkStored(graph, clip)
            // A worker says it once: who hears of it and dies in that moment has it nowhere.
            if moment != .late {
                let told = try await graph.told(of: "Front")
                #expect(told.contains { $0.type == "Diagnostics.MediaSessionEstablished" }, "\(told)")
            }
        }
    }

    /// Waits for an instance's state on disk.
    private func state(_ box: Box, isOneOf states: [String]) async throws {
        let path = "\(box.root)/state/graph/instances/front.json"
        try await eventually("\(states[0]) on disk", every: .milliseconds(2)) {
            let text = try String(contentsOfFile: path, encoding: .utf8)
            return states.contains { text.contains("\"\($0)\"") } ? true : nil
        }
    }

    /// All that the cache has is in the store, whole; and all was told, an event that a crash may have hidden twice.
    private func checkStored(_ graph: GraphBox, _ clip: SourceClip) async throws {
        let box = graph.box
        let objects = SegmentFiles.all(in: "\(box.root)/store/test/asset-CVRToAMSAsset-Front", endings: [".mp4"])
        let cached = SegmentFiles.all(in: "\(box.root)/cache/front")
        #expect(!objects.isEmpty && objects.count == cached.count, "\(objects) \(cached)")
        // The worker that the first cvrd began is the one that records.
        let sessions = Set(try await box.segments(of: "front").map(\.session))
        #expect(sessions.count == 1, "\(sessions)")
        let footage = try await Footage(objects, of: clip)
        #expect(footage.complaints.isEmpty && footage.tracks.allSatisfy(\.isWhole), "\(footage)")
        let told = try await graph.told(of: "Front")
        let recording = told.map(\.type).filter { $0.hasPrefix("Operational.") }
        let once = recording.enumerated().filter { $0 == 0 || recording[$0 - 1] != $1 }.map(\.element)
        #expect(once == Self.recording, "\(told)")
        #expect(recording.count { $0 == Self.recording[2] } == 1, "\(told)")
    }

    @Test("and nothing at all, but a box that is stopped and started: each event once")
    func stop() async throws {
        try await withFront({ _ in GraphTexts.continuous }) { graph, clip in
            #expect(try await graph.call("GraphInstanceActivate", named: "Front").status == 200)
            for round in 1...2 {
                try await eventually("frames", within: .seconds(60)) {
                    let front = try await graph.box.status(of: "front")
                    return front.session == round && front.framesReceived > 100 ? true : nil
                }
                // The last pass stores what there is of it.
                #expect(try await graph.box.stop() == .exited(0))
                try await graph.box.start()
                #expect(try await graph.state(of: "Front") == "Active")
            }
            try await graph.box.until(["front"], are: "recording")
            #expect(try await graph.call("GraphInstanceDeactivate", named: "Front").status == 200)
            let told = try await graph.told(of: "Front").map(\.type).filter { $0.hasPrefix("Operational.") }
            #expect(told == Self.recording, "\(told)")
        }
    }

    // MARK: Drain

    @Test(
        "cvrd while it drains with the store away: it goes on, and is Inactive once all is stored",
        arguments: Moment.allCases)
    func drain(moment: Moment) async throws {
        try await withFront({ _ in GraphTexts.continuous }) { graph, clip in
            let box = graph.box
            #expect(try await graph.call("GraphInstanceActivate", named: "Front").status == 200)
            try await eventually("frames", within: .seconds(60)) {
                try await box.status(of: "front").framesReceived > 100 ? true : nil
            }
            try box.takeStoreAway()
            let call = try AdminConnection(to: box)
            try call.send("Graph", GraphBox.parameters("GraphInstanceDeactivate", ["name": "Front"]))
            try await reach(moment, of: box)
            if moment != .late {
                try await box.endSupervisor(SIGKILL)
                try await box.start()
            }
            if moment == .asked, try await graph.state(of: "Front") == "Active" {
                let again = try AdminConnection(to: box)
                try again.send("Graph", GraphBox.parameters("GraphInstanceDeactivate", ["name": "Front"]))
            }
            try await graph.until("Front", is: "Deactivating")
            try await eventually("the worker is gone") {
                box.processes().contains { $0.camera == "front" } ? nil : true
            }
            #expect(try await graph.state(of: "Front") == "Deactivating")
            #expect(try await graph.call("GraphInstanceDelete", named: "Front").status == 409)
            #expect(try await !graph.told(of: "Front").contains { $0.type == Self.recording[2] })
            try box.giveStoreBack()
            if moment == .late {
                #expect(try await call.answer(to: "GraphInstanceDeactivate")["status"] == 200)
            }
            try await graph.until("Front", is: "Inactive")
            try await checkStored(graph, clip)
            #expect(try await graph.call("GraphInstanceDelete", named: "Front").status == 200)
        }
    }

    private func reach(_ moment: Moment, of box: Box) async throws {
        switch moment {
        case .asked: break
        case .written: try await state(box, isOneOf: ["Deactivating"])
        case .worker:
            try await eventually("the worker is gone", every: .milliseconds(2)) {
                box.processes().contains { $0.camera == "front" } ? nil : true
            }
        case .settled, .late:
            _ = try await box.events.first("the store is away", within: .seconds(60)) {
                $0.contains("\"storeAway\"") ? true : nil
            }
        }
    }

    // MARK: Window

    @Test("a worker within an open window: the next one goes on with it; each event once, with one correlation id")
    func window() async throws {
        try await withFront({
            GraphTexts.gated(directory: "\($0.root)/files/evr", minimum: "PT20S", maximum: "PT20S")
        }) { graph, clip in
            let box = graph.box
            #expect(try await graph.call("GraphInstanceActivate", named: "Front").status == 200)
            try await eventually("frames", within: .seconds(60)) {
                try await box.status(of: "front").framesReceived > 100 ? true : nil
            }
            #expect(try await graph.send("recordingTrigger") == ["Front"])
            try await graph.until("Operational.RecordingStarted", of: "Front", count: 2)
            let worker = try box.worker(of: "front")
            // Some of it is on disk.
            try await eventually("footage of the window", within: .seconds(30)) {
                let files = SegmentFiles.all(in: "\(box.root)/cache/front")
                return files.contains { ((try? SegmentFiles.read($0))?.fragments.count ?? 0) > 2 } ? true : nil
            }
            kill(worker.pid, SIGKILL)
            try await eventually("the next worker") {
                box.processes().contains { $0.camera == "front" && $0 != worker } ? true : nil
            }
            try await graph.until("Operational.RecordingStopped", of: "Front", count: 2)
            try await graph.until("Operational.RecordingAvailable", of: "Front", count: 3)
            #expect(try await graph.call("GraphInstanceDeactivate", named: "Front").status == 200)
            try await checkWindow(graph, clip)
        }
    }

    private func checkWindow(_ graph: GraphBox, _ clip: SourceClip) async throws {
        let box = graph.box
        let told = try await graph.told(of: "Front")
        let files = SegmentFiles.all(in: "\(box.root)/files", endings: [".mp4"])
        for type in Self.recording {
            let places = Dictionary(grouping: told.filter { $0.type == type }) { $0.body("outputType") }
                .mapValues { events in events.map { $0.body("outputLocation") }.sorted() }
            #expect(places["assetName"]?.count == 1, "\(type): \(told)")
            // Of each session's file is told that it is there.
            if type == Self.recording[1] {
                #expect(places["filePath"] == files.sorted(), "\(told)")
            } else {
                #expect(places["filePath"]?.count == 1, "\(type): \(told)")
            }
        }
        let operational = told.filter { $0.type.hasPrefix("Operational.") }
        #expect(Set(operational.map(\.envelope.correlationId)).count == 1, "\(operational.map(\.envelope))")
        let sessions = Dictionary(grouping: TestBox.closed(try await box.segments(of: "front")), by: \.session)
        #expect(sessions.count == 2, "\(sessions.keys)")
        #expect(files.count == 2, "\(files)")
        var seconds = 0.0
        for segments in sessions.values {
            let footage = try await Footage(segments.map { TestBox.object($0, in: box.root) }, of: clip)
            #expect(footage.complaints.isEmpty && footage.tracks[0].isWhole, "\(footage)")
            seconds += segments.reduce(0) { $0 + $1.duration }
        }
        // From a keyframe at or before a second before the message, less what the worker had in hand and its restart.
        #expect((15...23).contains(seconds), "\(seconds) s")
        let reasons = Set(try await box.gaps(of: "front").map(\.reason))
        #expect(reasons.contains("workerCrash"), "\(reasons)")
        print("window: \(seconds) s in \(sessions.count) sessions, files \(files), gaps \(reasons)")
    }
}
