import Ingest
import Recording
import Testing

@Suite("MediaTimeline")
struct MediaTimelineTests {
    var timeline = MediaTimeline(tracks: [
        (clockRate: 90_000, timescale: 90_000), (clockRate: 16_000, timescale: 16_000),
    ])
    static let frame: Int64 = 3600

    static func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(microseconds: milliseconds * 1000) }

    /// Places video frames at 25 fps; `source` and `arrival` say what the n-th frame carries and when it comes.
    mutating func play(
        _ frames: Range<Int64>, source: (Int64) -> Int64 = { $0 * frame }, arrival: (Int64) -> Int64 = { $0 * 40 }
    ) -> [MediaTimeline.Placement] {
        frames.map {
            timeline.place(track: 0, timestamp: source($0), arrival: Self.at(arrival($0)), nominal: Self.frame)
        }
    }

    @Test("a camera's timestamps become media time from 0, tick for tick")
    mutating func steady() {
        let placements = play(0..<100, source: { 7_000_000_000 + $0 * Self.frame })
        #expect(placements.map(\.time) == (0..<100).map { $0 * Self.frame })
        #expect(placements.allSatisfy { $0.anomaly == nil })
    }

    @Test("network jitter below the tolerance changes nothing")
    mutating func jitter() {
        let placements = play(0..<200, arrival: { $0 * 40 + ($0 % 7 == 3 ? 1500 : 0) })
        #expect(placements.map(\.time) == (0..<200).map { $0 * Self.frame })
    }

    @Test("a stall whose frames come in a burst afterwards loses no time")
    mutating func burst() {
        let placements = play(0..<300, arrival: { (100..<250).contains($0) ? 10_000 : $0 * 40 })
        #expect(placements.map(\.time) == (0..<300).map { $0 * Self.frame })
        #expect(placements.allSatisfy { $0.anomaly == nil })
    }

    @Test("a burst of past frames at the start is no jump")
    mutating func cachedStart() {
        let placements = play(0..<250, arrival: { max(0, $0 - 200) * 40 })
        #expect(placements.map(\.time) == (0..<250).map { $0 * Self.frame })
    }

    @Test("a jump lays the line anew where the frame arrived, once", arguments: [3_600_000, -3_600_000, Int64.max / 2])
    mutating func jump(by ticks: Int64) {
        let placements = play(0..<200, source: { $0 * Self.frame + ($0 >= 100 ? ticks : 0) })
        #expect(placements.map(\.time) == (0..<200).map { $0 * Self.frame })
        #expect(placements.compactMap(\.anomaly) == [ticks > 0 ? .forwardJump : .backwardJump])
        #expect(placements[100].anomaly != nil)
    }

    @Test("frozen timestamps are noticed after 2 s and then follow arrival until they jump back to life")
    mutating func frozen() {
        let placements = play(0..<400, source: { (100..<300).contains($0) ? 99 * Self.frame : $0 * Self.frame })
        #expect(placements.compactMap(\.anomaly) == [.frozen, .forwardJump])
        let after = placements[160..<300].map(\.time)
        #expect(zip(after, after.dropFirst()).allSatisfy { $1 - $0 == Self.frame })
        #expect(placements[399].time == 399 * Self.frame)
    }

    @Test("a camera that paused without counting is moved forward once the network cannot be the reason")
    mutating func paused() {
        let placements = play(0..<400, arrival: { $0 * 40 + ($0 >= 100 ? 5000 : 0) })
        #expect(placements.compactMap(\.anomaly) == [.behind])
        #expect(placements[399].time == 399 * Self.frame + 5 * 90_000)
    }

    @Test("a clock that runs slow or fast for a day is followed: no jump", arguments: [-200, 200] as [Int64])
    mutating func drift(perMillion: Int64) {
        var wrong = 0
        for frame in Int64(0)..<86_400 * 2 {
            let arrival = MonotonicTime(microseconds: frame * 500_000)
            let source = frame * 45_000 + frame * 45_000 * perMillion / 1_000_000
            let placement = timeline.place(track: 0, timestamp: source, arrival: arrival, nominal: 45_000)
            if placement != MediaTimeline.Placement(time: source) { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    @Test("sound stays with its picture when the camera paused without counting")
    mutating func pausedTracks() {
        var last: (video: Int64, audio: Int64) = (0, 0)
        for frame in Int64(0)..<400 {
            let arrival = Self.at(frame * 40 + (frame >= 100 ? 5000 : 0))
            last.video = timeline.place(track: 0, timestamp: frame * 3600, arrival: arrival, nominal: 3600).time
            last.audio = timeline.place(track: 1, timestamp: frame * 640, arrival: arrival, nominal: 640).time
        }
        #expect(last.video == 399 * 3600 + 5 * 90_000)
        #expect(last.audio == 399 * 640 + 5 * 16_000)
    }

    @Test("tracks share the camera's clock when that is plausible, and stay in step over a jump")
    mutating func tracks() {
        var audio: [Int64] = []
        for n in Int64(0)..<200 {
            let shift = n >= 100 ? Int64(86_400) : 0
            let arrival = Self.at(n * 40 + 15)
            _ = timeline.place(
                track: 0, timestamp: n * Self.frame + shift * 90_000, arrival: Self.at(n * 40), nominal: Self.frame)
            audio.append(
                timeline.place(track: 1, timestamp: n * 640 + 100 + shift * 16_000, arrival: arrival, nominal: 640).time
            )
        }
        #expect(audio == (0..<200).map { $0 * 640 + 100 })
    }

    @Test("audio that starts late, or on a clock of its own, lies where it arrived", arguments: [0, 999_999_999])
    mutating func lateAudio(first: Int64) {
        _ = play(0..<100)
        let placement = timeline.place(track: 1, timestamp: first, arrival: Self.at(4000), nominal: 1024)
        #expect(placement == MediaTimeline.Placement(time: 64_000))
    }

    @Test("packets without a timestamp follow their predecessor")
    mutating func missing() {
        var times: [Int64] = []
        for n in Int64(0)..<6 {
            let stamp = n % 3 == 0 ? n * 1024 : nil
            times.append(
                timeline.place(track: 1, timestamp: stamp, arrival: Self.at(n / 3 * 192), nominal: 1024).time)
        }
        #expect(times == (0..<6).map { $0 * 1024 })
    }

    @Test("no timestamp traps", arguments: [Int64.min, .max, 0, -1])
    mutating func hostile(first: Int64) {
        for stamp in [first, .max, .min, 0, .max, first] {
            for (track, arrival) in [(0, Int64(0)), (1, 5_000_000), (7, 1)] {
                let placed = timeline.place(
                    track: track, timestamp: stamp, arrival: Self.at(arrival), nominal: .max)
                _ = timeline.place(track: track, timestamp: nil, arrival: Self.at(arrival), nominal: .max)
                // A track that does not exist lies nowhere; all others never run back by more than reordering does.
                #expect(track != 7 || placed.time == 0)
            }
        }
    }
}
