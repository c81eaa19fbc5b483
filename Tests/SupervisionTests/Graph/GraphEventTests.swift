import Foundation
import Glibc
import JSON
import MediaGraph
import Messages
import Recording
import Supervision
import TestSupport
import Testing

/// LVA's events, of what scripted workers and a scripted cvr-sync tell.
@Suite("Media graph: events", .timeLimit(.minutes(1)))
struct GraphEventTests {
    private static let operational = "Microsoft.Media.Graph.Operational."
    static let diagnostics = "Microsoft.Media.Graph.Diagnostics."

    @Test("session, start, availability, end: once each, in LVA's words, and not again for the next cvrd")
    func sequence() async throws {
        try await withGraphs { box, session in
            try box.say(
                "front",
                [
                    try ScriptedWorker.hello("front"), .progress(WorkerProgress(state: .recording, session: 3)),
                    .event(type: "mediaSessionEstablished", at: Clock.now, detail: "SDP:\nv=0\r\ns=x\r\n"),
                    .sessionStarted(session: 3, at: Clock.now), .sessionStarted(session: 4, at: Clock.now),
                ])
            try await session.activate("front")
            let established = try await session.events.next(Self.diagnostics + "MediaSessionEstablished")
            #expect(
                established.camera == "front"
                    && established.graph?.subject == "/graphInstances/front/sources/rtspSource")
            #expect(established.graph?.body == .object(["sdp": .string("SDP:\nv=0\r\ns=x\r\n")]))
            let started = try await session.events.next(Self.operational + "RecordingStarted")
            let graph = try #require(started.graph)
            #expect(graph.subject == "/graphInstances/front/sinks/assetSink" && graph.dataVersion == "1.0")
            #expect(graph.topic.hasPrefix("/sites/") && graph.topic.contains("/boxes/"))
            #expect(
                graph.body
                    == .object([
                        "outputType": .string("assetName"),
                        "outputLocation": .string("asset-CVRToAMSAsset-front"),
                    ]))
            try box.store([Self.cache("front", stored: 2)])
            try await session.begin()
            try box.store([Self.cache("front", stored: 3)])
            let available = try await session.events.next(Self.operational + "RecordingAvailable")
            #expect(available.graph?.body == graph.body)
            #expect(try await session.call("GraphInstanceDeactivate", Graphs.named("front")).status == 200)
            #expect(try await session.events.next(Self.operational + "RecordingStopped").graph?.body == graph.body)
            let types = session.supervisor.events.recent.map(\.type).filter { $0.hasPrefix(Self.operational) }
            #expect(types == ["RecordingAvailable", "RecordingStopped"].map { Self.operational + $0 })
        }
    }

    @Test("what cvr-sync stores while the box stops is told once, by this cvrd or by the next")
    func lastPass() async throws {
        try await withGraphs { box, session in
            try box.say(
                "front",
                [
                    try ScriptedWorker.hello("front"), .progress(WorkerProgress(state: .recording, session: 3)),
                    .sessionStarted(session: 3, at: Clock.now),
                ])
            try await session.activate("front")
            _ = try await session.events.next(Self.operational + "RecordingStarted")
            try box.store([Self.cache("front", stored: 3)], atStop: true)
            await session.end()
            var types = session.supervisor.events.recent.map(\.type)
            try await session.begin()
            #expect(try await session.call("GraphInstanceDeactivate", Graphs.named("front")).status == 200)
            types += session.supervisor.events.recent.map(\.type)
            let told = types.filter { $0.hasPrefix(Self.operational) }
            #expect(told == ["Started", "Available", "Stopped"].map { Self.operational + "Recording\($0)" })
        }
    }

    @Test("what a worker told while no cvrd listened is told, and what it told one that died of it")
    func away() async throws {
        try await withGraphs { box, session in
            try await session.activate("front")
            try await session.activate("yard")
            await session.leave()
            let progress = WorkerProgress(state: .recording, session: 3)
            try box.say(
                "front",
                [
                    try ScriptedWorker.hello("front"), .progress(progress),
                    .event(type: "mediaSessionEstablished", at: Clock.now, detail: "SDP:\nv=0\r\n"),
                ])
            try box.say("yard", [try ScriptedWorker.hello("yard"), .progress(progress), .progress(progress)])
            // The killed one kept nothing of it.
            try FileManager.default.removeItem(atPath: "\(box.root)/state/graph/recordings/yard.json")
            try await session.begin()
            for camera in ["front", "yard"] {
                let started = try await session.events.next(Self.operational + "RecordingStarted", camera: camera)
                #expect(started.graph?.body["outputLocation"] == .string("asset-CVRToAMSAsset-\(camera)"))
            }
            let established = try await session.events.next(Self.diagnostics + "MediaSessionEstablished")
            #expect(established.graph?.body == .object(["sdp": .string("SDP:\nv=0\r\n")]))
            let all = session.supervisor.events.recent
            #expect(all.count { $0.type == Self.operational + "RecordingStarted" } == 2)
        }
    }

    @Test("a camera of cvr.yaml tells the same as an instance of cvr-asset")
    func ofFile() async throws {
        try await withGraphs(cameras: "{ door: { url: rtsp://h/d } }") { box, session in
            try box.say(
                "door",
                [
                    try ScriptedWorker.hello("door"), .progress(WorkerProgress(state: .recording, session: 1)),
                    .sessionStarted(session: 1, at: Clock.now),
                ])
            _ = try await session.supervisor.change(.enable(try #require(CameraName("door")), false))
            _ = try await session.supervisor.change(.enable(try #require(CameraName("door")), true))
            let started = try await session.events.next(Self.operational + "RecordingStarted")
            #expect(started.graph?.subject == "/graphInstances/door/sinks/assetSink")
            _ = try await session.supervisor.change(.enable(try #require(CameraName("door")), false))
            _ = try await session.events.next(Self.operational + "RecordingStopped")
        }
    }

    @Test("a trouble of the camera, once")
    func troubles() async throws {
        try await withGraphs { box, session in
            var progress = WorkerProgress(state: .reconnecting, loops: 1)
            progress.lastFault = Fault(code: "authentication", message: "refused", nextStep: "x")
            progress.lastFaultAt = Clock.now
            try box.say("front", [try ScriptedWorker.hello("front"), .progress(progress), .progress(progress)])
            try await session.activate("front", password: "canary-password")
            let refused = try await session.events.next(Self.diagnostics + "ProtocolError")
            #expect(refused.graph?.body["code"] == .string("401"))
            #expect(refused.graph?.body["target"] == .string("rtsp://h/front"))
            _ = try await session.events.next(Self.diagnostics + "AuthenticationError")
            let all = session.supervisor.events.recent
            #expect(all.count { $0.type == Self.diagnostics + "ProtocolError" } == 1)
            #expect(!all.contains { "\($0)".contains("canary-password") })
        }
    }

    static func cache(_ name: String, stored: Int64? = nil, filed: Int64? = nil) -> SyncInterface.CacheState {
        SyncInterface.CacheState(
            name: name, cacheBytes: 0, pendingSegments: 0, pendingBytes: 0, oldestLocal: nil,
            storedThrough: stored.map { .init(session: $0, counter: 0) }, filedThrough: filed)
    }
}

/// Messages that open signal gates.
@Suite("Media graph: signals", .timeLimit(.minutes(1)))
struct GraphSignalTests {
    @Test(
        "a message opens the gates of its input; the worker is told the window, which lengthens, and again after a restart"
    )
    func window() async throws {
        try await withGraphs { box, session in
            let topology = Graphs.gated(directory: "\(box.root)/files/evr", minimum: "PT30S", maximum: "PT60S")
            #expect(try await session.call("GraphTopologySet", topology).status == 201)
            #expect(
                try await session.call("GraphInstanceSet", Graphs.instance("evr", of: "EVR", url: "rtsp://h/a")).status
                    == 201)
            let message = Admin.InputMessage(input: "recordingTrigger", body: .object(["door": .string("open")]))
            #expect(try await session.supervisor.send(message).instances.isEmpty, "it is not active")
            #expect(try await session.call("GraphInstanceActivate", Graphs.named("evr")).status == 200)
            let settings = try await session.configured("evr")
            #expect(settings.gate.map { $0.preRoll >= .seconds(5) } == true)
            let before = Clock.now
            #expect(try await session.supervisor.send(message).instances == ["evr"])
            #expect(try await session.supervisor.send(.init(input: "other", body: nil)).instances.isEmpty)
            let window = try await session.window("evr")
            #expect(window.from >= before - .seconds(5) && window.from <= Clock.now - .seconds(5))
            #expect(window.until - window.from == .seconds(35))
            #expect(window.asset.hasPrefix("evr-2") && window.file.hasPrefix("clip-2"), "\(window)")
            _ = try await session.supervisor.send(message)
            let longer = try await session.window("evr")
            #expect(longer.id == window.id && longer.until > window.until && longer.asset == window.asset)
            let saved = try String(contentsOfFile: "\(box.root)/state/graph/recordings/evr.json", encoding: .utf8)
            #expect(saved.contains(window.id))
            try await session.begin()
            #expect(try await session.window("evr") == longer)
            let sync = try await eventually("cvr-sync is told", every: .milliseconds(50)) {
                try box.syncConfiguration().cameras.first { $0.name == "evr" }
            }
            #expect(sync.files?.directory == "\(box.root)/files/evr" && sync.files?.maximumBytes == 64 << 20)
            #expect(try box.syncConfiguration().filePaths == ["\(box.root)/files"])
        }
    }

    @Test("windows that were closed while no cvrd listened, or to one that did not hear it, are each told")
    func closedAway() async throws {
        try await withGraphs { box, session in
            try await session.activateGated("evr", box)
            _ = try await session.supervisor.send(.init(input: "recordingTrigger", body: nil))
            let window = try await session.window("evr")
            await session.leave()
            var chronicle = Chronicle()
            for id in ["w-1", "w-2", "w-3"] {
                let past = RecordingWindow(
                    id: id, from: window.from - .seconds(90), until: window.from - .seconds(60), asset: "a-\(id)",
                    file: id, correlation: id)
                _ = chronicle.take(past, file: "\(box.root)/files/evr/\(id).mp4")
            }
            try SmallFileFixture.write(chronicle.json.text, "\(box.root)/state/graph/recordings/evr.json")
            // What it says first is lost.
            try box.close("evr", from: 4, time: 2)
            try await session.begin()
            for id in ["w-1", "w-2", "w-3"] {
                for type in ["RecordingStarted", "RecordingStopped"] {
                    let event = try await session.events.next("Microsoft.Media.Graph.Operational." + type)
                    #expect(event.graph?.correlationId == id)
                    #expect(event.graph?.body["outputLocation"] == .string("a-\(id)"))
                    _ = try await session.events.next("Microsoft.Media.Graph.Operational." + type)
                }
            }
            try await eventually("the worker is asked no more", every: .milliseconds(20)) {
                try String(contentsOfFile: "\(box.root)/state/graph/recordings/evr.json", encoding: .utf8)
                    .contains(#""isOver":false"#) ? nil : true
            }
        }
    }

    @Test("files are told of by the names that they got, each part, and of what the store has only that window's own")
    func parts() async throws {
        try await withGraphs { box, session in
            try await session.activateGated("evr", box)
            try box.close("evr", from: 7)
            let folder = "\(box.root)/files/evr"
            try box.outcomes([
                "evr 7": SyncInterface.Outcome(
                    stored: false, waiting: 1, unfiled: 0, files: ["\(folder)/x-2.mp4", "\(folder)/x-3.mp4"],
                    over: true)
            ])
            // Of a later session: a maximum says nothing of this one.
            try box.store([GraphEventTests.cache("evr", stored: 9, filed: 9)])
            _ = try await session.supervisor.send(.init(input: "recordingTrigger", body: nil))
            for path in ["\(folder)/x-2.mp4", "\(folder)/x-3.mp4"] {
                let event = try await session.events.next("Microsoft.Media.Graph.Operational.RecordingAvailable")
                #expect(event.graph?.body["outputLocation"] == .string(path))
                #expect(event.graph?.subject == "/graphInstances/evr/sinks/fileSink")
            }
            try box.outcomes([
                "evr 7": SyncInterface.Outcome(stored: true, waiting: 0, unfiled: 0, files: [], over: true)
            ])
            try box.store([GraphEventTests.cache("evr", stored: 10, filed: 9)])
            let event = try await session.events.next("Microsoft.Media.Graph.Operational.RecordingAvailable")
            #expect(event.graph?.subject == "/graphInstances/evr/sinks/assetSink")
        }
    }

    @Test("a file that is written while its instance is drained is told of, and by its sink's name")
    func lastFile() async throws {
        try await withGraphs { box, session in
            try await session.activateGated("evr", box)
            try box.close("evr", from: 7)
            let path = "\(box.root)/files/evr/x.mp4"
            var outcome = SyncInterface.Outcome(stored: true, waiting: 0, unfiled: 1, files: [], over: true)
            try box.outcomes(["evr 7": outcome])
            _ = try await session.supervisor.send(.init(input: "recordingTrigger", body: nil))
            _ = try await session.events.next("Microsoft.Media.Graph.Operational.RecordingStopped")
            (outcome.unfiled, outcome.files) = (0, [path])
            try box.outcomes(["evr 7": outcome], whenDrained: true)
            #expect(try await session.call("GraphInstanceDeactivate", Graphs.named("evr")).status == 200)
            let told = session.supervisor.events.recent.last { $0.graph?.body["outputLocation"] == .string(path) }
            #expect(told?.type == "Microsoft.Media.Graph.Operational.RecordingAvailable")
            #expect(told?.graph?.subject == "/graphInstances/evr/sinks/fileSink")
        }
    }

    @Test(
        "a message that reaches many instances reaches all their workers while the state's disk stands still",
        .enabled(if: geteuid() == 0, "freezes a disk"))
    func manyAtOnce() async throws {
        let box = try TemporaryBox()
        try SmallFileFixture.write("", "\(box.root)/state/mounted-over")
        let disk = try await FreezingDisk(at: "\(box.root)/state", image: "\(box.root)/disk")
        let result: Result<Void, any Error>
        do { result = .success(try await signalMany(box, disk)) } catch { result = .failure(error) }
        // Also when this test has run out of time: who waits for the disk could not be ended.
        await Task { await disk.remove() }.value
        try result.get()
    }

    private func signalMany(_ box: TemporaryBox, _ disk: FreezingDisk) async throws {
        try box.script("cvr-sync", ScriptedSync.program)
        try box.configure("{}", more: "graph: { filePaths: [\(box.root)/files] }")
        // 64 of them: CVR_GRAPH_INSTANCES=64.
        let count = ProcessInfo.processInfo.environment["CVR_GRAPH_INSTANCES"].flatMap { Int($0) } ?? 12
        let names = (1...count).map { "camera\($0)" }
        let waiting = IngestToSupervisor.progress(WorkerProgress(state: .reconnecting, loops: 1))
        for name in names { try box.say(name, [try ScriptedWorker.hello(name), waiting]) }
        try await withSession(box, lastWrites: .milliseconds(100)) { session in
            for name in names { try await session.activateGated(name, box) }
            try await disk.freeze()
            let began = ContinuousClock.now
            let send = { [supervisor = session.supervisor] in
                Task { try await supervisor.send(.init(input: "recordingTrigger", body: nil)) }
            }
            let sent = send()
            for name in names { _ = try await session.window(name) }
            print("media graphs: \(count) workers heard of a message within \(ContinuousClock.now - began)")
            try await disk.thaw()
            #expect(try await sent.value.instances.count == names.count)
            try await disk.freeze()
            let given = send()
            _ = try await session.window(names[0])
            given.cancel()
            await #expect(throws: ChangeRefusal.self) { try await given.value }
            // The session ends while the disk stands still.
        }
    }

    @Test("workers hear of a message before any disk does, and its sender hears when that fails")
    func workersFirst() async throws {
        try await withGraphs { box, session in
            try await session.activateGated("evr", box)
            let recordings = "\(box.root)/state/graph/recordings"
            try FileManager.default.removeItem(atPath: recordings)
            try SmallFileFixture.write("in the way", recordings)
            await #expect(throws: ChangeRefusal.self) {
                _ = try await session.supervisor.send(.init(input: "recordingTrigger", body: nil))
            }
            #expect(try await session.window("evr").until > Clock.now)
        }
    }

    @Test("a gate with an evaluation window settles by itself")
    func settles() async throws {
        try await withGraphs { box, session in
            let topology = Graphs.gated(directory: "\(box.root)/files/evr", evaluation: "PT1S")
            #expect(try await session.call("GraphTopologySet", topology).status == 201)
            _ = try await session.call("GraphInstanceSet", Graphs.instance("evr", of: "EVR", url: "rtsp://h/a"))
            #expect(try await session.call("GraphInstanceActivate", Graphs.named("evr")).status == 200)
            _ = try await session.configured("evr")
            // What is no time is a property like any other.
            _ = try await session.supervisor.send(
                .init(input: "recordingTrigger", body: nil, properties: ["eventTime": "noon"]))
            #expect(try await session.window("evr").until > Clock.now)
        }
    }

    @Test("a message that opens a gate goes out by the sink behind it, on disk before its sender has an answer")
    func passedOn() async throws {
        try await withGraphs { box, session in
            try await session.activateGated("evr", box)
            let body = JSONValue.object(["door": .string("open")])
            _ = try await session.supervisor.send(.init(input: "recordingTrigger", body: body))
            let kept = try await session.supervisor.spool.events(for: "anybody").map(\.event)
            let event = try #require(kept.last { $0.type == "Microsoft.Media.Graph.Analytics.Inference" }?.graph)
            #expect(event.body["door"] == .string("open") && event.output == "out")
            #expect(event.subject == "/graphInstances/evr/sources/hub")
            let window = try await session.window("evr")
            #expect(event.correlationId == window.correlation)
        }
    }

    @Test("what is no message is refused")
    func refused() async throws {
        try await withGraphs { _, session in
            let wrong: [Admin.InputMessage] = [
                .init(input: "", body: nil), .init(input: "a", body: .string(String(repeating: "x", count: 300 << 10))),
            ]
            for message in wrong {
                await #expect(throws: ChangeRefusal.self) { _ = try await session.supervisor.send(message) }
            }
        }
    }
}

extension Session {
    /// Sets an instance that records by messages of the input `recordingTrigger`, and activates it.
    mutating func activateGated(_ name: String, _ box: TemporaryBox) async throws {
        let topology = Graphs.gated(directory: "\(box.root)/files/evr", minimum: "PT30S", maximum: "PT60S")
        _ = try await call("GraphTopologySet", topology)
        _ = try await call("GraphInstanceSet", Graphs.instance(name, of: "EVR", url: "rtsp://h/a"))
        #expect(try await call("GraphInstanceActivate", Graphs.named(name)).status == 200)
        _ = try await configured(name)
    }

    /// The window that a worker is told next.
    mutating func window(_ camera: String) async throws -> RecordingWindow {
        while true {
            let message = try ScriptedWorker.message(try await events.next("heard", camera: camera))
            if case .window(let window) = message { return window }
        }
    }
}

private enum Clock {
    static var now: WallTime { WallTime(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) }
}
