import Foundation
import Glibc
import JSON
import MediaGraph
import Messages
import Recording
import Supervision
import TestSupport
import Testing

/// What the next cvrd makes of media graphs on disk.
@Suite("Media graph: after a restart", .timeLimit(.minutes(1)))
struct GraphLoadingTests {
    private let canary = "canary-\(UUID())"

    @Test("without the key workers record on, and are taken over by a reload once it is back")
    func lostKey() async throws {
        try await withGraphs { box, session in
            try await session.activate("front", password: canary)
            let worker = try #require(try await session.camera("front").pid)
            let key = "\(box.root)/state/credentials/graph-key"
            await session.leave()
            try FileManager.default.moveItem(atPath: key, toPath: key + ".away")
            try await session.begin()
            let told = try await session.events.next("graphsNotRead")
            #expect(told.detail.contains("graph-key") && told.detail.contains("cvrctl reload"), "\(told.detail)")
            #expect(await session.supervisor.cameras().cameras.isEmpty)
            _ = try await session.supervisor.change(.reload)
            #expect(kill(pid_t(worker), 0) == 0, "it is no stray")
            try FileManager.default.moveItem(atPath: key + ".away", toPath: key)
            _ = try await session.supervisor.change(.reload)
            #expect(try await session.configured("front").password.revealed() == canary)
            #expect(try await session.camera("front").pid == worker)
            #expect(try await session.state(of: "front") == "Active")
        }
    }

    @Test("with another key workers record on, and nothing is set with it until the one that it was is back")
    func wrongKey() async throws {
        try await withGraphs { box, session in
            try await session.activate("front", password: canary)
            let worker = try #require(try await session.camera("front").pid)
            let key = "\(box.root)/state/credentials/graph-key"
            await session.leave()
            try FileManager.default.moveItem(atPath: key, toPath: key + ".away")
            try SmallFileFixture.write(GraphSeal.makeKey().revealed(), key)
            try await session.begin()
            let told = try await session.events.next("graphsNotRead")
            #expect(told.detail.contains("graph-key") && told.detail.contains("cvrctl reload"), "\(told.detail)")
            _ = try await session.supervisor.change(.reload)
            #expect(kill(pid_t(worker), 0) == 0, "it is no stray")
            #expect(try await session.call("GraphTopologySet", Graphs.continuous("other")).status == 500)
            try FileManager.default.removeItem(atPath: key)
            try FileManager.default.moveItem(atPath: key + ".away", toPath: key)
            _ = try await session.supervisor.change(.reload)
            #expect(try await session.configured("front").password.revealed() == canary)
            #expect(try await session.camera("front").pid == worker)
        }
    }

    @Test("a key that is removed while cvrd runs is put back by the next secret that is set")
    func removedKey() async throws {
        try await withGraphs { box, session in
            try await session.activate("front", password: canary)
            try FileManager.default.removeItem(atPath: "\(box.root)/state/credentials/graph-key")
            try await session.activate("yard", password: canary)
            try await session.begin()
            for name in ["front", "yard"] {
                #expect(try await session.configured(name).password.revealed() == canary)
            }
        }
    }

    @Test("an active instance keeps its name when a file takes it meanwhile, and no change waits for that")
    func name() async throws {
        try await withGraphs { box, session in
            try await session.activate("front")
            await session.leave()
            let more = "graph: { filePaths: [\(box.root)/files] }"
            try box.configure("{ front: { url: rtsp://h/other }, door: { url: rtsp://h/d } }", more: more)
            try await session.begin()
            let told = try await session.events.next("configurationRefused", camera: "front")
            #expect(told.detail.contains("instance front"), "\(told.detail)")
            #expect(try await session.configured("front").url == "rtsp://h/front")
            let door = try #require(CameraName("door"))
            #expect(try await session.supervisor.change(.enable(door, false)).changed == ["door"])
            _ = try await session.supervisor.change(.reload)
            #expect(try await session.call("GraphInstanceDeactivate", Graphs.named("front")).status == 200)
            #expect(try await session.supervisor.change(.reload).added == ["front"])
        }
    }

    @Test("a camera of a file with an active instance's name or asset is left out; nothing else is")
    func leftOut() async throws {
        try await withGraphs(cameras: "{ door: { url: rtsp://h/d } }") { box, session in
            let topology = Graphs.continuous("fixed", asset: "one${System.GraphTopologyName}")
            #expect(try await session.call("GraphTopologySet", topology).status == 201)
            _ = try await session.call("GraphInstanceSet", Graphs.instance("a", of: "fixed", url: "rtsp://h/x"))
            #expect(try await session.call("GraphInstanceActivate", Graphs.named("a")).status == 200)
            try box.configure(
                "{ a: { url: rtsp://h/x }, onefixed: { url: rtsp://h/y }, yard: { url: rtsp://h/y } }")
            let reloaded = try await session.supervisor.change(.reload)
            #expect(reloaded.removed == ["door"] && reloaded.added == ["yard"] && reloaded.changed.isEmpty)
            for name in ["a", "onefixed"] {
                let event = try await session.events.next("configurationRefused", camera: name)
                #expect(event.detail.contains("cvrctl graph instance deactivate a"), "\(event.detail)")
                #expect(reloaded.refused?.contains(event.detail) == true, "\(reloaded)")
            }
            #expect(
                try await session.supervisor.change(.enable(try #require(CameraName("yard")), false)).changed == [
                    "yard"
                ])
            try box.configure("{}")
            #expect(try await session.supervisor.change(.reload).removed == ["yard"])
            #expect(await session.supervisor.cameras().cameras.map(\.name) == ["a"], "a reload keeps instances")
        }
    }

