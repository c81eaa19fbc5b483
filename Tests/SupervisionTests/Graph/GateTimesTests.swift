import Messages
import Recording
import Supervision
import Testing

/// When gates and windows are looked at, and for how long: pure.
@Suite("Media graph: times of gates and windows")
struct GateTimesTests {
    private let start = WallTime(seconds: 1_800_000_000)
    private let now = MonotonicTime(microseconds: 1_000_000)

    @Test("a window is given up once a worker that is there has not answered for it in its time, and not before")
    func givenUp() {
        var ends = WindowEnds()
        let window = RecordingWindow(id: "1", from: start, until: start + .seconds(10), correlation: "1")
        let first = ends.note(window, at: now, wall: start)
        let again = ends.note(window, at: now + .seconds(3), wall: start + .seconds(7200))
        #expect(first == now + .seconds(10) && again == first)
        let day = now + .seconds(86400)
        // At 31 s its worker is away, and has its time anew when it is back.
        let asked: [(Int64, Bool)] = [(0, false), (0, true), (29, true), (31, false), (32, true), (63, true)]
        let lost = asked.map { ends.asked([window], isHeard: $0.1, within: .seconds(30), at: day + .seconds($0.0)) }
        #expect(lost == [[], [], [], [], [], ["1"]])
    }

    @Test("a window that is recorded still, or was lengthened, is not over")
    func prolonged() {
        var ends = WindowEnds()
        var window = RecordingWindow(id: "1", from: start, until: start, correlation: "1")
        ends.note(window, at: now, wall: start)
        var lost = ends.asked([window], isHeard: true, within: .seconds(30), at: now)
        ends.prolong("1", at: now + .seconds(20))
        let later = ends.note(window, at: now, wall: start)
        lost.formUnion(ends.asked([window], isHeard: true, within: .seconds(30), at: now + .seconds(40)))
        let asked = window
        window.until = start + .seconds(60)
        let longer = ends.note(window, at: now, wall: start)
        lost.formUnion(ends.asked([asked], isHeard: true, within: .seconds(30), at: now + .seconds(80)))
        ends.keep([])
        let another = ends.note(window, at: now, wall: start + .seconds(70))
        #expect(lost.isEmpty)
        #expect([later, longer, another] == [now + .seconds(20), now + .seconds(60), now])
    }

    @Test("a gate has one timer for each time, and another when that ran out too early")
    func timers() throws {
        var timers = GateTimers()
        let name = try #require(CameraName("evr"))
        let later = start + .seconds(1)
        var armed = [start, start, later].map { timers.arm(name, at: $0) }
        #expect(armed == [true, false, true])
        timers.rang(name, at: start)
        armed = [timers.arm(name, at: later)]
        // That was the timer before; and then the clock was set back.
        timers.rang(name, at: later)
        armed.append(timers.arm(name, at: later))
        #expect(armed == [false, true])
    }

    @Test("however many ask while one is under way, there is one more")
    func turns() throws {
        var turns = CameraTurns()
        let (name, other) = (try #require(CameraName("evr")), try #require(CameraName("front")))
        let begun = ([name, other] + Array(repeating: name, count: 100)).map { turns.begins($0) }
        #expect(begun.prefix(2) == [true, true] && !begun.dropFirst(2).contains(true))
        let repeated = [name, name, other].map { turns.isToBeRepeated($0) }
        #expect(repeated == [true, false, false])
        let again = turns.begins(name)
        #expect(again)
    }
}
