import Messages
import Recording
import Testing

@Suite("Worker channel")
struct WorkerChannelTests {
    static let time = WallTime(microseconds: 1_795_427_280_123_456)

    /// What versions 3, 4 and 5 added.
    static let synced: WorkerProgress = {
        var progress = WorkerProgress(state: .recording, keyframeInterval: .seconds(2))
        (progress.fsyncs, progress.fsyncTime, progress.fsyncP99) = (1 << 40, .seconds(9), .milliseconds(3))
        (progress.isGateClosed, progress.window) = (true, "camera-1/7")
        return progress
    }()

    static let fromWorker: [IngestToSupervisor] = [
        .progress(
            WorkerProgress(
                state: .recording, session: 7, codec: "avc1.4d401f,mp4a.40.2", width: 1280, height: 720,
                framesPerSecond: 25, bitsPerSecond: 2e6, framesReceived: 9, bytesReceived: 10, fragmentsWritten: 11,
                syncs: 12, loops: 13, lastFrameAge: .milliseconds(40), anomalies: 1,
                lastFault: Fault(code: "x", message: "y", nextStep: "z"), lastFaultAt: time)),
        .progress(synced), .progress(WorkerProgress(state: .starting)),
        .sessionStarted(session: 7, at: time), .sessionStarted(session: 8, at: time, window: "camera-1/7"),
        .segmentClosed(SegmentID(session: 7, counter: 3), start: time, duration: .seconds(30), bytes: 1 << 40),
        .gapOpened(from: time, reason: .networkLoss, detail: "connection reset"),
        .gapClosed(from: time, to: time + .seconds(5), reason: .networkLoss),
        .event(type: "formatChanged", at: time, detail: "640x360"),
        .readyToSucceed(hasCamera: true, detail: "é"),
    ]

    @Test("every message comes back as it was sent", arguments: fromWorker)
    func roundTrip(message: IngestToSupervisor) throws {
        var buffer = message.frame + message.frame.prefix(3)
        let content = try #require(try Frame.next(in: &buffer))
        #expect(try IngestToSupervisor(content: content) == message)
        #expect(try Frame.next(in: &buffer) == nil)
    }

