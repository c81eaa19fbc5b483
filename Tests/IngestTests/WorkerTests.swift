import Foundation
import Ingest
import Messages
import Recording
import SegmentStore
import Testing

/// A worker of a scripted camera.
struct RunningWorker {
    let script: ScriptedCamera.Script
    private let thread: WorkerThread

    init(_ connections: [ScriptedCamera.Connection] = [], isOutdated: Bool = false) throws {
        let clock = RunningClock()
        let script = ScriptedCamera.Script(connections, clock: clock)
        self.script = script
        thread = try WorkerThread(
            in: try Workspace(), clocks: clock.clocks, isOutdated: isOutdated, source: script.source)
    }

    var cachePath: String { thread.workspace.path + "/cache" }

    func connect(greets: Bool = true) throws -> WorkerClient { try thread.connect(greets: greets) }

    func terminate() { thread.terminate() }

    func exitCode() throws -> Worker.ExitCode? { try thread.end().code }

    func records() throws -> [JournalEvent] { try thread.contents.records }
}

@Suite("Worker")
struct WorkerTests {
    @Test("says hello, records when configured, and stops as told with everything closed")
    func life() throws {
        let worker = try RunningWorker()
        let supervisor = try worker.connect()
        guard case .hello(let identity)? = try supervisor.next() else {
            Issue.record("no hello")
            return
        }
        #expect(identity.pid == 42 && identity.camera.text == "front")
        supervisor.send(.configure(.test(segment: .seconds(2))))
        _ = try supervisor.wait { if case .sessionStarted(1, _, _) = $0 { true } else { false } }
        _ = try supervisor.wait { if case .segmentClosed = $0 { true } else { false } }
        try supervisor.waitForProgress { $0.state == .recording && $0.framesReceived > 100 }
        supervisor.send(.stop(.stopped))
        #expect(try worker.exitCode() == .stopped)
        let records = try worker.records()
        #expect(records.contains { if case .sessionEnd(1, _, .stopped) = $0 { true } else { false } })
        #expect(records.contains { if case .gapOpen(_, .stopped, _) = $0 { true } else { false } })
        let left = try FileManager.default.subpathsOfDirectory(atPath: worker.cachePath)
        #expect(left.contains { $0.hasSuffix(".mp4") } && !left.contains { $0.hasSuffix(".partial") })
    }

    @Test("a cache on a new disk goes on where cvrd knows the camera's sessions to have ended")
    func sessionFloor() throws {
        let worker = try RunningWorker()
        let supervisor = try worker.connect()
        var settings = CameraSettings.test(segment: .seconds(2))
        settings.lastSession = 41
        supervisor.send(.configure(settings))
        try supervisor.waitForProgress { $0.state == .recording && $0.session == 42 }
        supervisor.send(.stop(.stopped))
        #expect(try worker.exitCode() == .stopped)
        #expect(try worker.records().contains { if case .sessionEnd(42, _, _) = $0 { true } else { false } })
    }

    @Test("out of sight of the name service it asks for a successor once the camera is away")
    func outdated() throws {
        let worker = try RunningWorker([.plays(frames: 100, then: .disconnected)], isOutdated: true)
        let supervisor = try worker.connect()
        supervisor.send(.configure(.test(segment: .seconds(2))))
        #expect(try worker.exitCode() == .outdated)
        let records = try worker.records()
        #expect(records.contains { if case .gapOpen(_, .cameraOffline, _) = $0 { true } else { false } })
        #expect(!records.contains { if case .gapOpen(_, .diskError, _) = $0 { true } else { false } })
    }

    @Test("SIGTERM is a stop, also before any configuration", arguments: [true, false])
    func terminates(configured: Bool) throws {
        let worker = try RunningWorker()
        let supervisor = try worker.connect()
        if configured {
            supervisor.send(.configure(.test()))
            try supervisor.waitForProgress { $0.state == .recording }
        }
        worker.terminate()
        #expect(try worker.exitCode() == .stopped)
    }

    @Test("records on without a supervisor, and a newer connection replaces the older")
    func supervisorGone() throws {
        let worker = try RunningWorker()
        var first: WorkerClient? = try worker.connect()
        first?.send(.configure(.test(segment: .seconds(2))))
        try first?.waitForProgress { $0.state == .recording }
        let second = try worker.connect()
        while try first?.next() != nil {}
        first = nil
        try second.waitForProgress { $0.framesReceived > 500 }
        second.send(.stop(.stopped))
        #expect(try worker.exitCode() == .stopped)
        #expect(try worker.records().filter { if case .sessionStart = $0 { true } else { false } }.count == 1)
    }

