import Foundation
import FragmentedMP4
import Ingest
import Messages
import Recording
import SegmentStore
import Testing

/// Two workers of one camera on one cache: the old one records, the new one waits to succeed it.
struct Pair {
    let workspace: Workspace
    let station: LiveStation
    let old: LiveWorker
    let new: LiveWorker

    init(_ station: LiveStation = LiveStation()) throws {
        workspace = try Workspace()
        self.station = station
        old = try LiveWorker(station, in: workspace, slot: .a)
        try old.toWorker.waitForProgress { $0.state == .recording }
        new = try LiveWorker(station, in: workspace, slot: .b, isSuccessor: true)
    }

    func awaitReadiness(hasCamera: Bool = true) throws {
        let message = try new.toWorker.wait { if case .readyToSucceed = $0 { true } else { false } }
        guard case .readyToSucceed(let has, _) = message else { return }
        #expect(has == hasCamera)
    }

    /// The successor records some, and stops as told.
    func finish() throws {
        try new.toWorker.waitForProgress { $0.state == .recording && $0.fragmentsWritten > 2 }
        new.toWorker.send(.stop(.stopped))
        #expect(try new.end() == "stopped: stopped")
    }

    var contents: CacheContents { old.contents }

    /// Those that ended.
    var gaps: [Gap] { get throws { try contents.gaps.filter { $0.to != nil } } }
}

@Suite("Swap: one worker after another", .timeLimit(.minutes(1)))
struct SwapTests {
    /// Whether every number from the first to the last is there.
    private func areWhole(_ frames: [Int]) -> Bool {
        guard let first = frames.min(), let last = frames.max() else { return false }
        return Set(frames) == Set(first...last)
    }

    @Test("two sessions meet at one keyframe: no frame is lost, none is there twice, and no gap has a length")
    func seamless() throws {
        let pair = try Pair()
        try pair.awaitReadiness()
        pair.old.toWorker.send(.handOver)
        #expect(try pair.old.end() == "handed over to its successor")
        try pair.finish()
        let contents = pair.contents
        let frames = try contents.frames
        #expect(areWhole(frames) && Set(frames).count == frames.count, "\(frames)")
        let handOver = try contents.records.compactMap { if case .handOver(1, let over) = $0 { over } else { nil } }
            .first
        let first = try #require(try contents.segments.first { $0.info.id == SegmentID(session: 2, counter: 0) })
        let last = try #require(try contents.segments.last { $0.info.id.session == 1 })
        #expect(first.info.anchor == handOver?.at)
        #expect(last.mediaEndTime == handOver?.at)
        #expect(try pair.gaps.isEmpty)
        let left = try FileManager.default.contentsOfDirectory(atPath: pair.workspace.path + "/cache")
        #expect(!left.contains { $0.hasPrefix("trial") })
    }

    @Test("a predecessor that is stopped, not told to hand over, loses nothing: the end is there twice instead")
    func stopped() throws {
        let pair = try Pair()
        try pair.awaitReadiness()
        pair.old.toWorker.send(.stop(.upgrade))
        _ = try pair.old.end()
        try pair.finish()
        let frames = try pair.contents.frames
        #expect(areWhole(frames), "\(frames)")
        #expect(try pair.gaps.isEmpty)
    }

    @Test("a camera that refuses a second connection is connected to the moment the first is gone")
    func oneConnection() throws {
        let pair = try Pair(LiveStation(.allowsOne))
        try pair.awaitReadiness(hasCamera: false)
        pair.old.toWorker.send(.stop(.upgrade))
        _ = try pair.old.end()
        try pair.finish()
        #expect(pair.station.attempts == 4)
        let gaps = try pair.gaps
        #expect(gaps.map(\.reason) == [.upgrade])
        #expect(gaps.allSatisfy { ($0.to ?? $0.from) - $0.from < .seconds(2) }, "\(gaps)")
    }

    @Test("without a successor the recording is not let go of")
    func nobodyThere() throws {
        let pair = try Pair()
        try pair.awaitReadiness()
        pair.new.terminate()
        _ = try pair.new.end()
        pair.old.toWorker.send(.handOver)
        _ = try pair.old.toWorker.wait { if case .event("handOverCancelled", _, _) = $0 { true } else { false } }
        try pair.old.toWorker.waitForProgress { $0.state == .recording && $0.session == 1 }
        pair.old.toWorker.send(.stop(.stopped))
        #expect(try pair.old.end() == "stopped: stopped")
        #expect(areWhole(try pair.contents.frames))
    }

    @Test("a predecessor without a recording hands over at once, and the gap goes on until the camera is back")
    func cameraAway() throws {
        let pair = try Pair()
        pair.station.become(.away)
        try pair.old.toWorker.waitForProgress { $0.state == .reconnecting }
        try pair.awaitReadiness(hasCamera: false)
        pair.old.toWorker.send(.handOver)
        #expect(try pair.old.end() == "handed over to its successor")
        pair.station.become(.allowsMany)
        try pair.finish()
        let gaps = try pair.gaps
        #expect(zip(gaps, gaps.dropFirst()).allSatisfy { $0.to == $1.from }, "\(gaps)")
        #expect(gaps.first?.reason == .networkLoss)
    }

    @Test("both slots are held meanwhile, and the journal by the one that records")
    func locks() throws {
        let pair = try Pair()
        let cache = pair.contents.cache
        #expect(try SlotLock.isHeld(in: cache, slot: .a))
        #expect(try SlotLock.isHeld(in: cache, slot: .b))
        let error = #expect(throws: SegmentStoreError.self) {
            _ = try Journal(in: cache, now: Clocks.system().wall())
        }
        #expect(error?.errno == EWOULDBLOCK)
        pair.new.terminate()
        _ = try pair.new.end()
        pair.old.toWorker.send(.stop(.stopped))
        _ = try pair.old.end()
        #expect(try !SlotLock.isHeld(in: cache, slot: .a))
    }
}
