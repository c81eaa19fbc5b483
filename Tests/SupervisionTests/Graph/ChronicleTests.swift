import JSON
import Messages
import Recording
import Supervision
import Testing

/// What is told of recordings, and when: pure.
@Suite("Media graph: what is told of recordings")
struct ChronicleTests {
    private let start = WallTime(seconds: 1_800_000_000)

    private func window(_ id: String, from: Int64, to: Int64, file: String = "") -> RecordingWindow {
        RecordingWindow(
            id: id, from: start + .seconds(from), until: start + .seconds(to), asset: "a-\(id)", file: file,
            correlation: id)
    }

    private func outcome(
        stored: Bool = false, waiting: Int64 = 0, unfiled: Int64 = 0, files: [String] = [], over: Bool = true
    ) -> SyncInterface.Outcome {
        SyncInterface.Outcome(stored: stored, waiting: waiting, unfiled: unfiled, files: files, over: over)
    }

    @Test("a continuous recording begins once, is available with its first session's first segment, and ends once")
    func continuous() {
        var chronicle = Chronicle()
        #expect(chronicle.sessionStarted(1).isEmpty, "nobody records")
        chronicle.begin(asset: "plant")
        #expect(chronicle.sessionStarted(7) == [.started(.asset("plant"), correlation: nil)])
        #expect(chronicle.questions(stored: 6) == [], "that is of before")
        #expect(chronicle.sessionStarted(8).isEmpty, "the camera was away")
        #expect(chronicle.questions(stored: 9) == [7...8])
        #expect(chronicle.reached(outcome(over: false), of: 7...8).isEmpty, "what is stored is another's")
        #expect(
            chronicle.reached(outcome(stored: true), of: 7...8) == [.available(.asset("plant"), correlation: nil)])
        #expect(chronicle.questions(stored: 9) == [] && chronicle.reached(outcome(stored: true), of: 7...8).isEmpty)
        #expect(chronicle.stopped() == [.stopped(.asset("plant"), correlation: nil)])
        #expect(chronicle.stopped().isEmpty && chronicle.isEmpty)
    }

    @Test("of a window that had several sessions all are asked for, whichever of them somebody heard of")
    func several() {
        for heard in [nil, 8] as [Int64?] {
            var chronicle = Chronicle()
            _ = chronicle.take(window("1", from: 0, to: 30), file: "")
            if let heard { _ = chronicle.sessionStarted(heard, window: "1") }
            let closed = chronicle.windowClosed("1", session: 9, first: 7)
            #expect(closed.last == .stopped(.asset("a-1"), correlation: "1") && closed.count == (heard == nil ? 2 : 1))
            #expect(chronicle.questions(stored: 9) == [7...9])
        }
    }

    @Test("what was never recorded is not told of")
    func silent() {
        var chronicle = Chronicle()
        chronicle.begin(asset: "plant")
        #expect(chronicle.stopped().isEmpty && chronicle.isEmpty)
        _ = chronicle.take(window("1", from: 0, to: 30), file: "/f/1.mp4")
        #expect(chronicle.gaveUp(on: ["2"]).isEmpty && chronicle.openWindows.count == 1)
        #expect(chronicle.gaveUp(on: ["1"]).isEmpty && chronicle.isEmpty)
    }

    @Test("each window is a recording of its own, into the asset and the file that it opened with")
    func windows() {
        var chronicle = Chronicle()
        _ = chronicle.take(window("1", from: 0, to: 30), file: "/f/1.mp4")
        let longer = chronicle.take(window("1", from: 5, to: 40), file: "/f/2.mp4")
        #expect(longer.until == start + .seconds(40) && longer.from == start)
        _ = chronicle.take(window("2", from: 60, to: 90), file: "/f/2.mp4")
        #expect(chronicle.sessionStarted(2).isEmpty, "it is of no window")
        #expect(
            chronicle.sessionStarted(3, window: "1") == [
                .started(.asset("a-1"), correlation: "1"), .started(.file("/f/1.mp4"), correlation: "1"),
            ])
        #expect(chronicle.lacks(4, window: "1") && !chronicle.lacks(3, window: "1"))
        #expect(chronicle.sessionStarted(4, window: "1").isEmpty, "the worker died meanwhile")
        #expect(chronicle.reached(outcome(stored: true), of: 3...4) == [.available(.asset("a-1"), correlation: "1")])
        #expect(
            chronicle.windowClosed("1", session: 4) == [
                .stopped(.asset("a-1"), correlation: "1"), .stopped(.file("/f/1.mp4"), correlation: "1"),
            ])
        #expect(chronicle.windowClosed("1", session: 4).isEmpty)
        #expect(chronicle.openWindows.map(\.id) == ["2"])
        #expect(chronicle.sessionStarted(5, window: "2").count == 2)
        #expect(chronicle.gaveUp(on: ["2"]).count == 2, "nobody told of its end")
    }

    @Test("a session is its own window's, also when nobody told that the one before was closed")
    func lostEnd() {
        var chronicle = Chronicle()
        for id in ["1", "2"] { _ = chronicle.take(window(id, from: 0, to: 30), file: "") }
        _ = chronicle.sessionStarted(1, window: "1")
        #expect(chronicle.sessionStarted(2, window: "2") == [.started(.asset("a-2"), correlation: "2")])
        #expect(chronicle.windowClosed("1", session: 1) == [.stopped(.asset("a-1"), correlation: "1")])
        #expect(chronicle.recordings.map(\.first) == [1, 2])
    }

    @Test("each file is told of by the name that it got, once; a recording is settled when all of them are there")
    func files() throws {
        var chronicle = Chronicle()
        _ = chronicle.take(
            RecordingWindow(id: "1", from: start, until: start + .seconds(30), file: "x", correlation: "1"),
            file: "/f/x.mp4")
        _ = chronicle.sessionStarted(3, window: "1")
        _ = chronicle.sessionStarted(4, window: "1")
        let part = outcome(unfiled: 1, files: ["/f/x-2.mp4"])
        #expect(chronicle.reached(part, of: 3...4) == [.available(.file("/f/x-2.mp4"), correlation: "1")])
        _ = chronicle.windowClosed("1", session: 4)
        chronicle = try Chronicle(stored: chronicle.json)
        #expect(chronicle.reached(part, of: 3...4).isEmpty && chronicle.questions(stored: nil) == [3...4])
        let whole = outcome(files: ["/f/x-2.mp4", "/f/x-3.mp4"])
        #expect(chronicle.reached(whole, of: 3...4) == [.available(.file("/f/x-3.mp4"), correlation: "1")])
        #expect(chronicle.isEmpty)
    }

    @Test("what was lost on its way to the store is never available, and waited for no longer")
    func lost() {
        var chronicle = Chronicle()
        _ = chronicle.take(window("1", from: 0, to: 30), file: "")
        _ = chronicle.windowClosed("1", session: 3)
        #expect(chronicle.reached(outcome(waiting: 1), of: 3...3).isEmpty && !chronicle.isEmpty)
        #expect(chronicle.reached(outcome(over: false), of: 3...3).isEmpty && !chronicle.isEmpty)
        #expect(chronicle.reached(outcome(), of: 3...3).isEmpty && chronicle.isEmpty)
    }

    @Test("is the same after a restart")
    func restart() throws {
        var chronicle = Chronicle()
        chronicle.begin(asset: "plant")
        _ = chronicle.sessionStarted(7)
        _ = chronicle.take(window("1", from: 0, to: 30, file: "x"), file: "/f/x.mp4")
        chronicle.gate = .object(["closed": .integer(5)])
        #expect(try Chronicle(stored: chronicle.json) == chronicle)
        for broken in ["recordings", "gate"] {
            guard case .object(var members) = chronicle.json else { continue }
            members[broken] = .array([.string("?")])
            if broken == "recordings" {
                #expect(throws: (any Error).self) { try Chronicle(stored: .object(members)) }
            }
        }
    }

    @Test("what is too much goes with a word, what is over and only waits for the store first")
    func bounded() {
        var chronicle = Chronicle()
        for index in 0..<2049 { _ = chronicle.take(window("\(index)", from: 0, to: 30), file: "/f/\(index).mp4") }
        _ = chronicle.windowClosed("5", session: 3)
        _ = chronicle.sessionStarted(9, window: "7")
        #expect(
            chronicle.bound() == [
                .dropped(.asset("a-5"), correlation: "5"), .dropped(.file("/f/5.mp4"), correlation: "5"),
            ])
        #expect(chronicle.recordings.count == 2048 && chronicle.bound().isEmpty)
    }

    @Test("a window that is lengthened after its end is recorded on, and told of, as another one")
    func lengthenedLate() {
        var chronicle = Chronicle()
        let path = "/f/w.mp4"
        _ = chronicle.take(window("w", from: 0, to: 10), file: path)
        _ = chronicle.sessionStarted(1, window: "w")
        _ = chronicle.windowClosed("w", session: 1)
        #expect(chronicle.take(window("w", from: 0, to: 10), file: path).until == start + .seconds(10))
        #expect(chronicle.openWindows.isEmpty)
        #expect(chronicle.take(window("w", from: 0, to: 20), file: path).until == start + .seconds(20))
        #expect(chronicle.take(window("w", from: 0, to: 25), file: path).until == start + .seconds(25))
        #expect(chronicle.openWindows.map(\.until) == [start + .seconds(25)])
        #expect(chronicle.sessionStarted(2, window: "w").first == .started(.asset("a-w"), correlation: "w"))
        #expect(chronicle.windowClosed("w", session: 2).first == .stopped(.asset("a-w"), correlation: "w"))
    }
}