    @Test("what a camera said of itself is said to each cvrd that comes, with its time, as long as that lasts")
    func established() throws {
        let away = Array(repeating: ScriptedCamera.Connection.refuses(.unreachable), count: 1000)
        let worker = try RunningWorker([.playsOn] + away)
        func description(_ client: WorkerClient) throws -> IngestToSupervisor {
            try client.wait { if case .event("mediaSessionEstablished", _, _) = $0 { true } else { false } }
        }
        let first = try worker.connect()
        first.send(.configure(.test(segment: .seconds(2))))
        let said = try description(first)
        let second = try worker.connect()
        guard case .hello? = try second.next() else {
            Issue.record("no hello at first")
            return
        }
        #expect(try second.next() == said)
        var settings = CameraSettings.test(segment: .seconds(2))
        settings.url += "/other"
        second.send(.configure(settings))
        try second.waitForProgress { $0.state == .reconnecting }
        let third = try worker.connect()
        let next = try third.wait { message in
            if case .progress = message { true } else { message == said }
        }
        #expect(next != said, "that connection is over")
        third.send(.stop(.stopped))
        #expect(try worker.exitCode() == .stopped)
    }

    @Test("an older cvrd, which does not greet, is answered in its own version")
    func olderSupervisor() throws {
        let worker = try RunningWorker()
        let old = try worker.connect(greets: false)
        old.send(SupervisorToIngest.configure(.test()).frame(in: 1))
        let hello = try #require(try old.nextContent())
        #expect(hello.prefix(2) == [1, 1] && !hello.contains(2), "\(hello)")
        let progress = try #require(try old.nextContent())
        #expect(progress.first == 1)
        old.send(SupervisorToIngest.stop(.stopped).frame(in: 1))
        #expect(try worker.exitCode() == .stopped)
    }

    @Test("the next cvrd hears in one event a kind what nobody was there to hear")
    func coalesced() throws {
        let (one, two) = (ScriptedCamera.Hold(afterFrame: 100), ScriptedCamera.Hold(afterFrame: 100))
        let worker = try RunningWorker([.held(one, .plays(frames: 200, then: .disconnected)), .held(two, .playsOn)])
        var first: WorkerClient? = try worker.connect()
        first?.send(.configure(.test(segment: .seconds(2))))
        try one.reached()
        first = nil
        one.release()
        try two.reached()
        let second = try worker.connect()
        two.release()
        let event = try second.wait { if case .event("gapClosed", _, _) = $0 { true } else { false } }
        guard case .event(_, _, let detail) = event else { return }
        #expect(detail.hasPrefix("1 while no cvrd listened, the last: networkLoss from "), "\(detail)")
        second.send(.stop(.stopped))
        #expect(try worker.exitCode() == .stopped)
    }

    @Test(
        "garbage costs a connection, not a frame",
        arguments: [[0xFF, 0xFF, 0xFF, 0xFF, 1, 1], [0, 0, 0, 2, 9, 9], [0, 0, 0, 3, 1, 1, 7]] as [[UInt8]])
    func garbage(bytes: [UInt8]) throws {
        let worker = try RunningWorker()
        let hostile = try worker.connect()
        hostile.send(.configure(.test()))
        try hostile.waitForProgress { $0.state == .recording }
        hostile.send(bytes)
        while try hostile.next() != nil {}
        let supervisor = try worker.connect()
        try supervisor.waitForProgress { $0.state == .recording && $0.session == 1 }
        supervisor.send(.stop(.stopped))
        #expect(try worker.exitCode() == .stopped)
    }

    @Test("a supervisor that reads nothing does not hold up the recording")
    func deaf() throws {
        // 800 s of footage: more messages than the socket holds.
        let end = ScriptedCamera.Hold(afterFrame: 20_000)
        let worker = try RunningWorker([.held(end, .plays(frames: 20_000, then: .disconnected))])
        let deaf = try worker.connect()
        deaf.send(.configure(.test(segment: .seconds(3600))))
        try end.reached()
        end.release()
        let supervisor = try worker.connect()
        try supervisor.waitForProgress { $0.framesReceived >= 20_000 }
        supervisor.send(.stop(.stopped))
        #expect(try worker.exitCode() == .stopped)
        withExtendedLifetime(deaf) {}
    }

