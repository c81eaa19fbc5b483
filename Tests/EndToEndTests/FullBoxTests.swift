import Foundation
import JSON
import Messages
import Recording
import TestSupport
import Testing

/// As many media graphs as a box takes, 64 of them at work.
@Suite("Media graph: a full box", .showsEvidence, .timeLimit(.minutes(20)))
struct FullBoxTests {
    private static let (topologies, instances, active) = (50, 1000, 64)
    private static let names = (0..<active).map { "cam-\($0)" }
    private static let unit = ContinuousClock.Duration.milliseconds(1)

    @Test("1000 instances of 50 topologies, 64 recording: listed and got at once, and all there after each restart")
    func full() async throws {
        try await Machine.shared.place(.half) {
            let cameras = Self.names.map { CameraRig.Camera($0, clip: "h264-tiny") }
            try await withCameras(cameras, settings: { $0.cameras = [] }) { box, rig in
                try await box.start()
                let graph = GraphBox(box)
                try await fill(graph, rig)
                try await measure(graph, "0 active")
                let began = ContinuousClock.now
                try await each { name in
                    let reply = try await graph.call("GraphInstanceActivate", named: name)
                    #expect(reply.status == 200, "\(name): \(reply)")
                }
                try await box.until(Self.names, are: "recording", within: .seconds(240))
                print("media graphs: 64 record after \(ContinuousClock.now - began)")
                try await measure(graph, "64 active")
                try await killed(graph)
                try await restarted(graph)
                try await drained(graph)
            }
        }
    }

    @Test("64 gates of one input: one message gives a clip of each, with what was before it")
    func gates() async throws {
        try await Machine.shared.place(.half) {
            let cameras = Self.names.map { CameraRig.Camera($0, clip: "h264-tiny") }
            try await withCameras(cameras, settings: { $0.cameras = [] }) { box, rig in
                let files = "\(box.root)/files"
                try FileManager.default.createDirectory(atPath: files, withIntermediateDirectories: true)
                var settings = await box.settings
                settings.sections = ["graph: { filePaths: [\(files)] }"]
                try await box.configure(settings)
                try await box.start()
                let graph = GraphBox(box)
                let topology = try JSONValue(parsing: GraphTexts.gated(directory: "\(files)/evr"))
                #expect(try await graph.call("GraphTopologySet", topology).status == 201)
                try await each { name in
                    let text = GraphTexts.instance(name, of: "EVR", url: try rig.url(name))
                    let set = try await graph.call("GraphInstanceSet", try JSONValue(parsing: text))
                    let reply = try await graph.call("GraphInstanceActivate", named: name)
                    #expect(set.status == 201 && reply.status == 200, "\(name): \(reply)")
                }
                // Three seconds: more than a gate reaches back.
                try await eventually("frames for each pre-roll", within: .seconds(240), every: .seconds(1)) {
                    try await box.status().cameras.count { $0.framesReceived > 15 } == Self.active ? true : nil
                }
                try await clips(graph, in: files)
            }
        }
    }

    private func clips(_ graph: GraphBox, in folder: String) async throws {
        let began = ContinuousClock.now
        #expect(try await graph.send("recordingTrigger") == Self.names.sorted())
        print("media graphs: a message reached 64 gates within \(ContinuousClock.now - began)")
        try await eventually("64 files", within: .seconds(120), every: .seconds(1)) {
            let told = try await graph.told().filter { $0.type == "Operational.RecordingAvailable" }
            return told.count { $0.body("outputType") == "filePath" } == Self.active ? true : nil
        }
        print("media graphs: 64 clips are files \(ContinuousClock.now - began) after the message")
        let clip = try await SourceClip("h264-tiny")
        let files = SegmentFiles.all(in: folder, endings: [".mp4"])
        #expect(files.count == Self.active)
        var frames: [Int] = []
        for file in files {
            let footage = try await Footage([file], of: clip, areOurs: false)
            #expect(footage.complaints.isEmpty && footage.tracks[0].isWhole, "\(file): \(footage)")
            frames.append(footage.tracks[0].samples)
        }
        // From a second before to two seconds after, five frames a second, each of them a key.
        #expect(frames.allSatisfy { (14...18).contains($0) }, "\(frames)")
        try await each { name in
            let reply = try await graph.call("GraphInstanceDeactivate", named: name)
            #expect(reply.status == 200, "\(name): \(reply)")
        }
        let told = Dictionary(grouping: try await graph.told(), by: \.instance).mapValues { events in
            events.count { $0.type.hasPrefix("Operational.") }
        }
        // Of an asset and a file: started, stopped, available.
        #expect(told.count == Self.active && told.values.allSatisfy { $0 == 6 }, "\(told)")
    }