    @Test("an instance that cannot resume stays as it was, runs after a reload that mends it, and can be deactivated")
    func held() async throws {
        try await withGraphs { box, session in
            let topology = Graphs.gated(directory: "\(box.root)/files/evr")
            #expect(try await session.call("GraphTopologySet", topology).status == 201)
            _ = try await session.call("GraphInstanceSet", Graphs.instance("evr", of: "EVR", url: "rtsp://h/a"))
            #expect(try await session.call("GraphInstanceActivate", Graphs.named("evr")).status == 200)
            await session.leave()
            try box.configure("{}")
            try await session.begin()
            let told = try await session.events.next("graphNotActivated")
            #expect(told.detail.contains("stays Active") && told.detail.contains("filePaths"), "\(told.detail)")
            #expect(try await session.state(of: "evr") == "Active")
            #expect(await session.supervisor.cameras().cameras.isEmpty)
            let more = "graph: { filePaths: [\(box.root)/files] }"
            try box.configure("{}", more: more)
            _ = try await session.supervisor.change(.reload)
            #expect(await session.supervisor.cameras().cameras.map(\.name) == ["evr"])
            await session.leave()
            try box.configure("{}")
            try await session.begin()
            #expect(try await session.call("GraphInstanceDeactivate", Graphs.named("evr")).status == 200)
            #expect(try await session.state(of: "evr") == "Inactive")
        }
    }

    @Test("cameras of files do not wait for media graphs, which come when they are read")
    func late() async throws {
        try await withGraphs(cameras: "{ door: { url: rtsp://h/d } }") { _, session in
            try await session.activate("front")
            let worker = try await session.camera("front").pid
            try await session.begin(graphPatience: .zero)
            // What was there at the start is not told as added.
            _ = try await session.events.next("cameraAdded", camera: "front")
            _ = try await session.configured("front")
            #expect(!session.supervisor.events.recent.contains { $0.type == "cameraAdded" && $0.camera == "door" })
            #expect(try await session.camera("front").pid == worker)
            #expect(try await session.state(of: "front") == "Active")
        }
    }

    @Test("until media graphs are read no message is taken, and nothing of recordings told or written; then it goes on")
    func unread() async throws {
        try await withGraphs(cameras: "{ door: { url: rtsp://h/d } }") { box, session in
            _ = try await session.configured("door")
            await session.leave()
            var chronicle = Chronicle()
            chronicle.begin(asset: "door")
            _ = chronicle.sessionStarted(3)
            _ = chronicle.reached(
                SyncInterface.Outcome(stored: true, waiting: 0, unfiled: 0, files: [], over: false), of: 3...3)
            let (graph, before) = ("\(box.root)/state/graph", chronicle.json.text)
            let recording = "\(graph)/recordings/door.json"
            try SmallFileFixture.write(before, recording)
            try SmallFileFixture.write("in the way", "\(graph)/topologies")
            let progress = IngestToSupervisor.progress(WorkerProgress(state: .recording, session: 4))
            try box.say("door", [try ScriptedWorker.hello("door"), progress])
            try await session.begin()
            _ = try await session.events.next("graphsNotRead")
            _ = try await session.events.next("heard", camera: "door")
            await #expect(throws: ChangeRefusal.self) {
                _ = try await session.supervisor.send(.init(input: "recordingTrigger", body: nil))
            }
            #expect(try String(contentsOfFile: recording, encoding: .utf8) == before)
            try FileManager.default.removeItem(atPath: "\(graph)/topologies")
            _ = try await session.supervisor.change(.reload)
            #expect(try await session.state(of: "door") == "Active")
            let known = try await eventually("what was heard meanwhile is known", every: .milliseconds(20)) {
                let text = try String(contentsOfFile: recording, encoding: .utf8)
                return text.contains(#""last":4"#) ? text : nil
            }
            #expect(known.contains(#""first":3"#) && known.contains(#""isStored":true"#), "\(known)")
            let told = session.supervisor.events.recent.filter { $0.type.contains(".Operational.Recording") }
            #expect(told.isEmpty, "\(told)")
        }
    }

