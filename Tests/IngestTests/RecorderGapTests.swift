import FragmentedMP4
import Ingest
import Messages
import Recording
import SegmentStore
import Testing

@Suite("Recorder: gaps")
struct RecorderGapTests {
    let start = ManualClock.start

    @Test("a camera that falls silent leaves a gap from its last frame to its next, in the same session")
    func stall() throws {
        let bench = try Bench()
        try bench.connect()
        bench.play(.seconds(3))
        bench.play(.seconds(6), video: false, audio: false)
        #expect(bench.recorder.progress.state != .recording)
        bench.play(.seconds(3))
        #expect(bench.recorder.progress.state == .recording)
        bench.recorder.stop(.stopped)
        #expect(
            try bench.gaps.first
                == Gap(from: start + .seconds(3), to: start + .seconds(9), reason: .networkLoss, detail: ""))
        #expect(try bench.segments.allSatisfy { $0.info.id.session == 1 })
        try bench.expectPlayable()
    }

    @Test("a camera that pauses in the middle of a frame leaves the same gap, though that frame comes late")
    func stallInFrame() throws {
        let bench = try Bench()
        bench.announcesFrames = true
        try bench.connect(audio: false)
        bench.play(.seconds(3))
        bench.play(.seconds(6), video: false)
        #expect(bench.recorder.progress.state != .recording)
        bench.play(.seconds(3))
        bench.recorder.stop(.stopped)
        #expect(
            try bench.gaps.first
                == Gap(from: start + .seconds(3), to: start + .seconds(9), reason: .networkLoss, detail: ""))
        #expect(try bench.segments.reduce(0) { $0 + $1.frames } == bench.sent.video - 1)
        #expect(try bench.segments.allSatisfy { $0.info.id.session == 1 })
        try bench.expectPlayable()
    }

    @Test(
        "a second of media is on disk as soon as the next frame begins: no more of it is ever held",
        arguments: [Footage.plain, .reordered, .h265])
    func second(footage: Footage) throws {
        let bench = try Bench()
        bench.footage = footage
        bench.announcesFrames = true
        try bench.connect(audio: false)
        var most = 0
        for _ in 0..<100 {
            bench.play(.milliseconds(40))
            // The last frame that was sent has only begun.
            let held = try bench.sent.video - 1 - bench.segments.reduce(0) { $0 + $1.frames }
            most = max(most, held)
        }
        // The second's last frame is written when the next one begins.
        #expect(most == 24)
    }

    @Test("pictures that are reordered less from a keyframe on leave no gap and no hole")
    func lessReordered() throws {
        let bench = try Bench()
        bench.footage = .reordered
        bench.announcesFrames = true
        try bench.connect(audio: false)
        bench.play(.seconds(4))
        bench.footage = .plain
        bench.play(.seconds(4))
        bench.recorder.stop(.stopped)
        #expect(try bench.gaps.map(\.reason) == [.stopped])
        #expect(try bench.contiguous() == [1: [bench.sent.video - 1]])
        try bench.expectPlayable()
    }

    @Test("a fault is told until a minute of health, and what is left out for as long as it is")
    func convalescence() throws {
        let bench = try Bench()
        try bench.recorder.connected(
            Announcement(streams: [StreamDescription(codec: .h264, clockRate: 90_000)], ignored: ["adpcm_g726"]))
        bench.play(.seconds(2), audio: false)
        bench.play(.seconds(4), video: false, audio: false)
        #expect(bench.recorder.progress.lastFault?.code == "stalled")
        bench.play(.seconds(55), audio: false)
        #expect(bench.recorder.progress.lastFault?.code == "stalled")
        bench.play(.seconds(6), audio: false)
        #expect(bench.recorder.progress.lastFault?.code == "unsupportedAudio")
        _ = bench.recorder.disconnected(.disconnected)
        try bench.connect(audio: false)
        bench.play(.seconds(62))
        #expect(bench.recorder.progress.lastFault == nil)
    }

    @Test("a camera that changes its format at every keyframe is bounded, says so, and is recorded again when it rests")
    func restless() throws {
        let bench = try Bench(.test(segment: .seconds(60)))
        try bench.connect(audio: false)
        for second in 0..<30 {
            bench.footage = second % 2 == 0 ? .plain : .larger
            bench.play(.seconds(1))
        }
        #expect(try bench.segments.count <= 12)
        #expect(bench.recorder.progress.lastFault?.code == "unsettledFormat")
        #expect(try bench.gaps.map(\.reason) == [.formatChange])
        bench.footage = .plain
        bench.play(.seconds(15))
        #expect(bench.recorder.progress.state == .recording)
        let gap = try #require(try bench.gaps.first)
        let end = try #require(gap.to)
        #expect(end - gap.from < .seconds(31))
    }

    @Test("what waits is on disk 1.5 s after the camera stalled")
    func timer() throws {
        let bench = try Bench()
        try bench.connect(audio: false)
        bench.play(.milliseconds(3400))
        bench.wait(.milliseconds(1200))
        #expect(try bench.segments.map(\.frames) == [84])
        bench.wait(.milliseconds(1200))
        #expect(try bench.segments.map(\.frames) == [85])
    }

    @Test("a hiccup whose frames arrive late loses nothing and leaves no gap")
    func hiccup() throws {
        let bench = try Bench()
        try bench.connect(audio: false)
        bench.play(.seconds(3))
        bench.wait(.seconds(4))
        for _ in 0..<100 { bench.sendVideo() }
        bench.play(.seconds(3))
        bench.recorder.stop(.stopped)
        #expect(try bench.contiguous() == [1: [250]])
        #expect(try bench.gaps.map(\.reason) == [.stopped])
    }

    @Test("a broken connection is a gap; a refusal after it splits it; the next sample ends it")
    func reconnect() throws {
        let bench = try Bench()
        try bench.connect()
        bench.play(.seconds(4))
        bench.wait(.seconds(1))
        #expect(bench.recorder.disconnected(.disconnected) > .seconds(3))
        bench.wait(.seconds(2))
        #expect(bench.recorder.disconnected(.authentication) == .zero)
        #expect(bench.recorder.progress.state == .reconnecting)
        #expect(bench.recorder.progress.lastFault?.code == "authentication")
        bench.wait(.seconds(5))
        try bench.connect()
        bench.frame += 200
        bench.audioPackets += 400
        bench.play(.seconds(2))
        bench.recorder.stop(.stopped)
        #expect(
            try bench.gaps.prefix(2) == [
                Gap(from: start + .seconds(4), to: start + .seconds(7), reason: .networkLoss, detail: ""),
                Gap(from: start + .seconds(7), to: start + .seconds(12), reason: .authentication, detail: ""),
            ])
        #expect(try bench.segments.last?.info.id.session == 2)
        #expect(try bench.segments.last?.info.gapBefore?.reason == .authentication)
    }

    @Test(
        "a camera that was never there is a gap from the worker's start on, by its own reason",
        arguments: [
            (.unreachable, .cameraOffline), (.authentication, .authentication), (.notFound, .cameraRefused),
            (.unsupportedCodec("mjpeg"), .unsupportedCodec), (.timeout, .cameraOffline),
        ] as [(SourceFailure, GapReason)])
    func never(failure: SourceFailure, reason: GapReason) throws {
        let bench = try Bench()
        bench.wait(.seconds(3))
        _ = bench.recorder.disconnected(failure)
        bench.wait(.seconds(3))
        _ = bench.recorder.disconnected(failure)
        #expect(try bench.gaps == [Gap(from: start, to: nil, reason: reason, detail: "")])
        #expect(bench.recorder.progress.lastFault?.nextStep.isEmpty == false)
    }

    @Test("only codecs that cannot be recorded: a failure, never a crash")
    func unsupported() throws {
        let bench = try Bench()
        #expect(throws: SourceFailure.self) {
            try bench.recorder.connected(Announcement(streams: [], ignored: ["mjpeg"]))
        }
    }

    @Test("audio that cannot be recorded beside video that can: recorded, and said")
    func ignoredAudio() throws {
        let bench = try Bench()
        let video = StreamDescription(codec: .h264, clockRate: 90_000)
        try bench.recorder.connected(Announcement(streams: [video], ignored: ["adpcm_g726"]))
        for _ in 0..<100 {
            bench.sendVideo()
            bench.clock.advance(.milliseconds(40))
        }
        #expect(bench.recorder.progress.state == .recording)
        #expect(bench.recorder.progress.lastFault?.code == "unsupportedAudio")
    }

    @Test("video without a keyframe is a gap after 30 s")
    func noKeyframe() throws {
        let bench = try Bench()
        bench.footage.units.removeFirst()
        bench.footage.units.removeSubrange(20...)
        try bench.connect()
        bench.play(.seconds(32))
        #expect(bench.recorder.progress.lastFault?.code == "noKeyframe")
        #expect(try bench.gaps == [Gap(from: start, to: nil, reason: .cameraRefused, detail: "")])
    }

    @Test("a first track that stays silent ends the connection, though audio goes on")
    func silentVideo() throws {
        let bench = try Bench()
        try bench.connect()
        bench.play(.seconds(3))
        bench.play(.seconds(9), video: false)
        #expect(!bench.recorder.wantsReconnect)
        bench.play(.seconds(2), video: false)
        #expect(bench.recorder.wantsReconnect)
    }

    @Test("a stop leaves a gap that the next worker closes at its first sample")
    func restart() throws {
        let (workspace, clock) = try stopped()
        clock.advance(.seconds(10))
        let bench = try Bench(in: workspace, clock: clock)
        try bench.connect()
        bench.play(.seconds(3))
        #expect(
            try bench.gaps == [
                Gap(from: start + .seconds(3), to: start + .seconds(13), reason: .stopped, detail: "")
            ])
        #expect(try bench.segments.map(\.info.id.session) == [1, 2])
    }

    /// A worker that recorded 3 s and is gone: its journal is locked as long as it lives.
    private func stopped() throws -> (Workspace, ManualClock) {
        let bench = try Bench()
        try bench.connect()
        bench.play(.seconds(3))
        bench.recorder.stop(.stopped)
        return (bench.workspace, bench.clock)
    }

    @Test(
        "a camera's clock that jumps is an anomaly with a next step, and no frame is lost",
        arguments: [1, -1] as [Int64])
    func jump(sign: Int64) throws {
        let bench = try Bench()
        try bench.connect()
        bench.play(.seconds(3))
        bench.clockShift += sign * 90_000 * 3600
        bench.play(.seconds(3))
        bench.recorder.stop(.stopped)
        #expect(try bench.contiguous() == [1: [150, 300]])
        #expect(bench.recorder.progress.anomalies == 2)
        #expect(bench.recorder.progress.lastFault?.code == "timestampJump")
        #expect(try bench.gaps.map(\.from) == [start + .seconds(6)])
    }

    @Test(
        "what is missing begins where the last segment ends, however the clocks drifted",
        arguments: [39_985, 40_015] as [Int64])
    func drift(frame: Int64) throws {
        let bench = try Bench(.test(segment: .seconds(60)))
        try bench.connect(audio: false)
        for _ in 0..<1400 {
            bench.sendVideo()
            bench.clock.advance(TimeSpan(microseconds: frame))
            bench.recorder.tick()
        }
        bench.recorder.stop(.stopped)
        let segments = try bench.segments
        let end = try #require(segments.last?.mediaEndTime)
        let gap = try #require(try bench.gaps.last)
        #expect(segments.count == 1 && gap.reason == .stopped && (gap.from - end).magnitude < .milliseconds(1))
        let ends = try bench.records.compactMap { if case .sessionEnd(_, let end, _) = $0 { end } else { nil } }
        #expect(ends == [gap.from])
    }

    @Test("media that runs ahead of time begins a new session where time is right")
    func ahead() throws {
        let bench = try Bench()
        try bench.connect(audio: false)
        for frame in 0..<1500 {
            bench.sendVideo()
            // Twice as fast as its timestamps say.
            bench.clock.advance(.milliseconds(frame < 1000 ? 20 : 40))
            bench.recorder.tick()
        }
        bench.recorder.stop(.stopped)
        #expect(try bench.contiguous().values.reduce(0) { $0 + $1[0] } == 1500)
        #expect(try bench.contiguous().count > 1)
        let last = try #require(try bench.segments.last)
        let end = last.info.anchor + TimeSpan(microseconds: lastTime(last) * 100 / 9)
        #expect((bench.clock.wall - end).magnitude < .seconds(3))
    }

    private func lastTime(_ segment: SegmentReader) -> Int64 {
        segment.fragments.last?.perTrack.first.map { $0.baseDecodeTime + $0.duration } ?? 0
    }
}

