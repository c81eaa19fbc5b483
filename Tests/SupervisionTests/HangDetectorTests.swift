import Messages
import Recording
import Supervision
import Testing

private func at(_ seconds: Double) -> MonotonicTime { MonotonicTime(microseconds: Int64(seconds * 1_000_000)) }

@Suite("Supervision: hang detection")
struct HangDetectorTests {
    /// A detector that was asked twice a second, and heard `progress` at those seconds.
    private func verdicts(
        of progress: [(Double, WorkerProgress)], until end: Double, isStuckInDisk: Bool = false,
        pause: Range<Double>? = nil
    ) -> (hungAt: Double?, detector: HangDetector) {
        var detector = HangDetector(at: at(0))
        var rest = progress[...]
        for step in 0...Int(end * 2) {
            let now = Double(step) / 2
            if pause?.contains(now) == true { continue }
            while let next = rest.first, next.0 <= now {
                detector.heard(next.1, at: at(now))
                rest = rest.dropFirst()
            }
            if case .hung = detector.verdict(at: at(now), isStuckInDisk: isStuckInDisk) { return (now, detector) }
        }
        return (nil, detector)
    }

    private func recording(_ seconds: ClosedRange<Int>, loops: (Int) -> Int64 = { Int64($0) }) -> [(
        Double, WorkerProgress
    )] {
        seconds.map {
            let counter = Int64($0)
            return (
                Double($0),
                WorkerProgress(
                    state: .recording, framesReceived: counter * 25, fragmentsWritten: counter, loops: loops($0))
            )
        }
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

    @Test("a camera that is away gets 30 s for its resolver, and is never hung while the loop goes round")
    func reconnecting() {
        let away = (0...10).map { (Double($0), WorkerProgress(state: .reconnecting, loops: Int64($0))) }
        #expect(verdicts(of: away, until: 40).hungAt == nil)
        #expect(verdicts(of: away, until: 60).hungAt == 40.5)
    }

    @Test("recovery before the first report may take a minute")
    func firstReport() {
        #expect(verdicts(of: [], until: 60).hungAt == nil)
        #expect(verdicts(of: [], until: 70).hungAt == 60.5)
    }

    @Test("a worker that waits for its disk is left alone and the disk is named")
    func disk() {
        var (hungAt, detector) = verdicts(of: recording(0...20), until: 100, isStuckInDisk: true)
        #expect(hungAt == nil)
        #expect(detector.verdict(at: at(100.5), isStuckInDisk: true) == .diskStalled)
        guard case .hung = detector.verdict(at: at(101), isStuckInDisk: false) else {
            Issue.record("the disk answered, the worker does not")
            return
        }
    }

    @Test("when cvrd itself stood still, nobody is blamed for the silence")
    func ownPause() {
        let after = recording(0...10) + recording(41...60)
        #expect(verdicts(of: after, until: 60, pause: 10.5..<40).hungAt == nil)
    }

    @Test("frames that arrive for a minute without a fragment are a hang, except while the disk explains it")
    func writesNothing() {
        func stuck(_ fault: Fault?) -> [(Double, WorkerProgress)] {
            (0...200).map {
                let counter = Int64($0)
                return (
                    Double($0),
                    WorkerProgress(
                        state: .recording, framesReceived: counter, fragmentsWritten: min(counter, 10), loops: counter,
                        lastFault: fault)
                )
            }
        }
        #expect(verdicts(of: stuck(nil), until: 200).hungAt == 70.5)
        for (code, hungAt): (String, Double?) in [("diskFull", nil), ("diskError", nil), ("unsupportedCodec", 70.5)] {
            let fault = Fault(code: code, message: "m", nextStep: "n")
            #expect(verdicts(of: stuck(fault), until: 200).hungAt == hungAt, "\(code)")
        }
    }
}
