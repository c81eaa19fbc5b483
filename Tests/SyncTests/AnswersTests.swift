import Catalog
import Foundation
import Recording
import SegmentStore
import Sync
import Testing

@Suite("Answers")
struct AnswersTests {
    func spans(_ rig: Rig, from: WallTime? = nil, to: WallTime? = nil) async throws -> [String] {
        let answers = try await CacheKeeper(work: rig.workspace(), progress: Progress()).answers(rig.front)
        let coverage = try await answers.coverage(from: from, to: to)
        return coverage.spans.map { span in
            let kind =
                switch span.kind {
                case .recorded(let state): state.rawValue
                case .gap(let reason): "gap \(reason)"
                case .evicted: "evicted"
                }
            return "\((span.to - span.from).seconds) \(kind)"
        }
    }

    @Test("every second is recorded, a gap or evicted: closed, growing, stopped, started again")
    func coverage() async throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        try rig.sync()
        try recorder.record(seconds: 3)
        #expect(try await spans(rig) == ["2.0 verified", "3.0 closed"])
        try recorder.stop(.cameraOffline)
        rig.clock.advance(.seconds(10))
        #expect(try await spans(rig) == ["2.0 verified", "3.0 closed", "10.0 gap cameraOffline"])
        try recorder.start()
        try recorder.record(seconds: 4, closing: false)
        #expect(try await spans(rig) == ["2.0 verified", "3.0 closed", "10.0 gap cameraOffline", "4.0 recording"])
        rig.clock.advance(.seconds(1))
        #expect(try await spans(rig, to: rig.clock.now).last == "1.0 gap unknown")
        #expect(try await spans(rig).last == "4.0 recording")
        rig.clock.advance(.seconds(60))
        #expect(try await spans(rig).last == "61.0 gap unknown")
    }

    @Test("a gap that is closed where it opened is none; one that is open is, from its first moment on")
    func late() async throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        try rig.sync()
        let gap = JournalEvent.gapOpen(from: rig.clock.now, reason: .networkLoss, detail: "no frame for 2 s")
        try recorder.journal.append(gap, at: rig.clock.now)
        let keeper = try CacheKeeper(work: rig.workspace(), progress: Progress())
        #expect(try await keeper.answers(rig.front).gaps(from: nil, to: nil).map(\.to) == [nil])
        try recorder.journal.append(.gapClose(to: rig.clock.now), at: rig.clock.now)
        #expect(try await keeper.answers(rig.front).gaps(from: nil, to: nil).isEmpty)
    }

    @Test("the answer is what the disk says at the time of asking, without a pass in between")
    func fresh() async throws {
        let rig = try Rig()
        try rig.sync()
        let recorder = try rig.recorder()
        try rig.sync()
        try recorder.start()
        try recorder.record()
        try recorder.record(closing: false)
        let answers = try await CacheKeeper(work: rig.workspace(), progress: Progress()).answers(rig.front)
        var states: [SegmentState] = []
        try await answers.segments(from: nil, to: nil) { states += $0.map(\.state) }
        #expect(states == [.closed, .recording])
    }

    @Test("after a backward step segments show both, coverage and gaps the later")
    func backwardStep() async throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<5 { try recorder.record() }
        let start = rig.clock.now - .seconds(10)
        try rig.sync()
        rig.clock.step(.seconds(-6))
        try recorder.start()
        for _ in 0..<2 { try recorder.record() }
        rig.clock.advance(.seconds(6))
        try recorder.stop()
        #expect(
            try await spans(rig, from: start, to: rig.clock.now)
                == ["4.0 verified", "4.0 closed", "2.0 verified", "4.0 gap unknown"])
        #expect(try rig.rows().count == 7)
    }

    @Test("a camera that nobody knows is an error, not an empty list")
    func unknown() async throws {
        let rig = try Rig()
        try rig.sync()
        let nobody = try #require(CameraName("nobody"))
        let keeper = try CacheKeeper(work: rig.workspace(), progress: Progress())
        let error = await #expect(throws: SyncError.self) { try await keeper.answers(nobody) }
        #expect(error?.code == .notFound)
    }
}