    @Test("a worker whose journal lost a sync ends as such, and the next one records on")
    func brokenJournal() throws {
        let worker = try RunningWorker([.plays(frames: 100, then: .disconnected), .refuses(.timeout)])
        let supervisor = try worker.connect()
        supervisor.send(.configure(.test(segment: .seconds(2))))
        try supervisor.waitForProgress { $0.state == .recording }
        // Gone afterwards, as the process would be, and the lock on the journal with it.
        let code = try withExtendedLifetime(FaultyJournal(in: worker.cachePath, .syncs)) {
            try worker.exitCode()
        }
        #expect(code == .inputOutput)
        let cache = try CacheDirectory(path: worker.cachePath, camera: #require(CameraName("front")))
        let recovered = try Recovery.run(
            in: cache, journal: Journal(in: cache, now: ManualClock.start), now: ManualClock.start,
            predecessorEnd: .diskError, bootChanged: false)
        #expect(recovered.lastSession >= 1 && recovered.deferred.isEmpty && recovered.openGap != nil)
        #expect(try cache.listing().allSatisfy { $0.name.stage == .closed })
    }

    @Test("a camera that refuses is tried again and never ends the worker")
    func refusals() throws {
        let worker = try RunningWorker(
            [.refuses(.connectionRefused), .refuses(.authentication), .plays(frames: 100, then: .disconnected)])
        let supervisor = try worker.connect()
        supervisor.send(.configure(.test()))
        try supervisor.waitForProgress { $0.lastFault?.code == "authentication" && $0.state == .reconnecting }
        try supervisor.waitForProgress { $0.session == 2 && $0.state == .recording }
        supervisor.send(.stop(.stopped))
        #expect(try worker.exitCode() == .stopped)
        let reasons = try worker.records().compactMap {
            if case .gapOpen(_, let reason, _) = $0 { reason } else { nil }
        }
        #expect(reasons == [.cameraOffline, .authentication, .networkLoss, .stopped])
    }

    @Test("settings that need another connection get one; limits do not")
    func reconfigured() throws {
        let worker = try RunningWorker()
        let supervisor = try worker.connect()
        supervisor.send(.configure(.test()))
        try supervisor.waitForProgress { $0.state == .recording }
        supervisor.send(.configure(.test(segment: .seconds(3))))
        try supervisor.waitForProgress { $0.framesReceived > 300 && $0.session == 1 }
        var other = CameraSettings.test()
        other.url = "rtsp://192.0.2.2/other"
        supervisor.send(.configure(other))
        try supervisor.waitForProgress { $0.session == 2 && $0.state == .recording }
        supervisor.send(.stop(.stopped))
        #expect(try worker.exitCode() == .stopped)
        #expect(worker.script.attempts.map(\.url) == [CameraSettings.test().url, other.url])
    }
}

@Suite("WorkerArguments")
struct WorkerArgumentsTests {
    @Test("takes what cvrd gives, in any order")
    func whole() throws {
        let arguments = try #require(
            WorkerArguments(["--slot", "b", "--camera", "front", "--run", "/run/x", "--cache", "/c"]))
        #expect(arguments.camera.text == "front" && arguments.slot == .b)
        #expect(arguments.cachePath == "/c" && arguments.runPath == "/run/x")
    }

    @Test(
        "refuses everything else",
        arguments: [
            [], ["--camera"], ["--camera", "front", "--slot", "a", "--cache", "/c"],
            ["--camera", "../x", "--slot", "a", "--cache", "/c", "--run", "/r"],
            ["--camera", "x", "--slot", "c", "--cache", "/c", "--run", "/r"],
            ["--camera", "x", "--slot", "a", "--cache", "", "--run", "/r"],
            ["--camera", "x", "--slot", "a", "--cache", "/c", "--run", "/r", "--url", "u"],
            ["--camera", "x", "--camera", "y", "--slot", "a", "--cache", "/c", "--run", "/r"],
        ])
    func refused(arguments: [String]) { #expect(WorkerArguments(arguments) == nil) }
}