@Suite("Media graph: troubles of cameras")
struct CameraTroublesTests {
    private let start = WallTime(seconds: 1_800_000_000)

    private func progress(_ state: CameraState, _ code: String?, at seconds: Int64 = 0) -> WorkerProgress {
        var progress = WorkerProgress(state: state)
        progress.lastFault = code.map { Fault(code: $0, message: "", nextStep: "") }
        progress.lastFaultAt = code.map { _ in start + .seconds(seconds) }
        return progress
    }

    @Test("each is told when it begins, not at each retry, and again when it comes back")
    func once() {
        var troubles = CameraTroubles()
        #expect(
            troubles.hear(progress(.reconnecting, "notFound"), at: start) == [.protocolError("404")])
        #expect(troubles.hear(progress(.reconnecting, "notFound", at: 5), at: start + .seconds(5)).isEmpty)
        #expect(
            troubles.hear(progress(.reconnecting, "timeout", at: 6), at: start + .seconds(6)) == [
                .network("timeout")
            ])
        #expect(troubles.hear(progress(.recording, "timeout", at: 6), at: start + .seconds(9)).isEmpty)
        // What a worker remembers of a trouble that is over is none.
        #expect(troubles.hear(progress(.reconnecting, "timeout", at: 6), at: start + .seconds(10)).isEmpty)
        #expect(troubles.hear(progress(.reconnecting, "timeout", at: 11), at: start + .seconds(11)).count == 1)
    }

    @Test("refused credentials are an error of the protocol, as LVA has it, and of authentication")
    func authentication() {
        var troubles = CameraTroubles()
        #expect(
            troubles.hear(progress(.reconnecting, "authentication"), at: start) == [
                .protocolError("401"), .authentication("401"),
            ])
        #expect(
            troubles.hear(progress(.reconnecting, "forbidden"), at: start) == [
                .protocolError("403"), .authorization("403"),
            ])
    }

    @Test(
        "sound that cannot be recorded is told while the picture is recorded; our own disk is no matter of the camera")
    func format() {
        var troubles = CameraTroubles()
        #expect(
            troubles.hear(progress(.recording, "unsupportedAudio"), at: start) == [
                .mediaFormat("unsupportedAudioFormat")
            ])
        #expect(troubles.hear(progress(.recording, "unsupportedAudio"), at: start).isEmpty)
        #expect(troubles.hear(progress(.reconnecting, "diskFull", at: 9), at: start).isEmpty)
    }
}
