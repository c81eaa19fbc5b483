import Ingest
import Recording
import Testing

@Suite("GapLedger")
struct GapLedgerTests {
    static func at(_ second: Int64) -> WallTime { WallTime(seconds: 1_800_000_000 + second) }
    static func gap(_ from: Int64, _ to: Int64?, _ reason: GapReason) -> Gap {
        Gap(from: at(from), to: to.map(at), reason: reason, detail: "")
    }

    var ledger = GapLedger(current: nil)

    @Test("opens once and closes once")
    mutating func once() {
        #expect(
            ledger.open(from: Self.at(1), reason: .networkLoss, detail: "") == [.opened(Self.gap(1, nil, .networkLoss))]
        )
        #expect(ledger.open(from: Self.at(5), reason: .networkLoss, detail: "again") == [])
        #expect(ledger.close(to: Self.at(9)) == [.closed(Self.gap(1, 9, .networkLoss))])
        #expect(ledger.close(to: Self.at(10)) == [])
    }

    @Test("another reason splits it without a hole")
    mutating func split() {
        _ = ledger.open(from: Self.at(1), reason: .networkLoss, detail: "")
        #expect(
            ledger.open(from: Self.at(4), reason: .cameraOffline, detail: "")
                == [.closed(Self.gap(1, 4, .networkLoss)), .opened(Self.gap(4, nil, .cameraOffline))])
    }

    @Test("no gap has a negative length, whatever the clock does")
    mutating func backwards() {
        _ = ledger.open(from: Self.at(100), reason: .stopped, detail: "")
        let changes = ledger.open(from: Self.at(40), reason: .cameraOffline, detail: "")
        #expect(changes.first == .closed(Self.gap(100, 100, .stopped)))
        #expect(ledger.close(to: Self.at(50)) == [.closed(Self.gap(100, 100, .cameraOffline))])
    }

    @Test("what recovery left open goes on")
    mutating func recovered() {
        ledger = GapLedger(current: Self.gap(1, nil, .workerCrash))
        #expect(ledger.close(to: Self.at(3)) == [.closed(Self.gap(1, 3, .workerCrash))])
    }

    @Test("a detail is one short line")
    mutating func detail() {
        _ = ledger.open(from: Self.at(1), reason: .unknown, detail: "a\nb" + String(repeating: "x", count: 999))
        #expect(ledger.current?.detail.hasPrefix("a bx") == true)
        #expect(ledger.current?.detail.count == 200)
    }
}

@Suite("Backoff")
struct BackoffTests {
    /// Always the largest value.
    struct Greatest: RandomNumberGenerator {
        mutating func next() -> UInt64 { .max }
    }

    /// Almost the least: `random(in:)` asks again after a 0.
    struct Least: RandomNumberGenerator {
        mutating func next() -> UInt64 { 1 << 40 }
    }

    @Test("doubles from 1 s to 30 s, and a minute of media resets it")
    func grows() {
        var backoff = Backoff()
        var generator = Greatest()
        let delays = (0..<7).map { _ in backoff.delay(afterRecording: .zero, using: &generator) }
        #expect(delays == [1, 2, 4, 8, 16, 30, 30].map { .seconds($0) })
        #expect(backoff.delay(afterRecording: .seconds(59), using: &generator) == .seconds(30))
        #expect(backoff.delay(afterRecording: .seconds(60), using: &generator) == .seconds(1))
    }

    @Test("full jitter, but never at once")
    func jitter() {
        var backoff = Backoff()
        var generator = Least()
        #expect(backoff.delay(afterRecording: .zero, using: &generator) == .milliseconds(100))
    }
}

@Suite("FrameRhythm")
struct FrameRhythmTests {
    static func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(microseconds: milliseconds * 1000) }

    @Test("a camera at 25 fps is missed after 2 s, one that sends a frame every 5 s after 15 s")
    func patience() {
        var fast = FrameRhythm()
        for n in Int64(0)..<50 { fast.frame(at: Self.at(n * 40)) }
        #expect(!fast.isStalled(at: Self.at(49 * 40 + 2000)))
        #expect(fast.isStalled(at: Self.at(49 * 40 + 2001)))
        var slow = FrameRhythm()
        for n in Int64(0)..<50 { slow.frame(at: Self.at(n * 5000)) }
        #expect(!slow.isStalled(at: Self.at(49 * 5000 + 15_000)))
        #expect(slow.isStalled(at: Self.at(49 * 5000 + 15_001)))
    }

    @Test("nothing is missed before the first frame")
    func first() { #expect(!FrameRhythm().isStalled(at: Self.at(1_000_000))) }
}
