import MediaGraph
import Recording
import Testing

/// The gate against what it must be whatever arrives, in a thousand stories of their own seed.
@Suite("Signal gate: properties")
struct SignalGatePropertyTests {
    struct Event {
        var happened: WallTime
        var received: WallTime
    }

    static func milliseconds(_ range: ClosedRange<Int64>, _ dice: inout Dice) -> TimeSpan {
        .milliseconds(Int64.random(in: range, using: &dice))
    }

    static func settings(_ dice: inout Dice) -> RecordingPlan.GateSettings {
        let minimum = milliseconds(1000...20_000, &dice)
        return RecordingPlan.GateSettings(
            nodeName: "gate", evaluationWindow: milliseconds(0...10_000, &dice),
            offset: milliseconds(-20_000...5000, &dice), minimum: minimum,
            maximum: minimum + milliseconds(0...60_000, &dice))
    }

    @Test("windows keep their beginning, grow, neither overlap nor exceed the maximum, and hold what is not late")
    func properties() {
        for seed in 0..<1000 {
            var dice = Dice(seed: UInt64(seed))
            let settings = Self.settings(&dice)
            var gate = SignalGate(settings)
            var now = WallTime(seconds: 1_764_000_000)
            var (windows, ids): ([String: SignalWindow], Int) = ([:], 0)
            var events: [Event] = []
            for _ in 0..<60 {
                now = now + Self.milliseconds(0...15_000, &dice)
                let event = Event(happened: now - Self.milliseconds(0...12_000, &dice), received: now)
                events.append(event)
                let heard = gate.signal(at: event.happened, received: now) {
                    ids += 1
                    return "\(ids)"
                }
                Self.check(heard.windows, against: &windows, settings, seed)
            }
            Self.check(gate.pass(to: .latest), against: &windows, settings, seed)
            Self.check(Array(windows.values), hold: events, settings, seed)
        }
    }

    static func check(
        _ said: [SignalWindow], against windows: inout [String: SignalWindow], _ settings: RecordingPlan.GateSettings,
        _ seed: Int
    ) {
        for window in said {
            #expect(window.until > window.from, "seed \(seed)")
            #expect(window.until - window.from <= settings.maximum - settings.offset, "seed \(seed)")
            if let before = windows[window.correlation] {
                #expect(before.from == window.from && before.until < window.until, "seed \(seed)")
            }
            windows[window.correlation] = window
            for other in windows.values where other.correlation != window.correlation {
                #expect(other.until <= window.from || window.until <= other.from, "seed \(seed)")
            }
        }
    }

    /// An event is in a window that begins early enough, unless an earlier one had been settled when it arrived, or
    /// the offset is past it.
    static func check(
        _ windows: [SignalWindow], hold events: [Event], _ settings: RecordingPlan.GateSettings, _ seed: Int
    ) {
        guard settings.offset <= .zero else { return }
        var newest = WallTime.earliest
        for event in events {
            defer { newest = max(newest, event.happened) }
            let isLate = event.happened < newest && event.received > event.happened + settings.evaluationWindow
            let isHeld = windows.contains { $0.from <= event.happened && event.happened <= $0.until }
            #expect(isLate || isHeld, "seed \(seed)")
        }
    }
}