    @Test("a reload that comes while an instance is activated counts for that one too")
    func activatedMeanwhile() async throws {
        try await withGraphs { box, session in
            let topology = Graphs.gated(directory: "\(box.root)/files/evr")
            #expect(try await session.call("GraphTopologySet", topology).status == 201)
            _ = try await session.call("GraphInstanceSet", Graphs.instance("evr", of: "EVR", url: "rtsp://h/a"))
            let (entered, enter) = AsyncStream.makeStream(of: Void.self)
            let disk = DispatchSemaphore(value: 0)
            // The disk of its folder stands still.
            let held = Task { [supervisor = session.supervisor] in
                await supervisor.disks.look(at: "\(box.root)/files", atMost: .seconds(20)) {
                    enter.finish()
                    disk.wait()
                }
            }
            for await _ in entered {}
            let activated = session.begun("GraphInstanceActivate", try Graphs.json(Graphs.named("evr")))
            try await eventually("it is being activated", every: .milliseconds(10)) {
                try await session.state(of: "evr") == "Activating" ? true : nil
            }
            try box.configure("{}", more: "graph: { filePaths: [\(box.root)/files] }\ndefaults: { retention: P7D }")
            _ = try await session.supervisor.change(.reload)
            disk.signal()
            _ = await held.value
            #expect(await activated.value.status == 200)
            try await eventually("cvr-sync is told", every: .milliseconds(20)) {
                // It may be on its way.
                let told = try? box.syncConfiguration().cameras.first { $0.name == "evr" }
                return told?.retention == 7 * 86400 ? true : nil
            }
        }
    }

    @Test("what changes while cvr-sync takes over its configuration reaches it")
    func configuredMeanwhile() async throws {
        try await withGraphs(cameras: "{ door: { url: rtsp://h/d } }") { box, session in
            _ = try await session.configured("door")
            let calls = { (try? box.syncCalls().count { $0 == "Configure" }) ?? 0 }  // None before the first.
            try await eventually("it has one", every: .milliseconds(20)) { calls() > 0 ? true : nil }
            let before = calls()
            let hold = "\(box.root)/bin/hold"
            #expect(mkfifo(hold, 0o600) == 0)
            try await session.begin()
            try await eventually("it is told another", every: .milliseconds(20)) { calls() > before ? true : nil }
            _ = try await session.supervisor.change(.enable(try #require(CameraName("door")), false))
            let release = open(hold, O_WRONLY)
            unlink(hold)
            close(release)
            try await eventually("it knows", every: .milliseconds(20)) {
                try box.syncConfiguration().cameras.map(\.recorded) == [false] ? true : nil
            }
        }
    }

    @Test("a reload says which instances write files where none may be written any more")
    func filePaths() async throws {
        try await withGraphs { box, session in
            try await session.activateGated("evr", box)
            let graph = try await session.camera("evr").graph
            let name = try #require(graph).topology
            #expect(graph == Admin.GraphState(instance: "evr", topology: name, state: "Active", gate: "closed"))
            try box.configure("{}")
            let reloaded = try await session.supervisor.change(.reload)
            let told = try await session.events.next("configurationRefused", camera: "evr")
            #expect(reloaded.refused == [told.detail])
            #expect(told.detail.contains("files/evr") && told.detail.contains("filePaths"), "\(told.detail)")
        }
    }

    @Test("an instance whose camera was never recorded here is drained, though nothing made the cache's folder")
    func neverRecorded() async throws {
        try await withGraphs { box, session in
            let topology = Graphs.gated(directory: "\(box.root)/files/evr")
            #expect(try await session.call("GraphTopologySet", topology).status == 201)
            _ = try await session.call("GraphInstanceSet", Graphs.instance("evr", of: "EVR", url: "rtsp://h/a"))
            #expect(try await session.call("GraphInstanceActivate", Graphs.named("evr")).status == 200)
            await session.leave()
            try box.configure("{}")
            for place in ["cache", "state/identities"] {
                // Made or not by the time cvrd was left: it is as if it never was.
                try? FileManager.default.removeItem(atPath: "\(box.root)/\(place)")
            }
            try await session.begin()
            #expect(try await session.call("GraphInstanceDeactivate", Graphs.named("evr")).status == 200)
        }
    }

    @Test("what cannot be told of is not recorded: the chronicle is on disk first")
    func chronicleFirst() async throws {
        try await withGraphs { box, session in
            let recordings = "\(box.root)/state/graph/recordings"
            #expect(try await session.call("GraphTopologySet", Graphs.continuous()).status == 201)
            _ = try await session.call("GraphInstanceSet", Graphs.instance("front", url: "rtsp://h/a"))
            try SmallFileFixture.write("in the way", recordings)
            #expect(try await session.call("GraphInstanceActivate", Graphs.named("front")).status == 500)
            #expect(try await session.state(of: "front") == "Inactive")
            #expect(await session.supervisor.cameras().cameras.isEmpty)
            try FileManager.default.removeItem(atPath: recordings)
            #expect(try await session.call("GraphInstanceActivate", Graphs.named("front")).status == 200)
            #expect(FileManager.default.fileExists(atPath: recordings + "/front.json"))
        }
    }
}
