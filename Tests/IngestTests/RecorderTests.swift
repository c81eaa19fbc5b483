import FragmentedMP4
import Ingest
import Messages
import Recording
import SegmentStore
import Testing

@Suite("Recorder")
struct RecorderTests {
    @Test("records for ever without losing or doubling a sample at any border")
    func steady() throws {
        let bench = try Bench()
        try bench.connect()
        bench.play(.seconds(21))
        bench.recorder.stop(.stopped)
        #expect(try bench.contiguous() == [1: [bench.sent.video, bench.sent.audio]])
        let segments = try bench.segments
        #expect(segments.map(\.info.id.counter) == [0, 1, 2, 3, 4])
        #expect(segments.map(\.duration) == [5, 5, 5, 5, 1].map { $0 * 90_000 })
        #expect(segments.allSatisfy { $0.isComplete && $0.fragments[0].startsWithKey })
        #expect(segments[0].fragments.map(\.perTrack[0].duration) == Array(repeating: 90_000, count: 5))
        #expect(try bench.gaps.map(\.reason) == [.stopped])
        #expect(try bench.gaps[0].from == ManualClock.start + .seconds(21))
        try bench.expectPlayable()
    }

    @Test("the same for H.265")
    func h265() throws {
        let bench = try Bench(.test(segment: .seconds(2)))
        bench.footage = .h265
        try bench.connect()
        bench.play(.seconds(6))
        bench.recorder.stop(.stopped)
        #expect(try bench.contiguous() == [1: [150, 300]])
        try bench.expectPlayable()
    }

    @Test("video alone, audio alone", arguments: [true, false])
    func oneTrack(video: Bool) throws {
        let bench = try Bench(.test(segment: .seconds(2)))
        try bench.connect(video: video, audio: !video)
        bench.play(.seconds(6))
        bench.recorder.stop(.stopped)
        #expect(try bench.contiguous() == [1: [video ? 150 : 300]])
        #expect(try bench.segments.count == 3)
        try bench.expectPlayable()
    }

    @Test("audio that starts late lies where it was heard")
    func lateAudio() throws {
        let bench = try Bench()
        try bench.connect()
        bench.play(.seconds(7), audio: false)
        bench.play(.seconds(3))
        bench.recorder.stop(.stopped)
        let runs = try bench.segments.flatMap(\.fragments).flatMap(\.perTrack).filter { $0.track == 1 }
        #expect(runs.first?.baseDecodeTime == 56_000)
        #expect(try bench.contiguous() == [1: [250, 150]])
    }

    @Test("audio that pauses leaves a hole in its track and nothing else")
    func pausedAudio() throws {
        let bench = try Bench()
        try bench.connect()
        bench.play(.seconds(2))
        bench.play(.seconds(8), audio: false)
        bench.play(.seconds(2))
        bench.recorder.stop(.stopped)
        let runs = try bench.segments.flatMap(\.fragments).flatMap(\.perTrack)
        #expect(runs.filter { $0.track == 0 }.reduce(0) { $0 + $1.samples } == 300)
        #expect(runs.filter { $0.track == 1 }.reduce(0) { $0 + $1.samples } == 200)
        #expect(runs.filter { $0.track == 1 }.allSatisfy { $0.duration <= 9000 })
        #expect(try bench.gaps.map(\.reason) == [.stopped])
    }

    @Test("audio that arrives far ahead of its video still lies in the segment of its time")
    func audioAhead() throws {
        let bench = try Bench(.test(segment: .seconds(2)))
        try bench.connect()
        bench.play(.seconds(1))
        // The network held both back, and lets all the audio through first.
        bench.clock.advance(.seconds(6))
        for _ in 0..<300 { bench.sendAudio() }
        for _ in 0..<150 { bench.sendVideo() }
        bench.play(.seconds(1))
        bench.recorder.stop(.stopped)
        #expect(try bench.contiguous() == [1: [200, 400]])
        for segment in try bench.segments {
            let runs = segment.fragments.flatMap(\.perTrack)
            let video = try #require(runs.first { $0.track == 0 }?.baseDecodeTime)
            let audio = try #require(runs.first { $0.track == 1 }?.baseDecodeTime)
            #expect(abs(video * 8000 / 90_000 - audio) <= 160)
        }
    }

    @Test("frames before the first keyframe are not recorded")
    func firstKeyframe() throws {
        let bench = try Bench()
        bench.frame = 10
        try bench.connect(audio: false)
        bench.play(.seconds(2))
        bench.recorder.stop(.stopped)
        let segment = try #require(try bench.segments.first)
        #expect(segment.frames == 50 - 15)
        #expect(segment.info.anchor == ManualClock.start + .milliseconds(600))
    }

