import Isolation
import Messages
import Recording
import Supervision
import Testing

private func at(_ seconds: Double) -> MonotonicTime { MonotonicTime(microseconds: Int64(seconds * 1_000_000)) }

@Suite("Supervision: hang detection")
struct HangDetectorTests {
    /// What the kernel says of a worker: its state, and how much of a processor it uses.
    struct Process: Sendable {
        var state: ProcessActivity.State
        var share = 0.0

        func activity(at second: Double) -> ProcessActivity {
            ProcessActivity(state: state, processorTime: .milliseconds(Int64(second * share * 1000)))
        }
    }

    /// A detector that was asked twice a second, and heard `progress` at those seconds.
    private func verdicts(
        of progress: [(Double, WorkerProgress)], until end: Double, _ process: Process = Process(state: .sleeping),
        pause: Range<Double>? = nil
    ) -> (hungAt: Double?, kind: Hang?, detector: HangDetector) {
        var detector = HangDetector(at: at(0))
        var rest = progress[...]
        for step in 0...Int(end * 2) {
            let now = Double(step) / 2
            if pause?.contains(now) == true { continue }
            while let next = rest.first, next.0 <= now {
                detector.heard(next.1, at: at(now))
                rest = rest.dropFirst()
            }
            if case .hung(let kind, _) = detector.verdict(at: at(now), process.activity(at: now)) {
                return (now, kind, detector)
            }
        }
        return (nil, nil, detector)
    }

    private func recording(_ seconds: ClosedRange<Int>, loops: (Int) -> Int64 = { Int64($0) }) -> [(
        Double, WorkerProgress
    )] {
        seconds.map {
            let counter = Int64($0)
            return (
                Double($0),
                WorkerProgress(
                    state: .recording, framesReceived: counter * 25, fragmentsWritten: counter, syncs: counter,
                    loops: loops($0))
            )
        }
    }

    @Test("a closed gate writes nothing and is no hang; one that stands is")
    func closedGate() {
        let behind = (0...200).map { second in
            var progress = WorkerProgress(state: .recording, framesReceived: Int64(second) * 25, loops: Int64(second))
            progress.isGateClosed = true
            return (Double(second), progress)
        }
        #expect(verdicts(of: behind, until: 200).hungAt == nil)
        #expect(verdicts(of: Array(behind.prefix(20)), until: 200).kind == .asleep)
    }

    @Test("a recording worker that falls silent is hung after 5 s")
    func silentWhileRecording() {
        #expect(verdicts(of: recording(0...100), until: 100).hungAt == nil)
        #expect(verdicts(of: recording(0...20), until: 100).hungAt == 25.5)
    }

    @Test("a worker that reports without going round is hung too")
    func pingsOnly() {
        #expect(verdicts(of: recording(0...100) { min(Int64($0), 20) }, until: 100).hungAt == 25.5)
    }

    static let kinds: [(Process, Hang?)] = [
        (Process(state: .stopped), .frozen), (Process(state: .stopped, share: 1), .frozen),
        (Process(state: .running, share: 1), .liveLocked), (Process(state: .sleeping, share: 0.3), .liveLocked),
        (Process(state: .running, share: 0.12), .liveLocked), (Process(state: .running, share: 0.02), .asleep),
        (Process(state: .sleeping), .asleep), (Process(state: .waitingForDisk), nil),
        (Process(state: .waitingForDisk, share: 1), nil),
    ]

    @Test("what the kernel says of a silent worker tells one hang from the other", arguments: kinds)
    func kind(process: Process, kind: Hang?) {
        let found = verdicts(of: recording(0...20), until: 100, process)
        #expect(found.kind == kind)
        #expect(found.hungAt == (kind == nil ? nil : 25.5))
    }