    /// Some calls at a time, as more clients would make.
    private func each(_ body: @escaping @Sendable (String) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, name) in Self.names.enumerated() {
                if index >= 8 { try await group.next() }
                group.addTask { try await body(name) }
            }
            try await group.waitForAll()
        }
    }

    private func fill(_ graph: GraphBox, _ rig: CameraRig) async throws {
        for index in 0..<Self.topologies {
            let payload = try JSONValue(parsing: GraphTexts.continuous).setting("name", .string("T\(index)"))
            #expect(try await graph.call("GraphTopologySet", payload).status == 201)
        }
        for index in 0..<Self.instances {
            let url = index < Self.active ? try rig.url(Self.names[index]) : "rtsp://127.0.0.1:9/\(index)"
            let text = GraphTexts.instance("Cam-\(index)", of: "T\(index % Self.topologies)", url: url)
            #expect(try await graph.call("GraphInstanceSet", try JSONValue(parsing: text)).status == 201)
        }
        let more = GraphTexts.instance("Cam-1000", of: "T0", url: "rtsp://127.0.0.1:9/")
        #expect(try await graph.call("GraphInstanceSet", try JSONValue(parsing: more)).status == 409)
    }

    /// Prints what the answers take: the machine is others' too, so only what nobody could mistake for 10 ms is wrong.
    private func measure(_ graph: GraphBox, _ what: String) async throws {
        let questions: [(String, JSONValue)] = [
            ("GraphInstanceGet", ["name": "Cam-63"]), ("GraphInstanceList", [:]), ("GraphTopologyGet", ["name": "T49"]),
            ("GraphTopologyList", [:]),
        ]
        for (method, payload) in questions {
            let connection = try AdminConnection(to: graph.box)
            var times: [Duration] = []
            var bytes = 0
            for _ in 0..<41 {
                let began = ContinuousClock.now
                try connection.send("Graph", GraphBox.parameters(method, payload))
                bytes = try await connection.answerText(to: method).count
                times.append(ContinuousClock.now - began)
            }
            let sorted = times.sorted().map { ($0 / Self.unit * 100).rounded() / 100 }
            print("media graphs, \(what): \(method) median \(sorted[20]) ms, most \(sorted[40]) ms, \(bytes) bytes")
            #expect(sorted[20] < 1000)
        }
    }

    /// How many instances are in which state, and how many topologies there are.
    private func states(_ graph: GraphBox) async throws -> [String: Int] {
        guard case .array(let all) = try await graph.call("GraphInstanceList", [:]).payload["value"],
            case .array(let topologies) = try await graph.call("GraphTopologyList", [:]).payload["value"]
        else { throw Missed("no list") }
        var count = ["topologies": topologies.filter { $0["name"] != "cvr-asset" }.count]
        for instance in all {
            guard case .string(let state) = instance["properties"]?["state"] else { continue }
            count[state, default: 0] += 1
        }
        return count
    }

    private static let all = ["topologies": topologies, "Active": active, "Inactive": instances - active]

    private func killed(_ graph: GraphBox) async throws {
        let box = graph.box
        let workers = Set(box.processes().filter { $0.camera != nil })
        #expect(workers.count == Self.active)
        try await box.endSupervisor(SIGKILL)
        let began = ContinuousClock.now
        try await box.start()
        #expect(try await states(graph) == Self.all)
        print("media graphs: all there \(ContinuousClock.now - began) after cvrd was killed and started")
        try await box.until(Self.names, are: "recording", within: .seconds(120))
        #expect(Set(box.processes().filter { $0.camera != nil }) == workers, "the same workers record on")
        try await measure(graph, "after SIGKILL")
    }

    private func restarted(_ graph: GraphBox) async throws {
        let box = graph.box
        #expect(try await box.stop() == .exited(0))
        let began = ContinuousClock.now
        try await box.start()
        #expect(try await states(graph) == Self.all)
        print("media graphs: all there \(ContinuousClock.now - began) after the box was stopped and started")
        try await box.until(Self.names, are: "recording", within: .seconds(240))
        print("media graphs: 64 record \(ContinuousClock.now - began) after the box was stopped and started")
        #expect(box.processes().filter { $0.camera != nil }.count == Self.active)
    }

    /// All are stored, whole, and nothing was lost but what the stop says.
    private func drained(_ graph: GraphBox) async throws {
        let box = graph.box
        try await each { name in
            let reply = try await graph.call("GraphInstanceDeactivate", named: name)
            #expect(reply.status == 200, "\(name): \(reply)")
        }
        #expect(try await states(graph) == ["topologies": Self.topologies, "Inactive": Self.instances])
        #expect(box.processes().allSatisfy { $0.camera == nil })
        let clip = try await SourceClip("h264-tiny")
        for name in [Self.names[0], Self.names[63]] {
            let camera = try await box.segments(of: name)
            #expect(Set(camera.map(\.session)).count >= 2, "\(name): \(camera)")
            #expect(camera.allSatisfy { $0.state == "verified" }, "\(name): \(camera)")
            for session in Set(camera.map(\.session)) {
                let files = TestBox.cached(name, session: session, in: box.root)
                let footage = try await Footage(files, of: clip)
                #expect(footage.complaints.isEmpty && footage.tracks[0].isWhole, "\(name): \(footage)")
            }
        }
        for name in Self.names {
            // A simulated camera that 64 ask at once may be slow to answer.
            let reasons = Set(try await box.gaps(of: name).map(\.reason))
            #expect(reasons.isSubset(of: ["stopped", "cameraOffline"]), "\(name): \(reasons)")
        }
        let told = try await graph.told(of: "Cam-63").map(\.type).filter { $0.hasPrefix("Operational.") }
        #expect(told == ["Started", "Available", "Stopped"].map { "Operational.Recording\($0)" }, "\(told)")
    }
}
