import Foundation
import Isolation
import JSON
import MediaGraph
import Messages
import Recording
import Supervision
import TestSupport
import Testing

/// Instances of media graphs as cameras, with scripted workers and a scripted cvr-sync.
@Suite("Media graph: instances as cameras", .timeLimit(.minutes(1)))
struct GraphEngineTests {
    private let canary = "canary-\(UUID())"

    @Test("an instance is set, recorded while it is active, drained, and deleted; LVA's answers")
    func life() async throws {
        try await withGraphs { box, session in
            #expect(try await session.call("GraphTopologySet", Graphs.continuous()).status == 201)
            let set = try await session.call(
                "GraphInstanceSet", Graphs.instance("Front", url: "rtsp://h/a", password: canary))
            #expect(set.status == 201 && !set.text.contains(canary))
            #expect(try await session.call("GraphInstanceActivate", Graphs.named("FRONT")).status == 200)
            let settings = try await session.configured("front")
            #expect(settings.url == "rtsp://h/a" && settings.password.revealed() == canary)
            #expect(settings.cacheBudgetBytes == 64 << 20 && settings.segmentLength == .seconds(30))
            #expect(settings.sessionAsset == "asset-CVRToAMSAsset-Front", "each session says where it goes")
            let listed = try #require(await session.supervisor.cameras().cameras.first)
            #expect(listed.name == "front" && listed.asset == "asset-CVRToAMSAsset-Front")
            #expect(listed.origin.contains("instance Front"))
            #expect(try await session.state(of: "front") == "Active")
            #expect(try await session.call("GraphInstanceDelete", Graphs.named("Front")).status == 409)
            // It has something to store, and waits.
            try box.store([cache("front", pending: 1)])
            let deactivated = session.begun("GraphInstanceDeactivate", try Graphs.json(Graphs.named("Front")))
            try await eventually("it drains", every: .milliseconds(20)) {
                try await session.state(of: "front") == "Deactivating" ? true : nil
            }
            #expect(try await session.call("GraphInstanceActivate", Graphs.named("Front")).status == 409)
            try box.store([cache("front", pending: 0)])
            #expect(await deactivated.value.status == 200)
            #expect(await session.supervisor.cameras().cameras.isEmpty)
            #expect(try await session.state(of: "front") == "Inactive")
            #expect(try await session.call("GraphInstanceDelete", Graphs.named("Front")).status == 200)
            #expect(try await session.call("GraphTopologyDelete", Graphs.named("CVRToAMSAsset")).status == 200)
        }
    }

    @Test("a cache that cvr-sync has not looked at yet is not drained, and neither one that it counts as recorded")
    func unknown() async throws {
        try await withGraphs { box, session in
            try await session.activate("front")
            try box.store([])
            let deactivated = session.begun("GraphInstanceDeactivate", try Graphs.json(Graphs.named("front")))
            try await untilAsked(box)
            #expect(try await session.state(of: "front") == "Deactivating")
            #expect(try box.syncConfiguration().cameras.map(\.recorded) == [false])
            try box.store([cache("front", pending: 0, recorded: true)])
            try await untilAsked(box)
            #expect(try await session.state(of: "front") == "Deactivating")
            #expect(try box.syncCalls().count { $0 == "Now" } == 1, "the store is not tried for each question")
            try box.store([cache("front", pending: 0)])
            #expect(await deactivated.value.status == 200)
        }
    }

