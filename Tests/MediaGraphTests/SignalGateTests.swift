import JSON
import MediaGraph
import Recording
import TestSupport
import Testing

/// Seconds after a time of day, for reading.
private func at(_ seconds: Double) -> WallTime {
    WallTime(seconds: 1_764_000_000) + TimeSpan(seconds: seconds)
}

/// A gate, and what it said: ids are numbered from 1.
private struct Bench {
    var gate: SignalGate
    var count = 0
    /// The id that the newest event went by.
    var correlation: String?

    /// All in seconds.
    init(window: Double = 0, offset: Double = 0, minimum: Double = 30, maximum: Double = 60) {
        gate = SignalGate(
            RecordingPlan.GateSettings(
                nodeName: "gate", evaluationWindow: TimeSpan(seconds: window),
                offset: TimeSpan(microseconds: Int64(offset * 1_000_000)), minimum: TimeSpan(seconds: minimum),
                maximum: TimeSpan(seconds: maximum)))
    }

    mutating func event(_ happened: Double, arrives received: Double? = nil) -> [String] {
        let heard = gate.signal(at: at(happened), received: at(received ?? happened)) {
            count += 1
            return "\(count)"
        }
        correlation = heard.correlation
        return heard.windows.map(Self.text)
    }

    mutating func pass(_ now: Double) -> [String] { gate.pass(to: at(now)).map(Self.text) }

    /// Such as `1: -5…30`.
    static func text(_ window: SignalWindow) -> String {
        let from = (window.from - at(0)).seconds, until = (window.until - at(0)).seconds
        return "\(window.correlation): \(Int(from))…\(Int(until))"
    }
}

@Suite("Signal gate")
struct SignalGateTests {
    @Test("one event records -offset + minimum", arguments: [-5, 0, 10])
    func one(offset: Int) {
        var bench = Bench(offset: Double(offset))
        #expect(bench.event(0) == ["1: \(offset)…30"])
        #expect(bench.event(100) == ["2: \(100 + offset)…130"])
    }

    @Test("two events dt apart record -offset + dt + minimum")
    func two() {
        var bench = Bench(offset: -5)
        #expect(bench.event(0) == ["1: -5…30"])
        #expect(bench.event(12) == ["1: -5…42"])
        #expect(bench.correlation == "1")
    }

    @Test("events without end record -offset + maximum, and the next one after that opens the gate anew")
    func saturated() {
        var bench = Bench(offset: -5)
        var said: [String] = []
        for second in stride(from: 0.0, through: 60, by: 10) { said += bench.event(second) }
        #expect(said == ["1: -5…30", "1: -5…40", "1: -5…50", "1: -5…60"])
        // Its footage from 56 on is the first one's.
        #expect(bench.event(61) == ["2: 60…91"])
        #expect(bench.correlation == "2")
    }

    /// Offset -5 s, minimum 20 s, maximum 40 s, evaluation window 1 s: LVA's own example, and how long it records.
    @Test(
        "records as long as LVA's example does",
        arguments: [([0], 25.0), ([0, 5], 30), ([0, 10, 20, 30, 40], 45)] as [([Double], Double)])
    func example(events: [Double], duration: Double) {
        var bench = Bench(window: 1, offset: -5, minimum: 20, maximum: 40)
        var newest: SignalWindow?
        for event in events {
            newest = bench.gate.signal(at: at(event), received: at(event)) { "1" }.windows.last ?? newest
            newest = bench.gate.pass(to: at(event + 1)).last ?? newest
        }
        #expect(newest.map { ($0.until - $0.from).seconds } == duration && newest?.from == at(-5))
    }

    @Test("an event right after the gate closed opens it anew, with another id")
    func reopened() {
        var bench = Bench(offset: -5)
        #expect(bench.event(0) == ["1: -5…30"])
        #expect(bench.event(30.001) == ["2: 30…60"])
        #expect(bench.event(66) == ["3: 61…96"])
    }

    @Test("an earlier event that arrives within the evaluation window moves the beginning back")
    func evaluated() {
        var bench = Bench(window: 2, offset: -5)
        #expect(bench.event(10) == [])
        #expect(bench.gate.nextPass == at(12))
        #expect(bench.event(7, arrives: 11.5) == [])
        #expect(bench.event(11.6) == [])
        #expect(bench.pass(11.9) == [])
        #expect(bench.pass(12) == ["1: 2…41"])
        #expect(bench.gate.nextPass == nil && bench.pass(13) == [])
        #expect(bench.gate.settings.preRoll == TimeSpan(seconds: 9))
    }