    @Test("the encoding is pinned: changing it needs a new version")
    func golden() {
        #expect(
            IngestToSupervisor.gapOpened(from: WallTime(microseconds: 1), reason: .diskFull, detail: "é").frame
                == [0, 0, 0, 28, 5, 5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 8] + Array("diskFull".utf8)
                + [0, 0, 0, 2, 0xC3, 0xA9])
        #expect(SupervisorToIngest.stop(.stopped).frame == [0, 0, 0, 13, 5, 2, 0, 0, 0, 7] + Array("stopped".utf8))
    }

    /// A round trip cannot see it: both ends are of one build.
    @Test("what an older version is told has the length that it had then", arguments: 1...5)
    func lengths(version: Int) {
        let version = UInt8(version)
        let progress = IngestToSupervisor.progress(Self.synced).frame(in: version).count
        #expect(progress == [0, 114, 123, 148, 149, 163][Int(version)], "\(progress)")
        let session = IngestToSupervisor.sessionStarted(session: 8, at: Self.time, window: "w").frame(in: version).count
        #expect(session == (version < 5 ? 22 : 27), "\(session)")
        let configure = SupervisorToIngest.configure(Self.settings).frame(in: version).count
        #expect(configure == (version < 4 ? 110 : 127), "\(configure)")
    }

    @Test(
        "a rate that no camera sends is bounded",
        arguments: [(.nan, 0), (.infinity, 0), (-1, 0), (1e308, 1e10), (4e6, 4e6)] as [(Double, Double)])
    func rates(said: Double, heard: Double) throws {
        let progress = WorkerProgress(state: .recording, framesPerSecond: said, bitsPerSecond: said)
        var buffer = IngestToSupervisor.progress(progress).frame
        let content = try #require(try Frame.next(in: &buffer))
        let expected = WorkerProgress(state: .recording, framesPerSecond: heard, bitsPerSecond: heard)
        #expect(try IngestToSupervisor(content: content) == .progress(expected))
    }

    @Test("an older peer hears its own version, without what it does not know")
    func older() throws {
        let camera = try #require(CameraName("front"))
        let hello = IngestToSupervisor.hello(
            WorkerIdentity(camera: camera, slot: .a, pid: 1, build: "b", sandbox: "canary"))
        #expect(
            hello.frame(in: 1)
                == [0, 0, 0, 29, 1, 1, 0, 0, 0, 5] + Array("front".utf8) + [0, 0, 0, 1, 0x61]
                + [0, 0, 0, 0, 0, 0, 0, 1] + [0, 0, 0, 1, 0x62])
        let bare = WorkerProgress(state: .recording)
        for (version, progress) in [
            (UInt8(1), bare), (2, WorkerProgress(state: .recording, keyframeInterval: .seconds(2))),
        ] {
            var buffer = IngestToSupervisor.progress(Self.synced).frame(in: version)
            let content = try #require(try Frame.next(in: &buffer))
            #expect(try IngestToSupervisor(content: content) == .progress(progress))
        }
        for message in Self.fromWorker where message != .progress(Self.synced) {
            var buffer = message.frame(in: 1)
            let content = try #require(try Frame.next(in: &buffer))
            let heard = try IngestToSupervisor(content: content)
            if case .sessionStarted(let session, let at, _) = message {
                #expect(heard == .sessionStarted(session: session, at: at))
            } else {
                #expect(heard == message)
            }
        }
        #expect(
            SupervisorToIngest.stop(.stopped).frame(in: 1) == [0, 0, 0, 13, 1, 2, 0, 0, 0, 7] + Array("stopped".utf8))
        #expect(
            SupervisorToIngest.greet.frame == [0, 0, 0, 2, 5, 3]
                && SupervisorToIngest.handOver.frame == [0, 0, 0, 2, 5, 4])
    }

    @Test("what the version before understands is said to it, and a window changes nothing there")
    func previous() throws {
        var settings = Self.settings
        #expect(try back(.configure(settings), in: 4) == settings)
        let plain = try #require(try back(.configure(settings), in: 3))
        (settings.takesAudio, settings.takesVideo, settings.gate, settings.sessionAsset) = (true, true, nil, "")
        #expect(plain == settings)
        let window = RecordingWindow(id: "w", from: Self.time, until: Self.time + .seconds(1))
        #expect(SupervisorToIngest.window(window).frame(in: 3) == SupervisorToIngest.greet.frame(in: 3))
        var synced = Self.synced
        (synced.isGateClosed, synced.window) = (false, "")
        var buffer = IngestToSupervisor.progress(Self.synced).frame(in: 3)
        let content = try #require(try Frame.next(in: &buffer))
        #expect(try IngestToSupervisor(content: content) == .progress(synced))
    }

    @Test("a window comes back as it was sent")
    func window() throws {
        let window = RecordingWindow(
            id: "camera-1/7", from: Self.time, until: Self.time + .seconds(30), asset: "é 20260101T000000Z", file: "x",
            correlation: "c")
        var buffer = SupervisorToIngest.window(window).frame
        let content = try #require(try Frame.next(in: &buffer))
        guard case .window(window) = try SupervisorToIngest(content: content) else {
            Issue.record("another message came back")
            return
        }
        for length in 0..<content.count {
            #expect(throws: MessageError.self) { try SupervisorToIngest(content: Array(content.prefix(length))) }
        }
    }

    /// As a worker of that version reads it.
    private func back(_ message: SupervisorToIngest, in version: UInt8) throws -> CameraSettings? {
        var buffer = message.frame(in: version)
        let content = try #require(try Frame.next(in: &buffer))
        guard case .configure(let settings) = try SupervisorToIngest(content: content) else { return nil }
        return settings
    }

    private static let settings: CameraSettings = {
        var settings = CameraSettings(
            predecessorEnd: .workerCrash, url: "rtsp://10.0.0.1/main", username: "admin",
            password: Secret("canary"), transport: .http, acceptsUnverifiedTLS: true, segmentLength: .seconds(30),
            cacheBudgetBytes: 1 << 31, dropsOldest: true, syncHeartbeatPath: "/run/x", trustsClock: false)
        (settings.takesAudio, settings.takesVideo, settings.sessionAsset) = (false, false, "é")
        settings.gate = GateRole(preRoll: .seconds(70))
        return settings
    }()

    @Test("settings arrive whole, and print without the password")
    func settings() throws {
        var settings = CameraSettings(
            predecessorEnd: .workerCrash, url: "rtsp://10.0.0.1/main", username: "admin",
            password: Secret("canary"), transport: .udp, acceptsUnverifiedTLS: true, segmentLength: .seconds(30),
            cacheBudgetBytes: 1 << 31, dropsOldest: true, syncHeartbeatPath: "/run/x", trustsClock: false)
        settings.lastSession = 1 << 40
        settings.gate = GateRole(preRoll: .seconds(1))
        var buffer = SupervisorToIngest.configure(settings).frame
        let content = try #require(try Frame.next(in: &buffer))
        guard case .configure(let back) = try SupervisorToIngest(content: content) else {
            Issue.record("another message came back")
            return
        }
        #expect(back == settings)
        #expect(back.password.revealed() == "canary")
        var dumped = ""
        dump(back, to: &dumped)
        #expect(!"\(back) \(String(reflecting: back)) \(dumped)".contains("canary"))
    }

    @Test("any bytes give a message or an error, never a trap")
    func noise() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var content: [UInt8] = [.random(in: 1...4, using: &random), .random(in: 0...9, using: &random)]
            content += (0..<Int.random(in: 0...60, using: &random)).map { _ in .random(in: 0...12, using: &random) }
            _ = try? IngestToSupervisor(content: content)  // either outcome is right; trapping is not
            _ = try? SupervisorToIngest(content: content)  // as above
        }
        for message in Self.fromWorker {
            let content = Array(message.frame.dropFirst(4))
            for length in 0..<content.count {
                #expect(throws: MessageError.self) { try IngestToSupervisor(content: Array(content.prefix(length))) }
            }
            #expect(throws: MessageError.self) { try IngestToSupervisor(content: content + [0]) }
        }
    }

    @Test(
        "an event's type is a word, not whatever a worker makes up",
        arguments: ["", "two words", "a\nb", "é", String(repeating: "x", count: 65)])
    func eventTypes(type: String) {
        let event = IngestToSupervisor.event(type: type, at: Self.time, detail: "")
        #expect(throws: MessageError.self) { try IngestToSupervisor(content: Array(event.frame.dropFirst(4))) }
    }

    @Test("another version is told from garbage")
    func versions() {
        for (content, isOther): ([UInt8], Bool) in [([9, 1], true), ([0, 1], true), ([1, 99], false), ([], false)] {
            let error = #expect(throws: MessageError.self) { try IngestToSupervisor(content: content) }
            #expect(error?.isOtherVersion == isOther)
        }
    }

    @Test("an oversized or empty frame is refused before it is buffered")
    func frameBounds() {
        for header: [UInt8] in [[0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0], [0, 0, 0, 1]] {
            #expect(throws: MessageError.self) {
                var buffer = header
                return try Frame.next(in: &buffer)
            }
        }
    }
}