    @Test("a cvr-sync that was killed is followed by one that hears what changes later")
    func syncKilled() async throws {
        try await withGraphs { box, session in
            try await session.activate("front")
            let asked = try await told(box, after: 0)
            kill(try #require(await session.supervisor.status().sync.pid.flatMap { Int32(exactly: $0) }), SIGKILL)
            _ = try await told(box, after: asked)
            try await session.activate("yard")
            try await eventually("it hears of another camera", every: .milliseconds(20)) {
                try box.syncConfiguration().cameras.contains { $0.name == "yard" } ? true : nil
            }
        }
    }

    /// How often cvr-sync was called when it was configured and asked some times after so many calls.
    private func told(_ box: TemporaryBox, after calls: Int) async throws -> Int {
        try await eventually("cvr-sync is told and asked", every: .milliseconds(50)) {
            guard let all = try? box.syncCalls() else { return nil }  // not called at all yet
            let new = all.dropFirst(calls)
            return new.contains("Configure") && new.count { $0 == "Status" } > 1 ? all.count : nil
        }
    }

    /// By cvrd's row of the process, and by who drains, some times each.
    private func untilAsked(_ box: TemporaryBox) async throws {
        // It may not have been called at all yet.
        let calls = { (try? box.syncCalls()) ?? [] }
        let before = calls().count { $0 == "Status" }
        try await eventually("cvr-sync is asked how far it is", every: .milliseconds(50)) {
            calls().count { $0 == "Status" } > before + 4 && calls().contains("Now") ? true : nil
        }
    }

    @Test("the next cvrd takes over the workers of active instances, and goes on draining")
    func restart() async throws {
        try await withGraphs { box, session in
            try await session.activate("front", password: canary)
            try await session.activate("yard")
            let worker = try await session.camera("front").pid
            try box.store([cache("yard", pending: 1)])
            let draining = session.begun("GraphInstanceDeactivate", try Graphs.json(Graphs.named("yard")))
            try await eventually("it drains", every: .milliseconds(20)) {
                try await session.state(of: "yard") == "Deactivating" ? true : nil
            }
            try await session.begin()
            #expect(await draining.value.status == 503)
            let settings = try await session.configured("front")
            #expect(settings.password.revealed() == canary)
            #expect(try await session.camera("front").pid == worker)
            #expect(try await session.state(of: "front") == "Active")
            #expect(try await session.state(of: "yard") == "Deactivating")
            try box.store([cache("yard", pending: 0)])
            try await eventually("it is drained", every: .milliseconds(50)) {
                try await session.state(of: "yard") == "Inactive" ? true : nil
            }
            #expect(await session.supervisor.cameras().cameras.map(\.name) == ["front"])
        }
    }

    @Test("a name and an asset have one owner, whoever comes first")
    func taken() async throws {
        try await withGraphs(cameras: "{ door: { url: rtsp://h/d } }") { box, session in
            #expect(try await session.call("GraphTopologySet", Graphs.continuous()).status == 201)
            #expect(
                try await session.call(
                    "GraphTopologySet", Graphs.continuous("fixed", asset: "one${System.GraphTopologyName}")
                ).status == 201)
            let door = try await session.call("GraphInstanceSet", Graphs.instance("Door", url: "rtsp://h/x"))
            #expect(door.status == 409 && door.text.contains("cvr.yaml"), "\(door.text)")
            for name in ["a", "b"] {
                #expect(
                    try await session.call("GraphInstanceSet", Graphs.instance(name, of: "fixed", url: "rtsp://h/x"))
                        .status == 201)
            }
            #expect(try await session.call("GraphInstanceActivate", Graphs.named("a")).status == 200)
            let second = try await session.call("GraphInstanceActivate", Graphs.named("b"))
            #expect(second.status == 409 && second.text.contains("onefixed"), "\(second.text)")
            #expect(try await session.state(of: "b") == "Inactive")
            let name = try #require(CameraName("a"))
            let changes: [ConfigurationChange] = [
                .add(Admin.AddCamera(name: "b", url: "rtsp://h/x")), .remove(name), .enable(name, false),
            ]
            for change in changes {
                let refusal = await #expect(throws: ChangeRefusal.self) {
                    _ = try await session.supervisor.change(change)
                }
                guard case .refused(_, let nextStep) = refusal else {
                    Issue.record("\(String(describing: refusal))")
                    continue
                }
                #expect(nextStep.contains("cvrctl graph instance"))
            }
        }
    }

    @Test("cameras of cvr.yaml are instances of cvr-asset, and are started and stopped as such")
    func shown() async throws {
        try await withGraphs(cameras: "{ front: { url: rtsp://h/a } }") { _, session in
            #expect(try await session.state(of: "front") == "Active")
            let deleted = try await session.call("GraphInstanceDelete", Graphs.named("front"))
            #expect(deleted.status == 409)
            #expect(try await session.call("GraphInstanceDeactivate", Graphs.named("front")).status == 200)
            #expect(try await session.state(of: "front") == "Inactive")
            #expect(await session.supervisor.cameras().cameras.first?.enabled == false)
            #expect(try await session.call("GraphInstanceActivate", Graphs.named("front")).status == 200)
            #expect(try await session.state(of: "front") == "Active")
        }
    }

    @Test("a camera of cvr.yaml is drained as any instance: shown, joined, refused to start, and after a restart too")
    func drainedFile() async throws {
        try await withGraphs(cameras: "{ door: { url: rtsp://h/d } }") { box, session in
            let door = try #require(CameraName("door"))
            let progress = IngestToSupervisor.progress(WorkerProgress(state: .recording, session: 1))
            try box.say("door", [try ScriptedWorker.hello("door"), progress])
            _ = try await session.supervisor.change(.enable(door, false))
            _ = try await session.supervisor.change(.enable(door, true))
            _ = try await session.events.next("Microsoft.Media.Graph.Operational.RecordingStarted")
            try box.store([cache("door", pending: 1)])
            let first = session.begun("GraphInstanceDeactivate", try Graphs.json(Graphs.named("door")))
            try await eventually("it drains", every: .milliseconds(20)) {
                try await session.state(of: "door") == "Deactivating" ? true : nil
            }
            let second = session.begun("GraphInstanceDeactivate", try Graphs.json(Graphs.named("door")))
            let waits = try await session.events.next("drainWaits", camera: "door")
            #expect(waits.detail.contains("goes on until"), "\(waits.detail)")
            #expect(try await session.call("GraphInstanceActivate", Graphs.named("door")).status == 409)
            try await eventually("its worker is stopped", every: .milliseconds(20)) {
                try await session.camera("door").state == "stopped" ? true : nil
            }
            try await session.begin()
            #expect(await [first.value.status, second.value.status] == [503, 503])
            try await eventually("it drains again", every: .milliseconds(20)) {
                try await session.state(of: "door") == "Deactivating" ? true : nil
            }
            let third = session.begun("GraphInstanceDeactivate", try Graphs.json(Graphs.named("door")))
            #expect(try await session.call("GraphInstanceActivate", Graphs.named("door")).status == 409)
            try box.store([cache("door", pending: 0)])
            #expect(await third.value.status == 200)
            #expect(try await session.state(of: "door") == "Inactive")
            _ = try await session.events.next("Microsoft.Media.Graph.Operational.RecordingStopped")
        }
    }

    @Test("a camera of cvr.yaml that is started while it drains records on: whoever waits is told")
    func startedAgain() async throws {
        try await withGraphs(cameras: "{ door: { url: rtsp://h/d } }") { box, session in
            let door = try #require(CameraName("door"))
            try box.store([cache("door", pending: 1)])
            let waiting = session.begun("GraphInstanceDeactivate", try Graphs.json(Graphs.named("door")))
            try await eventually("it is stopped", every: .milliseconds(20)) {
                await session.supervisor.cameras().cameras.first?.enabled == false ? true : nil
            }
            _ = try await session.supervisor.change(.enable(door, true))
            #expect(await waiting.value.status == 409)
            #expect(try await session.state(of: "door") == "Active")
        }
    }

    @Test("what cannot run here is refused at activation, with the reason and the next step")
    func refused() async throws {
        try await withGraphs { box, session in
            let topology = Graphs.gated(directory: "\(box.root)/elsewhere")
            #expect(try await session.call("GraphTopologySet", topology).status == 201)
            let password = String(repeating: "x", count: 200)
            let long = Graphs.instance("evr", of: "EVR", url: "rtsp://h/a", password: password)
            #expect(try await session.call("GraphInstanceSet", long).status == 201)
            let refusal = try await session.call("GraphInstanceActivate", Graphs.named("evr"))
            #expect(refusal.status == 400 && refusal.text.contains("ModuleValidationError"), "\(refusal.text)")
            // All at once: what the engine and what the box has against it.
            #expect(refusal.text.contains("filePaths"))
            #expect(refusal.text.contains("$.Properties.Sinks[0].BaseDirectoryPath"), "\(refusal.text)")
            #expect(refusal.text.contains("$.Properties.Sources[0].Endpoint.Credentials"), "\(refusal.text)")
            #expect(try await session.state(of: "evr") == "Inactive")
            #expect(try await session.call("NoSuchMethod", "{}").status == 501)
            #expect(try await session.call("GraphTopologySet", "{}").status == 400)
        }
    }

    @Test("a folder for files that an activation makes is cvr-sync's too: another one begins with it")
    func folder() async throws {
        try await withGraphs { box, session in
            _ = try await session.events.next("syncStarted")
            try FileManager.default.removeItem(atPath: "\(box.root)/files")
            try await session.activateGated("evr", box)
            #expect(FileManager.default.fileExists(atPath: "\(box.root)/files"))
            _ = try await session.events.next("syncStarted")
        }
    }

    @Test("a disk that does not take it changes nothing")
    func unwritten() async throws {
        try await withGraphs { box, session in
            // Once this is answered the disk was read.
            #expect(try await session.call("GraphTopologyGet", Graphs.named("CVRToAMSAsset")).status == 404)
            try SmallFileFixture.write("in the way", "\(box.root)/state/graph")
            let refused = try await session.call("GraphTopologySet", Graphs.continuous())
            #expect(refused.status == 500 && refused.text.contains("InternalServerError"), "\(refused.text)")
            let told = try await session.events.next("Microsoft.Media.Edge.Diagnostics.RuntimeError")
            #expect(told.graph?.body == .object(["code": .string("stateNotWritten")]))
            #expect(try await session.call("GraphTopologyGet", Graphs.named("CVRToAMSAsset")).status == 404)
            try FileManager.default.removeItem(atPath: "\(box.root)/state/graph")
            #expect(try await session.call("GraphTopologySet", Graphs.continuous()).status == 201)
        }
    }

    private func cache(_ name: String, pending: Int64, recorded: Bool? = nil) -> SyncInterface.CacheState {
        SyncInterface.CacheState(
            name: name, cacheBytes: 0, pendingSegments: pending, pendingBytes: 0, oldestLocal: nil, recorded: recorded)
    }
}