    @Test("an earlier event that arrives after the evaluation window is dropped")
    func late() {
        var bench = Bench(window: 2)
        #expect(bench.event(10) == [])
        #expect(bench.event(9, arrives: 12.5) == ["1: 10…40"])
        #expect(bench.correlation == nil)
        #expect(bench.event(9.5, arrives: 20) == [])
        // A later one is none, however long it was on its way.
        #expect(bench.event(11, arrives: 20) == ["1: 10…41"])
    }

    @Test("the maximum counts from the earliest event, and what is longer before it is an activation of its own")
    func earliest() {
        var bench = Bench(window: 10, minimum: 30, maximum: 30)
        #expect(bench.event(10) == [])
        #expect(bench.event(5, arrives: 12) == [])
        #expect(bench.pass(20) == ["1: 5…35"])

        bench = Bench(window: 10, minimum: 1, maximum: 2)
        #expect(bench.event(10) == [])
        #expect(bench.event(5, arrives: 11) == ["2: 5…6"])
        #expect(bench.event(13) == ["1: 10…11"])
        #expect(bench.pass(23) == ["3: 13…14"])
    }

    @Test("an earlier event takes no time from a later one, whose gate it did not open")
    func earlierActivation() {
        // Shut at 85, before 100.
        var bench = Bench(window: 10, minimum: 10, maximum: 30)
        #expect(bench.event(100) == [])
        #expect(bench.event(75, arrives: 105) == ["2: 75…85"])
        #expect(bench.correlation == "2", "it goes on by its own activation")
        #expect(bench.pass(110) == ["1: 100…110"])

        // Shut by its maximum at 107, before 109.
        bench = Bench(window: 10, minimum: 10, maximum: 12)
        #expect(bench.event(100) == [] && bench.event(109) == [])
        #expect(bench.event(95, arrives: 109.5) == ["2: 95…107"])
        #expect(bench.correlation == "2")
        #expect(bench.pass(110) == ["1: 107…119"])

        // Still open at 100.
        bench = Bench(window: 10, minimum: 10, maximum: 30)
        #expect(bench.event(100) == [] && bench.event(95, arrives: 101) == [])
        #expect(bench.pass(110) == ["1: 95…110"])
    }

    @Test("an event that arrives after the gate closed, and happened before, records what is left of its time")
    func straggler() {
        var bench = Bench(minimum: 30, maximum: 300)
        #expect(bench.event(0) == ["1: 0…30"])
        #expect(bench.event(29, arrives: 31) == ["2: 30…59"])
        #expect(bench.event(10, arrives: 70) == [])
        // That one changed nothing.
        #expect(bench.event(71) == ["4: 71…101"])
    }

    @Test("an event from the future counts as one of its arrival, and a clock that goes back starts over")
    func clocks() {
        var bench = Bench()
        #expect(bench.event(1000, arrives: 0) == ["1: 0…30"])
        #expect(bench.correlation == "1")
        #expect(bench.event(-0.5) == [])
        #expect(bench.event(10) == ["1: 0…40"])
        #expect(bench.event(-3600) == ["2: -3600…-3570"])
    }

    @Test("what is not settled when the clock is set back comes out, by itself or with the next event")
    func setBack() {
        var alone = Bench(window: 2)
        #expect(alone.event(100) == [])
        #expect(alone.pass(99.5) == [])
        #expect(alone.pass(-3600) == ["1: 100…130"])
        var followed = Bench(window: 2)
        #expect(followed.event(100) == [])
        #expect(followed.event(-3600) == ["1: 100…130"])
        #expect(followed.pass(-3598) == ["2: -3600…-3570"])
    }

    @Test("an offset beyond the minimum records nothing until another event lengthens it")
    func shortened() {
        var bench = Bench(offset: 40)
        #expect(bench.event(0) == [])
        #expect(bench.event(20) == ["1: 40…50"])
    }

    @Test("comes back from disk as it was; what is not understood does not")
    func restored() throws {
        var bench = Bench(window: 2, offset: -5)
        _ = bench.event(0)
        _ = bench.event(100)
        for _ in 0..<2 {
            let copy = try #require(SignalGate(bench.gate.settings, restoring: bench.gate.json))
            #expect(copy == bench.gate)
            _ = bench.pass(102)
        }
        let gate = SignalGate(bench.gate.settings)
        #expect(SignalGate(gate.settings, restoring: gate.json) == gate)
        for json: JSONValue in [.null, .object([:]), .object(["closed": .integer(0), "activation": .null])] {
            #expect(SignalGate(gate.settings, restoring: json) == nil)
        }
    }
}