@Suite("Recorder: wall clock")
struct RecorderClockTests {
    let start = ManualClock.start

    @Test(
        "a step begins a new session at the next keyframe, without losing a frame",
        arguments: [
            3600, -3600, 315_576_000, -315_576_000, -1_799_999_000,
        ] as [Int64])
    func step(seconds: Int64) throws {
        let bench = try Bench()
        try bench.connect()
        bench.play(.milliseconds(3520))
        bench.clock.wall = bench.clock.wall + .seconds(seconds)
        bench.play(.milliseconds(3520))
        bench.recorder.stop(.stopped)
        let counts = try bench.contiguous()
        #expect(counts.keys.sorted() == [1, 2])
        #expect(counts.values.reduce(0) { $0 + $1[0] } == bench.sent.video)
        #expect(counts.values.reduce(0) { $0 + $1[1] } == bench.sent.audio)
        let anchors = try bench.segments.map(\.info.anchor)
        #expect(anchors.first == start)
        #expect(anchors.last == start + .seconds(seconds) + .seconds(4))
        #expect(try bench.records.contains { if case .clockStep = $0 { true } else { false } })
        let steps = try bench.gaps.filter { $0.reason == .clockStep }
        let expected = Gap(
            from: start + .seconds(4), to: start + .seconds(seconds + 4), reason: .clockStep, detail: "")
        #expect(steps == (seconds > 0 ? [expected] : []))
        #expect(try bench.gaps.allSatisfy { gap in gap.to.map { $0 > gap.from } ?? true })
    }

