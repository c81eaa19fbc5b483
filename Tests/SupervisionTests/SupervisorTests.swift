import Foundation
import Glibc
import Isolation
import Messages
import Recording
import Supervision
import Testing

@Suite("Supervision: supervisor", .timeLimit(.minutes(1)))
struct SupervisorTests {
    private let recording = IngestToSupervisor.progress(
        WorkerProgress(state: .recording, session: 7, codec: "avc1.640028", framesReceived: 3, loops: 1))
    /// Says nothing more for 30 s and is not hung.
    private let waiting = IngestToSupervisor.progress(WorkerProgress(state: .reconnecting, loops: 1))

    @Test("a worker is started, told its camera with its password, seen recording, and stopped with a reason")
    func wholeLife() async throws {
        let box = try TemporaryBox()
        try box.configure("{ front: { url: rtsp://h/a, username: admin, credential: front-door } }")
        try SmallFileFixture.credential("s3cret-canary\n", "front-door", box)
        try box.say(
            "front",
            [try ScriptedWorker.hello("front"), recording, .sessionStarted(session: 7, at: WallTime(seconds: 0))])
        try await withSession(box) { session in
            let settings = try await session.configured("front")
            #expect(settings.password.revealed() == "s3cret-canary")
            #expect(settings.username == "admin")
            #expect(settings.cacheBudgetBytes == 64 << 20)
            #expect(settings.predecessorEnd == nil)
            let camera = try await session.camera("front")
            #expect(camera.state == "recording")
            #expect(camera.session == 7)
            #expect(camera.pid != nil)
            #expect(await session.supervisor.status().sync.state == "away")
            let supervisor = session.supervisor
            async let stopping: Void = supervisor.stop()
            var message = try ScriptedWorker.message(try await session.events.next("heard", camera: "front"))
            while case .configure = message {
                message = try ScriptedWorker.message(try await session.events.next("heard", camera: "front"))
            }
            guard case .stop(.stopped) = message else { throw Session.Unexpected() }
            await stopping
            await session.ended()
            #expect(
                session.supervisor.events.recent.contains { $0.type == "workerExited" && $0.detail.contains("as told") }
            )
        }
    }

    @Test("a worker that sends garbage is replaced; its neighbour hears nothing of it")
    func garbage() async throws {
        let box = try TemporaryBox()
        try box.configure("{ front: { url: rtsp://h/a }, yard: { url: rtsp://h/b } }")
        try box.say("yard", [try ScriptedWorker.hello("yard"), waiting])
        try box.say("front", [0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3])
        try await withSession(box) { session in
            _ = try await session.configured("yard")
            let exited = try await session.events.next("workerExited", camera: "front")
            #expect(exited.detail.contains("invalid messages"))
            try box.say("front", [try ScriptedWorker.hello("front"), waiting])
            let settings = try await session.configured("front")
            #expect(settings.predecessorEnd == .workerCrash)
            let (front, yard) = (try await session.camera("front"), try await session.camera("yard"))
            #expect(front.restarts >= 1 && (front.troubles["workerGarbage"] ?? 0) >= 1, "\(front)")
            #expect(yard.restarts == 0 && yard.troubles.isEmpty, "\(yard)")
        }
    }

    @Test("a worker whose hello names another process than the one that listens is replaced")
    func foreignHello() async throws {
        let box = try TemporaryBox()
        try box.configure("{ front: { url: rtsp://h/a } }")
        let name = try #require(CameraName("front"))
        try box.say("front", [.hello(WorkerIdentity(camera: name, slot: .a, pid: 1, build: "test")), waiting])
        try await withSession(box) { session in
            let exited = try await session.events.next("workerExited", camera: "front")
            #expect(exited.detail.contains("the hello of process 1"), "\(exited)")
        }
    }

    @Test("a worker of another camera behind the socket is replaced", arguments: ["yard", nil])
    func wrongHello(name: String?) async throws {
        let box = try TemporaryBox()
        try box.configure("{ front: { url: rtsp://h/a } }")
        try box.say("front", name.map { [try ScriptedWorker.hello($0)] } ?? [waiting])
        try await withSession(box) { session in
            let exited = try await session.events.next("workerExited", camera: "front")
            #expect(exited.detail.contains("invalid messages"))
        }
    }

    @Test("a reload tells new limits to running workers and touches only the cameras that changed")
    func reload() async throws {
        let box = try TemporaryBox()
        let yard = "yard: { url: rtsp://h/b }"
        try box.configure("{ front: { url: rtsp://h/a }, porch: { url: rtsp://h/c }, \(yard) }")
        for name in ["front", "yard", "porch", "new"] {
            try box.say(name, [try ScriptedWorker.hello(name), waiting])
        }
        try await withSession(box) { session in
            for name in ["front", "porch", "yard"] { _ = try await session.configured(name) }
            let before = await session.supervisor.status().cameras
            try box.configure("{ front: { url: rtsp://h/a, segmentLength: PT5S }, new: { url: rtsp://h/d }, \(yard) }")
            let reloaded = try await session.supervisor.change(.reload)
            #expect(reloaded == Admin.Reloaded(added: ["new"], removed: ["porch"], changed: ["front"]))
            #expect(try await session.configured("front").segmentLength == .seconds(5))
            _ = try await session.configured("new")
            let after = await session.supervisor.status().cameras
            #expect(after.map(\.name) == ["front", "new", "yard"])
            for name in ["front", "yard"] {
                #expect(before.first { $0.name == name }?.pid == after.first { $0.name == name }?.pid)
            }
            let told = session.supervisor.events.recent.filter { $0.type == "heard" && $0.camera == "yard" }
            // The greeting and its settings.
            #expect(told.count == 2)
        }
    }

    @Test("an invalid configuration changes nothing and is reported")
    func invalidReload() async throws {
        let box = try TemporaryBox()
        try box.configure("{ front: { url: rtsp://h/a } }")
        try box.say("front", [try ScriptedWorker.hello("front"), waiting])
        try await withSession(box) { session in
            _ = try await session.configured("front")
            try box.configure("{ front: { url: rtsp://h/a, segmentLenght: PT5S } }")
            await #expect(throws: ChangeRefusal.self) { try await session.supervisor.change(.reload) }
            let event = try await session.events.next("configurationRefused")
            #expect(event.detail.contains("did you mean segmentLength?"))
            #expect(try await session.camera("front").state == "reconnecting")
        }
    }

    @Test("cameras come, stop, start and go by command, over restarts of cvrd")
    func commands() async throws {
        let box = try TemporaryBox()
        try box.configure("{ front: { url: rtsp://h/a } }")
        for name in ["front", "added"] { try box.say(name, [try ScriptedWorker.hello(name), waiting]) }
        let front = try #require(CameraName("front"))
        let added = try #require(CameraName("added"))
        try await withSession(box) { session in
            _ = try await session.configured("front")
            var wish = Admin.AddCamera(name: "added", url: "rtsp://h/x")
            wish.username = "u"
            wish.password = "added-canary"
            _ = try await session.supervisor.change(.add(wish))
            #expect(try await session.configured("added").password.revealed() == "added-canary")
            await #expect(throws: ChangeRefusal.self) { try await session.supervisor.change(.add(wish)) }
            _ = try await session.supervisor.change(.enable(front, false))
            _ = try await session.events.next("workerExited", camera: "front")
            await #expect(throws: ChangeRefusal.self) { try await session.supervisor.restart(front) }
            await #expect(throws: ChangeRefusal.self) { try await session.supervisor.change(.remove(front)) }
            await session.end()
            try await session.begin()
            _ = try await session.configured("added")
            #expect(try await session.camera("front").state == "stopped")
            #expect(await session.supervisor.cameras().cameras.map(\.enabled) == [true, false])
            _ = try await session.supervisor.change(.remove(added))
            #expect(access("\(box.root)/state/credentials/added-added", F_OK) != 0)
            _ = try await session.supervisor.change(.enable(front, true))
            _ = try await session.configured("front")
            #expect(access("\(box.root)/state/cameras.d/front.yaml", F_OK) != 0)
        }
    }

    @Test("what is wrong with an added camera is said, never its password, and nothing is written")
    func badAdditions() async throws {
        let box = try TemporaryBox()
        try box.configure("{}")
        try await withSession(box) { session in
            for (name, url) in [
                ("x", "rtsp://u:canary@h/"), ("Bad Name", "rtsp://h/"), ("x", "http://h/"), ("sync", "rtsp://h/"),
            ] {
                do {
                    var wish = Admin.AddCamera(name: name, url: url)
                    wish.username = "u"
                    wish.password = "canary"
                    _ = try await session.supervisor.change(.add(wish))
                    Issue.record("\(name) \(url) was accepted")
                } catch {
                    #expect(!"\(error)".contains("canary"))
                }
            }
            #expect(access("\(box.root)/state/cameras.d", F_OK) != 0)
            #expect(access("\(box.root)/state/credentials", F_OK) != 0)
        }
    }

    @Test("the next cvrd takes over running workers, and ends those whose camera is gone")
    func adoption() async throws {
        let box = try TemporaryBox()
        try box.configure("{ front: { url: rtsp://h/a } }")
        try box.say("front", [try ScriptedWorker.hello("front"), waiting])
        try await withSession(box) { session in
            _ = try await session.configured("front")
            let pid = try #require(try await session.camera("front").pid)
            await session.leave()
            #expect(ProcessFacts.startTime(of: Int32(pid)) != nil)

            try await session.begin()
            _ = try await session.events.next("workerAdopted", camera: "front")
            _ = try await session.configured("front")
            #expect(try await session.camera("front").pid == pid)
            await session.leave()

            let record = """
                {"pid": \(pid), "startTime": \(ProcessFacts.startTime(of: Int32(pid)) ?? 0), \
                "bootID": "\(ProcessFacts.bootID())", "build": "x", "protocol": 1}

                """
            try SmallFileFixture.write(record, "\(box.root)/run/front/a/state.json")
            try box.configure("{}")
            try await session.begin()
            _ = try await session.events.next("workerRemoved", camera: "front")
            await session.end()
            #expect(ProcessFacts.startTime(of: Int32(pid)) == nil)
        }
    }

    @Test("a camera on the wrong disk is refused with the next step, and its neighbour records")
    func wrongDisk() async throws {
        let box = try TemporaryBox()
        try box.configure("{ front: { url: rtsp://h/a }, yard: { url: rtsp://h/b } }")
        try box.say("yard", [try ScriptedWorker.hello("yard"), waiting])
        try SmallFileFixture.write(
            #"{"uuid": "1", "camera": "front", "version": 1}"#, "\(box.root)/state/identities/front")
        try await withSession(box) { session in
            _ = try await session.events.next("workerRefused", camera: "front")
            _ = try await session.configured("yard")
            let camera = try await session.camera("front")
            #expect(camera.state == "refused")
            #expect(camera.lastError?.code == "wrongDisk")
            #expect(camera.lastError?.nextStep.contains("camera restart front") == true)
        }
    }
}
