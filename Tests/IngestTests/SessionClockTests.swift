import Ingest
import Recording
import Testing

@Suite("SessionClock")
struct SessionClockTests {
    static let start = WallTime(microseconds: 1_800_000_000_000_000)
    static func now(_ span: TimeSpan) -> MonotonicTime { MonotonicTime(microseconds: span.microseconds) }

    var clock = SessionClock(anchor: start, quality: .synchronised, now: now(.zero))

    mutating func observe(_ seconds: Range<Int64>, delay: (Int64) -> TimeSpan, drift: Double = 0) {
        for second in seconds {
            let media = TimeSpan(microseconds: Int64(Double(second) * (1 + drift) * 1_000_000))
            clock.observe(
                media: media, arrival: Self.start + .seconds(second) + delay(second), cameraTime: nil,
                now: Self.now(.seconds(second)))
        }
    }

    @Test("before it is written the anchor follows the least delayed frame")
    mutating func settles() {
        observe(0..<5, delay: { .milliseconds($0 == 3 ? -120 : 50) })
        #expect(clock.anchor == Self.start + .milliseconds(-120))
    }

    @Test("a first frame that came late does not overlap with what was recorded before")
    mutating func clamped() {
        observe(0..<2, delay: { _ in .milliseconds(-300) })
        clock.settle(notBefore: Self.start, now: Self.now(.seconds(1)))
        #expect(clock.anchor == Self.start)
    }

    @Test("an overlap that no delay explains stays")
    mutating func notClamped() {
        clock.settle(notBefore: Self.start + .seconds(3600), now: Self.now(.zero))
        #expect(clock.anchor == Self.start)
    }

    @Test("afterwards it moves by at most 500 ppm, however wrong it is", arguments: [-1, 1] as [Int64])
    mutating func slews(sign: Int64) {
        clock.settle(notBefore: nil, now: Self.now(.zero))
        observe(0..<11, delay: { _ in .milliseconds(sign * 400) })
        let before = clock.anchor
        observe(11..<111, delay: { _ in .milliseconds(sign * 400) })
        let moved = (clock.anchor - before).microseconds
        #expect(moved == sign * 50_000)
    }

    @Test("jitter does not move it: the least delayed frame of 10 s counts")
    mutating func ignoresJitter() {
        clock.settle(notBefore: nil, now: Self.now(.zero))
        observe(0..<300, delay: { .milliseconds($0 % 5 == 0 ? 0 : 800) })
        #expect(clock.anchor == Self.start)
    }

    @Test("a camera whose clock is 100 ppm off is followed")
    mutating func follows() {
        clock.settle(notBefore: nil, now: Self.now(.zero))
        observe(0..<20_000, delay: { _ in .zero }, drift: 100e-6)
        let error = clock.wall(TimeSpan(microseconds: Int64(20_000 * 1.0001 * 1e6))) - (Self.start + .seconds(20_000))
        #expect(error.magnitude < .milliseconds(10))
        #expect(!clock.runsAhead)
    }

    @Test("media that runs ahead of time is told apart")
    mutating func ahead() {
        clock.settle(notBefore: nil, now: Self.now(.zero))
        observe(0..<40, delay: { _ in .zero }, drift: 0.5)
        #expect(clock.runsAhead)
    }

    @Test("the camera's own clock is kept beside ours")
    mutating func cameraClock() {
        clock.settle(notBefore: nil, now: Self.now(.zero))
        clock.observe(
            media: .seconds(4), arrival: Self.start + .seconds(4), cameraTime: Self.start + .seconds(3604),
            now: Self.now(.seconds(4)))
        #expect(clock.cameraOffset == .seconds(3600))
    }
}

@Suite("WallStep")
struct WallStepTests {
    static let wall = WallTime(microseconds: 1_800_000_000_000_000)
    var step = WallStep(wall: wall, now: MonotonicTime(microseconds: 77))

    mutating func check(after seconds: Int64, wallMoved: TimeSpan) -> Bool {
        step.isStepped(
            wall: Self.wall + wallMoved, now: MonotonicTime(microseconds: 77 + seconds * 1_000_000))
    }

    @Test("a clock that is set is noticed, either way", arguments: [3600, -3600, 315_576_000, -315_576_000] as [Int64])
    mutating func steps(by seconds: Int64) {
        #expect(!check(after: 1, wallMoved: .seconds(1)))
        #expect(check(after: 2, wallMoved: .seconds(2 + seconds)))
        #expect(check(after: 3, wallMoved: .seconds(3 + seconds)))
        let now = MonotonicTime(microseconds: 77 + 4_000_000)
        #expect(step.counted(now) == Self.wall + .seconds(4))
        step.accept(wall: Self.wall + .seconds(4 + seconds), now: now)
        #expect(!check(after: 5, wallMoved: .seconds(5 + seconds)))
    }

    @Test("half a second is discipline's, not a step")
    mutating func small() {
        #expect(!check(after: 1, wallMoved: .milliseconds(1400)))
        #expect(check(after: 2, wallMoved: .milliseconds(2600)))
    }

    @Test("slow discipline never adds up to a step")
    mutating func slow() {
        for second in 1...20_000 as ClosedRange<Int64> {
            #expect(!check(after: second, wallMoved: TimeSpan(microseconds: second * 1_000_400)))
        }
    }
}