    @Test("a group of pictures longer than the segment: fragments of 1 s, cut at each keyframe")
    func longGroup() throws {
        let bench = try Bench(.test(segment: .seconds(2)))
        bench.footage = .longGroup
        try bench.connect()
        bench.play(.seconds(12))
        bench.recorder.stop(.stopped)
        let segments = try bench.segments
        #expect(segments.map(\.duration) == [4, 4, 4].map { $0 * 90_000 })
        #expect(segments.allSatisfy { $0.fragments.count == 4 && $0.fragments[0].startsWithKey })
        try bench.expectPlayable()
    }

    @Test("a keyframe of 2 MB")
    func largeKeyframe() throws {
        let bench = try Bench(.test(segment: .seconds(2)))
        bench.footage = Footage.plain.bloated(to: 2 << 20)
        try bench.connect()
        bench.play(.seconds(6))
        bench.recorder.stop(.stopped)
        #expect(try bench.contiguous() == [1: [150, 300]])
        try bench.expectPlayable()
    }

    @Test("another size in mid-stream: a new segment of the same session, journalled")
    func formatChange() throws {
        let bench = try Bench(.test(segment: .seconds(60)))
        try bench.connect()
        bench.play(.seconds(3))
        bench.footage = .larger
        bench.play(.seconds(3))
        bench.recorder.stop(.stopped)
        let segments = try bench.segments
        #expect(segments.map(\.info.id) == [0, 1].map { SegmentID(session: 1, counter: $0) })
        #expect(segments.map(\.tracks[0].width) == [64, 128])
        #expect(try bench.records.contains { if case .formatChange(let id, _) = $0 { id.counter == 1 } else { false } })
        try bench.expectPlayable()
    }

    @Test("other limits are taken over without a new session")
    func limits() throws {
        let bench = try Bench(.test(segment: .seconds(60)))
        try bench.connect()
        bench.play(.seconds(3))
        bench.recorder.adopt(.test(segment: .seconds(2)))
        bench.play(.seconds(6))
        bench.recorder.stop(.stopped)
        #expect(try bench.segments.map(\.duration) == [3, 1, 2, 2, 1].map { $0 * 90_000 })
        #expect(try bench.contiguous().keys.sorted() == [1])
    }

    @Test("whatever bytes a camera sends, nothing traps and the next keyframe records")
    func hostile() throws {
        let bench = try Bench()
        try bench.connect()
        var generator = SystemRandomNumberGenerator()
        for round in 0..<300 {
            var data = (0..<Int.random(in: 0...400)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if round % 3 == 0 { data = [0, 0, 0, 1] + data }
            if round % 3 == 1 { data = Array(bench.footage.units[round % 100].shuffled().prefix(300)) }
            bench.recorder.take(
                Packet(
                    stream: round % 4, timestamp: Int64.random(in: .min ... .max), isKey: round % 5 == 0, data: data))
            bench.clock.advance(.milliseconds(40))
            bench.recorder.tick()
        }
        bench.play(.seconds(4))
        bench.recorder.stop(.stopped)
        #expect(try bench.segments.contains { $0.frames >= 25 })
    }

    @Test("an unsynchronised clock is said to be one", arguments: [true, false])
    func quality(isSynchronised: Bool) throws {
        var settings = CameraSettings.test()
        settings.trustsClock = false
        let bench = try Bench(settings)
        bench.clock.isSynchronised = isSynchronised
        try bench.connect()
        bench.play(.seconds(2))
        bench.recorder.stop(.stopped)
        #expect(try bench.segments.first?.info.quality == (isSynchronised ? .synchronised : .unsynchronised))
    }

    @Test("progress tells what an operator asks")
    func progress() throws {
        let bench = try Bench()
        #expect(bench.recorder.progress.state == .starting)
        try bench.connect()
        bench.play(.seconds(6))
        let progress = bench.recorder.progress
        #expect(progress.state == .recording)
        #expect(progress.session == 1)
        #expect(progress.width == 64 && progress.height == 48)
        #expect(progress.codec.hasPrefix("avc1."))
        #expect(abs(progress.framesPerSecond - 25) < 0.1)
        #expect(progress.framesReceived == 150 && progress.fragmentsWritten == 5)
        #expect(progress.lastFault == nil && progress.anomalies == 0)
    }
}