/// A box that has media graphs' file paths and a cvr-sync that answers.
func withGraphs(
    cameras: String = "{}", gateway: String? = nil, isolation: isolated (any Actor)? = #isolation,
    _ body: (TemporaryBox, inout Session) async throws -> Void
) async throws {
    let box = try TemporaryBox()
    try box.script("cvr-sync", ScriptedSync.program)
    try SmallFileFixture.credential("t0ken-canary-0123456789\n", "lva-token", box)
    try box.configure(cameras, gateway: gateway, more: "graph: { filePaths: [\(box.root)/files] }")
    // One that is made by an activation restarts cvr-sync.
    try FileManager.default.createDirectory(atPath: "\(box.root)/files", withIntermediateDirectories: true)
    let waiting = IngestToSupervisor.progress(WorkerProgress(state: .reconnecting, loops: 1))
    for name in ["front", "yard", "door", "a", "b", "evr"] {
        try box.say(name, [try ScriptedWorker.hello(name), waiting])
    }
    try await withSession(box) { session in try await body(box, &session) }
}

extension Session {
    func call(_ method: String, _ payload: String) async throws -> MethodReply {
        await supervisor.graph(Admin.GraphCall(method: method, payload: try Graphs.json(payload)))
    }

    /// One that takes its time.
    func begun(_ method: String, _ payload: JSONValue) -> Task<MethodReply, Never> {
        Task { [supervisor] in await supervisor.graph(Admin.GraphCall(method: method, payload: payload)) }
    }

    func state(of instance: String) async throws -> String {
        let reply = try await call("GraphInstanceGet", Graphs.named(instance))
        guard case .string(let state) = reply.payload["properties"]?["state"] else { throw Unexpected() }
        return state
    }

    /// Sets a continuous instance and activates it; returns when its worker was told.
    mutating func activate(_ name: String, password: String? = nil) async throws {
        // Refused while another instance of it is active.
        _ = try await call("GraphTopologySet", Graphs.continuous())
        #expect(
            try await call("GraphInstanceSet", Graphs.instance(name, url: "rtsp://h/\(name)", password: password))
                .status
                == 201)
        #expect(try await call("GraphInstanceActivate", Graphs.named(name)).status == 200)
        _ = try await configured(name)
    }
}
