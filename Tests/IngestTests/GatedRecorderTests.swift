import Foundation
import FragmentedMP4
import Ingest
import Messages
import Recording
import SegmentStore
import Testing

@Suite("Recorder: windows of a gate")
struct GatedRecorderTests {
    /// LVA's signal gate: offset -5 s, at least 30 s, at most 60 s; events in seconds, and what is recorded.
    struct Example: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var events: [Double]
        var length: Double

        /// When the gate closes, as far as is known at this event.
        func until(_ event: Double) -> Double { min(event + 30, events[0] + 60) }
    }

    @Test(
        "LVA's worked examples last what they say, from the keyframe before, to the frame",
        arguments: [
            Example(testDescription: "one event: -offset + min", events: [20.4], length: 35),
            Example(testDescription: "two events: -offset + dt + min", events: [20.4, 30.6], length: 45.2),
            Example(
                testDescription: "saturated: -offset + max", events: [20.4, 30.4, 40.4, 50.4, 60.4, 70.4], length: 65),
        ])
    func examples(example: Example) throws {
        let bench = try Bench(.gated())
        try bench.connect()
        var now = 0.0
        for event in example.events {
            bench.play(TimeSpan(seconds: event - now))
            now = event
            bench.ask(from: example.events[0] - 5, until: example.until(event))
        }
        bench.play(.seconds(3))
        #expect(bench.recorder.progress.window == "w")
        bench.play(TimeSpan(seconds: 97 - now))
        #expect(bench.recorder.progress.isGateClosed && bench.recorder.progress.state == .recording)
        #expect(bench.recorder.progress.window.isEmpty, "lengthened later it is another recording")
        bench.recorder.stop(.stopped)
        let session = try #require(try bench.sessions().first)
        #expect(try bench.sessions().count == 1)
        // A keyframe is at each whole second.
        #expect(abs(session[0] - 15) < 0.001)
        #expect(session[1] - (15.4 + example.length) >= -0.001 && session[1] - (15.4 + example.length) < 0.041)
        #expect(try bench.contiguous()[1]?[0] == Int(((session[1] - 15) * 25).rounded()))
        #expect(bench.closed == ["w 1"])
        #expect(
            try bench.spans(.gateClosed).map { $0.map { ($0 * 1000).rounded() } }
                == [[0, 15_000], [session[1], 100].map { ($0 * 1000).rounded() }])
        #expect(try bench.gaps.map(\.reason) == [.gateClosed, .gateClosed, .stopped])
        try bench.expectPlayable()
        #expect(!FileManager.default.fileExists(atPath: bench.workspace.path + "/pre-roll"))
    }

    @Test("sound begins and ends with the picture, and no sample of either is missing in between")
    func sound() throws {
        let bench = try Bench(.gated())
        try bench.connect()
        bench.play(.seconds(8))
        bench.ask(from: 3.2, until: 10)
        bench.play(.seconds(10))
        bench.recorder.stop(.stopped)
        let counts = try #require(try bench.contiguous()[1])
        #expect(counts[0] == 175)
        #expect((349...351).contains(counts[1]), "\(counts)")
        let sound = try bench.segments.flatMap(\.fragments).flatMap(\.perTrack).filter { $0.track == 1 }
        #expect(try #require(sound.first).baseDecodeTime <= 160)
    }

    @Test("the same of every kind of picture", arguments: [Footage.reordered, .h265, .longGroup])
    func kinds(footage: Footage) throws {
        let bench = try Bench(.gated())
        bench.footage = footage
        bench.announcesFrames = true
        try bench.connect(audio: false)
        bench.play(.seconds(9))
        bench.ask(from: 4.4, until: 12)
        bench.play(.seconds(8))
        bench.recorder.stop(.stopped)
        let session = try #require(try bench.sessions().first)
        // Some pictures are sent up to three frames before they are shown, and decoded up to two before.
        #expect((3.799...4.001).contains(session[0]) && (11.999...12.041).contains(session[1]), "\(session)")
        #expect(try bench.contiguous() == [1: [Int(((session[1] - session[0]) * 25).rounded())]])
        try bench.expectPlayable()
    }

    @Test("sound alone is recorded by windows too")
    func soundAlone() throws {
        let bench = try Bench(.gated())
        try bench.connect(video: false)
        bench.play(.seconds(9))
        bench.ask(from: 4.4, until: 12)
        bench.play(.seconds(8))
        bench.recorder.stop(.stopped)
        let session = try #require(try bench.sessions().first)
        #expect((4.379...4.401).contains(session[0]) && (11.999...12.021).contains(session[1]), "\(session)")
    }

    @Test("a window that begins later waits; one that was over before anybody asked is closed without a session")
    func future() throws {
        let bench = try Bench(.gated())
        try bench.connect(audio: false)
        bench.play(.seconds(5))
        bench.ask(from: 8.5, until: 12)
        bench.play(.seconds(2))
        #expect(bench.recorder.progress.isGateClosed)
        bench.play(.seconds(13))
        bench.ask("empty", from: 3, until: 3)
        #expect(bench.closed == ["w 1", "empty 0"])
        bench.recorder.stop(.stopped)
        #expect(try bench.sessions().map { $0.map { ($0 * 100).rounded() } } == [[800, 1200]])
    }

    @Test("a window may begin in the footage of the one before: each is a session, with its own asset and file")
    func overlapping() throws {
        let bench = try Bench(.gated())
        try bench.connect(audio: false)
        bench.play(.seconds(10))
        bench.ask("a", from: 6, until: 15, asset: "a-1")
        bench.play(.seconds(6))
        bench.ask("b", from: 13.5, until: 20, asset: "b-2", file: "b file.mp4")
        bench.play(.seconds(10))
        bench.recorder.stop(.stopped)
        #expect(try bench.sessions().map { $0.map { ($0 * 100).rounded() } } == [[600, 1500], [1300, 2000]])
        #expect(try bench.names == [SessionNames(asset: "a-1"), SessionNames(asset: "b-2", file: "b file.mp4")])
        #expect(bench.closed == ["a 1", "b 2"])
        // Nothing is missing where the two touch.
        #expect(try bench.spans(.gateClosed).map { $0.map { $0.rounded() } } == [[0, 6], [20, 26]])
    }

    @Test("a window that is prolonged within a second of its end goes on, later as another session, without a gap")
    func prolongedLate() throws {
        let bench = try Bench(.gated())
        try bench.connect(audio: false)
        bench.play(.seconds(5))
        bench.ask(from: 5, until: 10, asset: "clip")
        bench.play(.milliseconds(5800))
        bench.ask(from: 5, until: 14, asset: "clip")
        bench.play(.seconds(10))
        #expect(bench.closed == ["w 1"])
        // From here on whoever counts on it being open is right, however often it is told.
        bench.ask(from: 5, until: 14, asset: "clip")
        bench.ask(from: 5, until: 24, asset: "clip")
        bench.ask(from: 5, until: 30, asset: "clip")
        bench.play(.seconds(5))
        bench.ask(from: 5, until: 32, asset: "clip")
        bench.play(.seconds(10))
        bench.recorder.stop(.stopped)
        #expect(try bench.sessions().map { $0.map { ($0 * 100).rounded() } } == [[500, 1400], [1400, 3200]])
        #expect(try bench.spans(.gateClosed).map { $0.map { $0.rounded() } } == [[0, 5], [32, 36]])
        #expect(bench.closed == ["w 1", "w 1", "w 2"])
    }

    @Test("a camera that goes and comes back within a window leaves two sessions and a gap that says why")
    func reconnects() throws {
        let bench = try Bench(.gated())
        try bench.connect(audio: false)
        bench.play(.seconds(5))
        bench.ask(from: 4, until: 15, asset: "clip")
        bench.play(.seconds(3))
        _ = bench.recorder.disconnected(.disconnected)
        bench.wait(.seconds(2))
        bench.frame = 0
        try bench.connect(audio: false)
        bench.play(.seconds(12))
        bench.recorder.stop(.stopped)
        #expect(try bench.sessions().map { $0.map { ($0 * 10).rounded() } } == [[40, 80], [100, 150]])
        #expect(try bench.names.map(\.asset) == ["clip", "clip"])
        #expect(try bench.gaps.map(\.reason) == [.gateClosed, .networkLoss, .gateClosed, .stopped])
        #expect(bench.closed == ["w 2 1"])
    }

    @Test("a stop in a window keeps what there is of it, and of one that had not even begun", arguments: [true, false])
    func stop(hasBegun: Bool) throws {
        let bench = try Bench(.gated())
        try bench.connect(audio: false)
        bench.play(.seconds(8))
        if hasBegun { bench.ask(from: 4, until: 30) }
        bench.play(.seconds(2))
        if !hasBegun { bench.ask(from: 4, until: 30) }
        bench.recorder.stop(.stopped)
        #expect(try bench.sessions().map { $0.map { ($0 * 100).rounded() } } == [[400, 1000]])
        #expect(try bench.gaps.map(\.reason) == [.gateClosed, .stopped])
        #expect(try bench.segments.allSatisfy(\.isComplete) && bench.closed.isEmpty)
    }

    @Test("a camera that is away when it is wanted is a gap for as long as it is; else nobody misses it")
    func away() throws {
        let bench = try Bench(.gated())
        _ = bench.recorder.disconnected(.unreachable)
        bench.wait(.seconds(10))
        #expect(bench.recorder.progress.state == .reconnecting)
        bench.ask(from: 8, until: 20)
        bench.wait(.seconds(30))
        bench.recorder.stop(.stopped)
        #expect(try bench.spans(.cameraOffline) == [[8, 20]])
        #expect(try bench.spans(.gateClosed) == [[0, 8], [20, 40]])
        #expect(bench.closed == ["w 0"])
    }

    @Test("a camera that falls silent in a window: a gap to its end, then the gate is closed")
    func stalls() throws {
        let bench = try Bench(.gated())
        try bench.connect(audio: false)
        bench.play(.seconds(5))
        bench.ask(from: 4, until: 15)
        bench.play(.seconds(3))
        bench.play(.seconds(20), video: false)
        bench.play(.seconds(4))
        bench.recorder.stop(.stopped)
        #expect(try bench.sessions().map { $0.map { ($0 * 10).rounded() } } == [[40, 80]])
        #expect(try bench.spans(.networkLoss).map { $0.map { ($0 * 10).rounded() } } == [[80, 150]])
        #expect(bench.closed == ["w 1"])
    }

    @Test("a wall clock that is set makes no window longer or shorter", arguments: [3600, -3600])
    func clockStep(by step: Int64) throws {
        let bench = try Bench(.gated())
        try bench.connect(audio: false)
        bench.play(.seconds(5))
        bench.ask(from: 4, until: 15)
        bench.play(.milliseconds(4480))
        bench.clock.wall = bench.clock.wall + .seconds(step)
        bench.play(.seconds(15))
        #expect(bench.closed == ["w 2 1"] && bench.recorder.progress.isGateClosed)
        bench.recorder.stop(.stopped)
        #expect(try bench.segments.reduce(0) { $0 + $1.frames } == 11 * 25)
        #expect(try bench.records.contains { if case .clockStep = $0 { true } else { false } })
    }

    @Test("the pre-roll reaches as far as it must, and no reader of the cache sees it")
    func preRoll() throws {
        let bench = try Bench(.gated(preRoll: .seconds(20)))
        bench.footage = Footage.plain.bloated(to: 50_000)
        try bench.connect()
        bench.play(.seconds(120))
        let files = bench.preRollFiles
        #expect((4...8).contains(files.count), "\(files)")
        #expect(try bench.cache.totals().segments == 0 && bench.cache.names().isEmpty)
        try Eviction.removeEmptyDirectories(in: bench.cache, now: bench.clock.wall + .seconds(100_000))
        #expect(bench.preRollFiles.count == files.count)
        bench.ask(from: 100.5, until: 125)
        bench.play(.seconds(10))
        bench.recorder.stop(.stopped)
        #expect(try bench.sessions().map { $0.map { $0.rounded() } } == [[100, 125]])
    }

    @Test("a pre-roll that has no room is shorter, and what is recorded from then on is whole")
    func small() throws {
        let bench = try Bench(.gated(budget: 400_000))
        bench.footage = Footage.plain.bloated(to: 250_000)
        try bench.connect(audio: false)
        bench.play(.seconds(18))
        bench.footage = .plain
        bench.play(.seconds(2))
        bench.ask(from: 12, until: 30)
        bench.play(.seconds(15))
        bench.recorder.stop(.stopped)
        let session = try #require(try bench.sessions().first)
        #expect(session.map { $0.rounded() } == [17, 30])
        #expect(try bench.contiguous() == [1: [13 * 25]])
        #expect(try bench.spans(.gateClosed).first?.map { $0.rounded() } == [0, 12])
        #expect(try bench.spans(.preRollTooShort).map { $0.map { $0.rounded() } } == [[12, 17]])
        #expect(bench.faults.contains("preRollTooShort"))
    }

    @Test("a disk that takes no pre-roll costs what was before the event, and nothing after it")
    func withoutPreRoll() throws {
        let bench = try Bench(.gated())
        try Data().write(to: URL(fileURLWithPath: bench.workspace.path + "/pre-roll"))
        try bench.connect(audio: false)
        bench.play(.seconds(5))
        #expect(bench.recorder.progress.lastFault?.code == "diskError")
        bench.ask(from: 4, until: 15)
        bench.play(.seconds(15))
        bench.recorder.stop(.stopped)
        let session = try #require(try bench.sessions().first)
        #expect(session[0] <= 6.001 && abs(session[1] - 15) < 0.05, "\(session)")
        #expect(try bench.contiguous() == [1: [Int(((session[1] - session[0]) * 25).rounded())]])
    }

    @Test("what came before an event is recorded a little at a time, so that what comes meanwhile is not kept waiting")
    func pieces() throws {
        let bench = try Bench(.gated(preRoll: .seconds(30)))
        try bench.connect()
        bench.play(.seconds(30))
        bench.ask(from: 2, until: 40)
        bench.clock.pace = TimeSpan(microseconds: 100)
        bench.play(.milliseconds(40))
        let written = bench.recorder.progress.fragmentsWritten
        #expect((1...20).contains(written), "\(written)")
        bench.play(.seconds(1))
        bench.clock.pace = .zero
        #expect(bench.recorder.progress.fragmentsWritten >= 28)
        bench.play(.seconds(15))
        bench.recorder.stop(.stopped)
        #expect(try bench.sessions().map { $0.map { $0.rounded() } } == [[2, 40]])
        let counts = try #require(try bench.contiguous()[1])
        #expect(abs(counts[0] - 38 * 25) < 20 && abs(counts[1] - 38 * 50) < 40, "\(counts)")
    }

    @Test(
        "a full disk in a window: the pre-roll makes room, then there is a gap, and with space the window goes on",
        .enabled(if: SmallDisk.isPossible))
    func full() throws {
        let disk = try SmallDisk(megabytes: 12)
        var settings = CameraSettings.gated()
        settings.dropsOldest = false
        let bench = try Bench(settings, in: Workspace(disk), clock: ManualClock())
        bench.footage = Footage.longGroup.bloated(to: 400_000)
        try bench.connect(audio: false)
        bench.play(.seconds(10))
        bench.ask(from: 4, until: 60)
        bench.play(.seconds(5))
        try disk.fill()
        bench.play(.seconds(2))
        try disk.fill()
        bench.play(.seconds(13))
        #expect(bench.recorder.progress.lastFault?.code == "diskFull")
        #expect(bench.recorder.progress.state == .reconnecting && bench.preRollFiles.count < 2)
        try disk.empty()
        bench.play(.seconds(40))
        bench.recorder.stop(.stopped)
        #expect(try bench.gaps.map(\.reason) == [.gateClosed, .diskFull, .gateClosed, .stopped])
        let lost = try #require(try bench.spans(.diskFull).first)
        #expect(lost[0] >= 14 && lost[1] < 36, "\(lost)")
        #expect(try bench.sessions().last?.last.map { abs($0 - 60) < 0.05 } == true)
        #expect(bench.closed == ["w 2 1"])
        try bench.expectPlayable()
    }

    @Test("a window that was open when its worker died goes on in the next one, with a gap in between")
    func crash() throws {
        let (workspace, clock) = (try Workspace(), ManualClock())
        var first: Bench? = try Bench(.gated(), in: workspace, clock: clock)
        try first?.connect(audio: false)
        first?.play(.seconds(5))
        first?.ask(from: 4, until: 20, file: "clip")
        first?.play(.seconds(5))
        #expect(first?.preRollFiles.isEmpty == false)
        first = nil
        let next = try Bench(.gated(), in: workspace, clock: clock)
        #expect(next.preRollFiles.isEmpty)
        next.ask(from: 4, until: 20, file: "clip")
        next.wait(.seconds(1))
        try next.connect(audio: false)
        next.play(.seconds(15))
        next.recorder.stop(.stopped)
        #expect(try next.sessions().map { $0.map { $0.rounded() } } == [[4, 9], [11, 20]])
        #expect(try next.names.map(\.file) == ["clip", "clip"] && next.closed == ["w 2 1"])
        #expect(try next.gaps.map(\.reason) == [.gateClosed, .workerCrash, .gateClosed, .stopped])
    }

    @Test("a worker that was killed in a window and comes back behind its end: the rest of it is a gap that says so")
    func crashAtTheEnd() throws {
        let (workspace, clock) = (try Workspace(), ManualClock())
        do {
            let killed = try Bench(.gated(), in: workspace, clock: clock)
            try killed.connect(audio: false)
            killed.play(.seconds(5))
            killed.ask(from: 4, until: 12, file: "clip")
            killed.play(.seconds(5))
        }
        clock.advance(.seconds(4))
        let next = try Bench(.gated(), in: workspace, clock: clock)
        next.ask(from: 4, until: 12, file: "clip")
        try next.connect(audio: false)
        next.play(.seconds(5))
        next.recorder.stop(.stopped)
        #expect(try next.sessions().map { $0.map { $0.rounded() } } == [[4, 9]])
        #expect(try next.spans(.workerCrash).map { $0.map { $0.rounded() } } == [[9, 12]])
        #expect(try next.gaps.map(\.reason) == [.gateClosed, .workerCrash, .gateClosed, .stopped])
        #expect(next.closed == ["w 1"])
    }

    @Test("a camera that loses its gate is recorded all the time, and the other way round")
    func reconfigured() throws {
        let bench = try Bench(.gated())
        try bench.connect(audio: false)
        bench.play(.seconds(4))
        var plain = CameraSettings.test()
        plain.sessionAsset = "yard"
        bench.recorder.reconfigure(plain)
        bench.frame = 0
        try bench.connect(audio: false)
        bench.play(.seconds(4))
        bench.recorder.reconfigure(.gated())
        bench.frame = 0
        try bench.connect(audio: false)
        bench.play(.seconds(4))
        bench.recorder.stop(.stopped)
        #expect(try bench.sessions().map { $0.map { $0.rounded() } } == [[4, 8]])
        #expect(try bench.names == [SessionNames(asset: "yard")])
    }
}
