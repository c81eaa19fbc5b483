import Foundation
import Glibc
import Isolation
import Messages
import Recording
import Supervision
import Testing

/// What `cvrctl camera` changes, and what it leaves alone.
@Suite("Supervision: changes of one camera", .timeLimit(.minutes(1)))
struct OneCameraChangeTests {
    private let waiting = IngestToSupervisor.progress(WorkerProgress(state: .reconnecting, loops: 1))

    @Test("a stop is done when it is answered, and so is a restart; a removed camera leaves no run directory")
    func done() async throws {
        let box = try TemporaryBox()
        try box.configure("{ front: { url: rtsp://h/a } }")
        for name in ["front", "added"] { try box.say(name, [try ScriptedWorker.hello(name), waiting]) }
        let front = try #require(CameraName("front"))
        try await withSession(box) { session in
            _ = try await session.configured("front")
            let first = try #require(try await session.camera("front").pid)
            try await session.supervisor.restart(front)
            #expect(ProcessFacts.startTime(of: Int32(first)) == nil)
            _ = try await session.configured("front")
            let second = try #require(try await session.camera("front").pid)
            _ = try await session.supervisor.change(.enable(front, false))
            #expect(ProcessFacts.startTime(of: Int32(second)) == nil)
            _ = try await session.supervisor.change(.add(Admin.AddCamera(name: "added", url: "rtsp://h/x")))
            _ = try await session.configured("added")
            #expect(access("\(box.root)/run/added/a/worker.sock", F_OK) == 0)
            _ = try await session.supervisor.change(.remove(try #require(CameraName("added"))))
            #expect(access("\(box.root)/run/added", F_OK) != 0)
        }
    }

    @Test("another edit of the configuration waits for a reload")
    func onlyItsOwn() async throws {
        let box = try TemporaryBox()
        try box.configure("{ front: { url: rtsp://h/a } }")
        for name in ["front", "other"] { try box.say(name, [try ScriptedWorker.hello(name), waiting]) }
        try await withSession(box) { session in
            _ = try await session.configured("front")
            try box.configure("{ front: { url: rtsp://h/a }, other: { url: rtsp://h/b } }")
            _ = try await session.supervisor.change(.enable(try #require(CameraName("front")), false))
            #expect(await session.supervisor.cameras().cameras.map(\.name) == ["front"])
            #expect(try await session.supervisor.change(.reload).added == ["other"])
        }
    }

    @Test("a change that cannot be applied is not written either")
    func refusedUnwritten() async throws {
        let box = try TemporaryBox()
        try box.configure("{}")
        try await withSession(box) { session in
            let moved = """
                runtime: { path: \(box.root)/run }
                state: { path: \(box.root)/state }
                cache: { path: \(box.root)/elsewhere }
                store: { url: "file://\(box.root)/store" }
                """
            try SmallFileFixture.write(moved, "\(box.root)/cvr.yaml")
            var wish = Admin.AddCamera(name: "yard", url: "rtsp://h/")
            (wish.username, wish.password) = ("u", "canary")
            let added = wish
            let refusal = await #expect(throws: ChangeRefusal.self) {
                _ = try await session.supervisor.change(.add(added))
            }
            guard case .refused = refusal else {
                Issue.record("\(String(describing: refusal))")
                return
            }
            #expect(access("\(box.root)/state/cameras.d/yard.yaml", F_OK) != 0)
            #expect(access("\(box.root)/state/credentials/added-yard", F_OK) != 0)
        }
    }

    @Test("mistakes of the caller are told from those in files, in the caller's words")
    func whoseMistake() async throws {
        let box = try TemporaryBox()
        try box.configure("{}")
        try await withSession(box) { session in
            var lonely = Admin.AddCamera(name: "yard", url: "rtsp://h/")
            lonely.password = "canary"
            var long = lonely
            (long.username, long.password) = ("u", String(repeating: "x", count: 5000))
            for wish in [lonely, long, Admin.AddCamera(name: "yard", url: "http://h/")] {
                let refusal = await #expect(throws: ChangeRefusal.self) {
                    _ = try await session.supervisor.change(.add(wish))
                }
                guard case .invalid(let message, _) = refusal else {
                    Issue.record("\(String(describing: refusal))")
                    continue
                }
                #expect(!message.contains("cameras.d"))
            }
        }
    }
}

/// What cvrd itself knows about a worker that it cannot talk to as it should.
@Suite("Supervision: cvrd's own troubles", .timeLimit(.minutes(1)))
struct OwnTroubleTests {
    private let waiting = IngestToSupervisor.progress(WorkerProgress(state: .reconnecting, loops: 1))

    @Test("a password that cannot be read is in status until it can")
    func credential() async throws {
        let box = try TemporaryBox()
        try box.configure("{ front: { url: rtsp://h/a } }")
        try box.say("front", [try ScriptedWorker.hello("front"), waiting])
        try await withSession(box) { session in
            _ = try await session.configured("front")
            try box.configure("{ front: { url: rtsp://h/a, username: u, credential: front } }")
            _ = try await session.supervisor.change(.reload)
            let fault = try #require(try await session.camera("front").lastError)
            #expect(fault.code == "credential")
            #expect(fault.time.flatMap { WallTime(rfc3339: $0) } != nil)
            try SmallFileFixture.credential("pw", "front", box)
            _ = try await session.supervisor.change(.reload)
            #expect(try await session.camera("front").lastError == nil)
            #expect(try await session.configured("front").password.revealed() == "pw")
        }
    }

    @Test("a worker that was taken over without its password is told once it can be read")
    func lateCredential() async throws {
        let box = try TemporaryBox()
        try box.configure("{ front: { url: rtsp://h/a, username: u, credential: front } }")
        try SmallFileFixture.credential("old", "front", box)
        try box.say("front", [try ScriptedWorker.hello("front"), waiting])
        try await withSession(box) { session in
            _ = try await session.configured("front")
            await session.leave()
            unlink("\(box.root)/state/credentials/front")
            let event = IngestToSupervisor.event(type: "talks", at: WallTime(seconds: 0), detail: "")
            try box.say("front", [try ScriptedWorker.hello("front"), waiting, event])
            try await session.begin()
            _ = try await session.events.next("talks", camera: "front")
            #expect(try await session.camera("front").lastError?.code == "credential")
            try SmallFileFixture.credential("new", "front", box)
            _ = try await session.supervisor.change(.reload)
            #expect(try await session.configured("front").password.revealed() == "new")
        }
    }

    @Test("a worker of another release is replaced by the stop that closes its segment")
    func otherVersion() async throws {
        let box = try TemporaryBox()
        try box.configure("{ front: { url: rtsp://h/a } }")
        try box.say("front", [0, 0, 0, 2, 99, 1])
        try await withSession(box) { session in
            let exited = try await session.events.next("workerExited", camera: "front")
            #expect(exited.detail.contains("of another release"))
        }
    }

    @Test("an event without a proper type is garbage; a long one is cut")
    func events() async throws {
        let box = try TemporaryBox()
        try box.configure("{ front: { url: rtsp://h/a }, yard: { url: rtsp://h/b } }")
        let long = String(repeating: "e\u{301}", count: 100_000)
        try box.say(
            "yard", [try ScriptedWorker.hello("yard"), .event(type: "long", at: WallTime(seconds: 0), detail: long)])
        try box.say(
            "front",
            [
                try ScriptedWorker.hello("front"),
                .event(type: String(repeating: "x", count: 65), at: WallTime(seconds: 0), detail: ""),
            ])
        try await withSession(box) { session in
            let exited = try await session.events.next("workerExited", camera: "front")
            #expect(exited.detail.contains("invalid messages"))
            #expect(try await session.events.next("long", camera: "yard").detail.utf8.count <= 1003)
        }
    }

    @Test("a worker gets cvrd's environment without what systemd gave to cvrd alone")
    func environment() async throws {
        setenv("NOTIFY_SOCKET", "/canary", 1)
        setenv("CVR_TEST_INHERITED", "yes", 1)
        let box = try TemporaryBox()
        try box.configure("{ front: { url: rtsp://h/a } }")
        try box.say("front", [try ScriptedWorker.hello("front"), waiting])
        try await withSession(box) { session in
            _ = try await session.configured("front")
            let pid = try #require(try await session.camera("front").pid)
            let bytes = try #require(FileManager.default.contents(atPath: "/proc/\(pid)/environ"))
            let entries = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            #expect(entries.contains("CVR_TEST_INHERITED=yes"))
            #expect(!entries.contains { $0.hasPrefix("NOTIFY_SOCKET=") })
        }
    }

    @Test("cameras share the disk by bit rate, as last known and as soon as it is measured; rtsps is marked")
    func shares() async throws {
        let box = try TemporaryBox()
        let cameras = """
            { front: { url: "rtsps://h/a", tls: { verify: none } }, yard: { url: rtsp://h/b } }
            """
        try box.configure(cameras, cache: "minimumFree: 5%")
        try SmallFileFixture.write("front 3000000\nyard 1000000\n", "\(box.root)/state/bitrates")
        for name in ["front", "yard"] { try box.say(name, [try ScriptedWorker.hello(name), waiting]) }
        try await withSession(box) { session in
            var front = try await session.configured("front").cacheBudgetBytes
            #expect((2.9...3.1).contains(Double(front) / Double(try await session.configured("yard").cacheBudgetBytes)))
            #expect(try await session.camera("front").unverifiedTLS)
            #expect(try await !session.camera("yard").unverifiedTLS)
            await session.end()

            unlink("\(box.root)/state/bitrates")
            for (name, rate) in [("front", 1e6), ("yard", 3e6)] {
                try box.say(
                    name,
                    [
                        try ScriptedWorker.hello(name),
                        .progress(WorkerProgress(state: .recording, bitsPerSecond: rate, loops: 1)), waiting,
                    ])
            }
            try await session.begin(ratePatience: .zero)
            _ = try await session.events.next("budgetsMoved")
            front = try await session.camera("front").cacheBudgetBytes
            while Double(front) * 2.9 > Double(try await session.camera("yard").cacheBudgetBytes) {
                // The one was measured before the other.
                _ = try await session.events.next("budgetsMoved")
                front = try await session.camera("front").cacheBudgetBytes
            }
        }
    }
}
