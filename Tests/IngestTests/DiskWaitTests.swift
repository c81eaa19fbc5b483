import Ingest
import Messages
import Recording
import SegmentStore
import Testing

/// A disk that does not answer for a while keeps the worker from its camera: what the camera then loses is the disk's.
@Suite("Recorder: a disk that lets it wait")
struct DiskWaitTests {
    /// A bench whose disk takes `wait` to close the first segment.
    private func bench(waiting wait: TimeSpan) throws -> Bench {
        let bench = try Bench(.test(segment: .seconds(2)))
        var isFirst = true
        bench.whenTold = { [unowned bench] message in
            guard case .segmentClosed = message, isFirst else { return }
            isFirst = false
            bench.clock.advance(wait)
        }
        try bench.connect(audio: false)
        return bench
    }

    @Test(
        "the frames that are missing afterwards are a gap of the disk, after a short wait one of the network",
        arguments: [(TimeSpan.seconds(8), GapReason.diskError), (.seconds(1), .networkLoss)])
    func hole(wait: TimeSpan, reason: GapReason) throws {
        let bench = try bench(waiting: wait)
        bench.play(.seconds(4))
        bench.play(.seconds(6), video: false)
        bench.play(.seconds(2))
        bench.recorder.stop(.stopped)
        #expect(try bench.gaps.map(\.reason) == [reason, .stopped] || bench.gaps.map(\.reason) == [reason])
    }

    @Test("a camera that hangs up afterwards did so for the disk; one that does much later did not")
    func hangUp() throws {
        for (later, reason) in [(TimeSpan.seconds(2), GapReason.diskError), (.seconds(30), .networkLoss)] {
            let bench = try bench(waiting: .seconds(8))
            bench.play(.seconds(2) + later)
            _ = bench.recorder.disconnected(.disconnected)
            #expect(try bench.gaps.last?.reason == reason)
            let fault = bench.recorder.progress.lastFault
            #expect(fault?.code == (reason == .diskError ? "diskStalled" : "disconnected"))
        }
    }

    @Test("the interval of keyframes is reported from the second one on, and anew for each connection")
    func keyframes() throws {
        let bench = try Bench()
        try bench.connect()
        bench.play(.milliseconds(200))
        #expect(bench.recorder.progress.keyframeInterval == nil)
        bench.play(.seconds(10))
        let interval = try #require(bench.recorder.progress.keyframeInterval)
        #expect(interval > .zero && interval < .seconds(10))
        _ = bench.recorder.disconnected(.disconnected)
        try bench.connect()
        #expect(bench.recorder.progress.keyframeInterval == nil)
    }
}