    @Test("a clock that is synchronised at last begins a new session, without losing a frame")
    func synchronised() throws {
        var settings = CameraSettings.test(segment: .seconds(60))
        settings.trustsClock = false
        let bench = try Bench(settings)
        bench.clock.isSynchronised = false
        try bench.connect(audio: false)
        bench.play(.milliseconds(3520))
        bench.clock.isSynchronised = true
        bench.play(.milliseconds(3520))
        bench.recorder.stop(.stopped)
        #expect(try bench.segments.map(\.info.quality) == [.unsynchronised, .synchronised])
        #expect(try bench.contiguous().values.reduce(0) { $0 + $1[0] } == bench.sent.video)
        #expect(try bench.gaps.map(\.reason) == [.stopped])
    }

    @Test("a step while the camera is away is journalled, and the gap has no negative length")
    func stepWhileAway() throws {
        let bench = try Bench()
        try bench.connect()
        bench.play(.seconds(3))
        _ = bench.recorder.disconnected(.disconnected)
        bench.clock.wall = bench.clock.wall + .seconds(-7200)
        bench.wait(.seconds(2))
        try bench.connect()
        bench.play(.seconds(2))
        bench.recorder.stop(.stopped)
        #expect(try bench.records.contains { if case .clockStep = $0 { true } else { false } })
        #expect(
            try bench.gaps.prefix(2) == [
                Gap(from: start + .seconds(3), to: start + .milliseconds(3050), reason: .networkLoss, detail: ""),
                Gap(
                    from: start + .milliseconds(3050) - .seconds(7200), to: start - .seconds(7195),
                    reason: .networkLoss, detail: ""),
            ])
        #expect(try bench.segments.last?.info.anchor == start + .seconds(5 - 7200))
    }

    @Test("a step forward while the camera is away splits its gap: what the clock left out is not the camera's")
    func forwardWhileAway() throws {
        let bench = try Bench()
        try bench.connect()
        bench.play(.seconds(3))
        _ = bench.recorder.disconnected(.disconnected)
        bench.wait(.seconds(1))
        bench.clock.wall = bench.clock.wall + .seconds(3600)
        bench.wait(.seconds(2))
        try bench.connect()
        bench.play(.seconds(2))
        bench.recorder.stop(.stopped)
        let gaps = try bench.gaps.dropLast()
        #expect(gaps.map(\.reason) == [.networkLoss, .clockStep, .networkLoss])
        #expect(gaps.first?.from == start + .seconds(3) && gaps.last?.to == start + .seconds(3606))
        for (gap, next) in zip(gaps, gaps.dropFirst()) { #expect(gap.to == next.from) }
        let step = try #require(gaps.dropFirst().first)
        #expect(step.to == step.from + .seconds(3600))
    }
}
