import FragmentedMP4
import Ingest
import Recording
import TestSupport
import Testing

@Suite("SegmentCutter")
struct SegmentCutterTests {
    /// Where segments begin when keyframes come at `keys`.
    func cuts(_ cutter: inout SegmentCutter, keys: some Sequence<TimeSpan>) -> [TimeSpan] {
        var starts: [TimeSpan] = []
        for key in keys where cutter.isDue(at: key, bytes: 0) {
            cutter.cut(at: key)
            starts.append(key)
        }
        return starts
    }

    @Test("lengths do not drift: late keyframes do not move the grid")
    func grid() {
        var cutter = SegmentCutter(length: .seconds(30))
        let starts = cuts(&cutter, keys: (1...400).map { TimeSpan.milliseconds($0 * 1900) })
        for (index, start) in starts.enumerated() {
            let target = TimeSpan.seconds(30) * Int64(index + 1)
            #expect(start >= target && start - target < .milliseconds(1900))
        }
        #expect(starts.count == 25)
    }

    @Test("a keyframe that rounding put just before its target is the target")
    func rounding() {
        var cutter = SegmentCutter(length: .seconds(4))
        let keys = (1...10).map { TimeSpan(microseconds: $0 * 4_000_000 - 12) }
        #expect(cuts(&cutter, keys: keys) == keys)
    }

    @Test("a group of pictures longer than the segment makes segments of its own length")
    func longGroups() {
        var cutter = SegmentCutter(length: .seconds(4))
        let keys = (1...10).map { TimeSpan.seconds($0 * 10) }
        #expect(cuts(&cutter, keys: keys) == keys)
    }

    @Test("1 GiB is enough for any segment")
    func size() {
        let cutter = SegmentCutter(length: .seconds(3600))
        #expect(!cutter.isDue(at: .seconds(5), bytes: 1 << 29))
        #expect(cutter.isDue(at: .seconds(5), bytes: 1 << 30))
    }

    @Test("another length counts from the running segment on")
    func change() {
        var cutter = SegmentCutter(length: .seconds(30))
        cutter.cut(at: .seconds(60))
        cutter.length = .seconds(300)
        #expect(cutter.target == .seconds(300))
        cutter.length = .zero
        #expect(cutter.target > .seconds(60))
    }
}

@Suite("FragmentBuilder")
struct FragmentBuilderTests {
    var builder = FragmentBuilder(timescales: [90_000, 8000])
    let now = MonotonicTime(microseconds: 5)

    func sample(_ track: Int, at time: Int64, lasting duration: Int64, bytes: Int = 10) -> Sample {
        Sample(
            track: track, decodeTime: time, duration: duration, isSync: true, data: Array(repeating: 0, count: bytes))
    }

    @Test("a fragment is due after 1 s of the first track's media, whatever the others hold")
    mutating func length() {
        for n in Int64(0)..<40 { builder.add(sample(1, at: n * 800, lasting: 800), at: now) }
        #expect(!builder.isDue)
        for n in Int64(0)..<25 {
            #expect(!builder.isDue)
            builder.add(sample(0, at: n * 3600, lasting: 3600), at: now)
        }
        #expect(builder.isDue)
        #expect(builder.take().count == 65)
        #expect(!builder.isDue && builder.samples.isEmpty && builder.openSince == nil)
    }

    @Test("rounded timestamps do not move fragments off their keyframes", arguments: [1, 90] as [Int64])
    mutating func jitter(ticks: Int64) {
        var generator = SeededRandom(seed: 7)
        var (time, counts) = (Int64(0), [Int]())
        for n in Int64(1)...1500 {
            let next = n * 3600 + Int64.random(in: -ticks...ticks, using: &generator)
            builder.add(sample(0, at: time, lasting: next - time), at: now)
            time = next
            if builder.isDue { counts.append(builder.take().count) }
        }
        #expect(counts == Array(repeating: 25, count: 60))
    }

    @Test(
        "a fragment ends at the frame border nearest to its second",
        arguments: [(3000, 30), (3003, 30), (13_500, 6), (90_000, 1)] as [(Int64, Int)])
    mutating func nearest(duration: Int64, count: Int) {
        for n in 0..<count {
            #expect(!builder.isDue)
            builder.add(sample(0, at: Int64(n) * duration, lasting: duration), at: now)
        }
        #expect(builder.isDue)
    }

    @Test("one frame of several seconds is due at once")
    mutating func slow() {
        builder.add(sample(0, at: 0, lasting: 450_000), at: now)
        #expect(builder.isDue)
    }

    @Test("a sample that does not touch its predecessor belongs in the next fragment")
    mutating func hole() {
        builder.add(sample(0, at: 0, lasting: 3600), at: now)
        #expect(builder.accepts(sample(0, at: 3600, lasting: 1)))
        #expect(!builder.accepts(sample(0, at: 3601, lasting: 1)))
        #expect(builder.accepts(sample(1, at: 9999, lasting: 1)))
    }

    @Test("bytes are bounded")
    mutating func bound() {
        for n in Int64(0)..<8 { builder.add(sample(0, at: n, lasting: 1, bytes: 2 << 20), at: now) }
        #expect(builder.isDue)
    }
}