    @Test("a worker that works hard and moves is no live-lock, and what it used before it stopped does not count")
    func busyBefore() {
        #expect(verdicts(of: recording(0...100), until: 100, Process(state: .running, share: 1)).hungAt == nil)
        var detector = HangDetector(at: at(0))
        for (second, progress) in recording(0...20) {
            detector.heard(progress, at: at(second))
            _ = detector.verdict(at: at(second), Process(state: .running, share: 1).activity(at: second))
        }
        let stopped = Process(state: .sleeping, share: 1).activity(at: 20)
        for second in 21...25 { #expect(detector.verdict(at: at(Double(second)), stopped) == .alive) }
        #expect(detector.verdict(at: at(25.5), stopped) == .hung(.asleep, "no progress for 5 s"))
    }

    @Test("a worker that is gone from /proc is judged by its silence alone")
    func unknownActivity() {
        var detector = HangDetector(at: at(0))
        for second in 0...60 { #expect(detector.verdict(at: at(Double(second)), nil) == .alive) }
        #expect(detector.verdict(at: at(61), nil) == .hung(.asleep, "no progress for 61 s"))
    }

    @Test("a camera that is away gets 30 s for its resolver, and is never hung while the loop goes round")
    func reconnecting() {
        let away = (0...10).map { (Double($0), WorkerProgress(state: .reconnecting, loops: Int64($0))) }
        #expect(verdicts(of: away, until: 40).hungAt == nil)
        #expect(verdicts(of: away, until: 60).hungAt == 40.5)
        let forEver = (0...1000).map { (Double($0), WorkerProgress(state: .reconnecting, loops: Int64($0))) }
        #expect(verdicts(of: forEver, until: 1000).hungAt == nil)
    }

    @Test("recovery before the first report may take a minute")
    func firstReport() {
        #expect(verdicts(of: [], until: 60).hungAt == nil)
        #expect(verdicts(of: [], until: 70).hungAt == 60.5)
    }

    @Test("a worker that waits for its disk is left alone and the disk is named")
    func disk() {
        var (hungAt, _, detector) = verdicts(of: recording(0...20), until: 100, Process(state: .waitingForDisk))
        #expect(hungAt == nil)
        let waiting = Process(state: .waitingForDisk).activity(at: 100)
        #expect(detector.verdict(at: at(100.5), waiting) == .diskStalled)
        guard case .hung = detector.verdict(at: at(101), Process(state: .sleeping).activity(at: 101)) else {
            Issue.record("the disk answered, the worker does not")
            return
        }
    }

    @Test("when cvrd itself stood still, nobody is blamed for the silence")
    func ownPause() {
        let after = recording(0...10) + recording(41...60)
        #expect(verdicts(of: after, until: 60, pause: 10.5..<40).hungAt == nil)
    }

    /// Frames arrive, and the loop goes round; nothing is written, or nothing synced, from second 10 on.
    private func stuck(syncingOnly: Bool = false, _ fault: Fault? = nil) -> [(Double, WorkerProgress)] {
        (0...200).map {
            let counter = Int64($0)
            return (
                Double($0),
                WorkerProgress(
                    state: .recording, framesReceived: counter,
                    fragmentsWritten: syncingOnly ? counter : min(counter, 10),
                    syncs: min(counter, 10), loops: counter, lastFault: fault)
            )
        }
    }

    @Test("frames that arrive for a minute without a fragment are a hang, except while the disk explains it")
    func writesNothing() {
        #expect(verdicts(of: stuck(), until: 200).hungAt == 70.5)
        #expect(verdicts(of: stuck(), until: 200).kind == .writesNothing)
        for (code, hungAt): (String, Double?) in [("diskFull", nil), ("diskError", nil), ("unsupportedCodec", 70.5)] {
            let fault = Fault(code: code, message: "m", nextStep: "n")
            #expect(verdicts(of: stuck(fault), until: 200).hungAt == hungAt, "\(code)")
        }
    }

    @Test("fragments that are written for a minute without a sync are a hang of the same kind")
    func syncsNothing() {
        let found = verdicts(of: stuck(syncingOnly: true), until: 200)
        #expect(found.hungAt == 70.5 && found.kind == .writesNothing)
    }
}
