import Catalog
import Footage
import Foundation
import Messages
import Recording
import SegmentStore
import Sync
import TestSupport
import Testing

@Suite("Answers")
struct AnswersTests {
    func answers(_ rig: Rig) async throws -> Answers {
        try await CacheKeeper(work: rig.workspace(), progress: Progress()).answers(rig.front)
    }

    func spans(_ rig: Rig, from: WallTime? = nil, to: WallTime? = nil) async throws -> [String] {
        try await answers(rig).coverage(from: from, to: to).spans.map { span in
            let kind =
                switch span.kind {
                case .recorded(let state): state.rawValue
                case .gap(let reason): "gap \(reason)"
                case .evicted(let reason): "evicted \(reason)"
                }
            return "\((span.to - span.from).seconds) \(kind)"
        }
    }

    /// Each as from and to in seconds after `start`, and why.
    func gaps(
        _ rig: Rig, after start: WallTime, from: WallTime? = nil, to: WallTime? = nil
    ) async throws -> [String] {
        try await answers(rig).gaps(from: from, to: to).map { gap in
            let end = gap.to.map { "\(($0 - start).seconds)" } ?? "open"
            return "\((gap.from - start).seconds) \(end) \(gap.reason)"
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
        let answers = try await answers(rig)
        var states: [SegmentState] = []
        try await answers.segments(from: nil, to: nil) { states += $0.map(\.state) }
        #expect(states == [.closed, .recording])
    }

    @Test("after a backward step segments show both, coverage and gaps the later")
    func backwardStep() async throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        let start = rig.clock.now
        try recorder.start()
        for _ in 0..<2 { try recorder.record() }
        try recorder.stop(.cameraOffline)
        rig.clock.advance(.seconds(4))
        try recorder.start()
        try recorder.record()
        try rig.sync()
        #expect(try await gaps(rig, after: start) == ["4.0 8.0 cameraOffline"])
        rig.clock.step(.seconds(-9))
        try recorder.start()
        for _ in 0..<2 { try recorder.record() }
        let coverage = ["1.0 verified", "4.0 closed", "3.0 gap cameraOffline", "2.0 verified"]
        #expect(try await spans(rig, to: start + .seconds(10)) == coverage)
        #expect(try await gaps(rig, after: start) == ["5.0 8.0 cameraOffline"])
        var listed: [SegmentID] = []
        try await answers(rig).segments(from: nil, to: nil) { listed += $0.map(\.id) }
        #expect(listed.map(\.session) == [1, 3, 1, 3, 2])
        for _ in 0..<2 { try recorder.record() }
        #expect(try await gaps(rig, after: start) == [])
    }

    @Test(
        "time that neither media nor a gap accounts for is a gap without a reason in both answers, open while it lasts")
    func untold() async throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        let start = rig.clock.now
        try recorder.start()
        try recorder.record()
        #expect(try await gaps(rig, after: start) == [])
        rig.clock.advance(.seconds(60))
        #expect(try await spans(rig) == ["2.0 closed", "60.0 gap unknown"])
        #expect(try await gaps(rig, after: start) == ["2.0 open unknown"])
        try recorder.start()
        try recorder.record()
        #expect(try await gaps(rig, after: start) == ["2.0 62.0 unknown"])
        let (from, to) = (start + .seconds(30), start + .seconds(40))
        #expect(try await gaps(rig, after: start, from: from, to: to) == ["30.0 40.0 unknown"])
        // What has not come yet is not lost.
        #expect(try await gaps(rig, after: start, to: rig.clock.now + .seconds(50)) == ["2.0 62.0 unknown"])
        #expect(try await spans(rig, to: rig.clock.now + .seconds(50)).last == "50.0 gap unknown")
    }

    @Test("a gap that lost nothing is not listed")
    func emptyGap() async throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        let now = rig.clock.now
        try recorder.journal.append(.gapOpen(from: now, reason: .networkLoss, detail: "late"), at: now)
        try recorder.journal.append(.gapClose(to: now), at: now)
        try recorder.record()
        #expect(try await gaps(rig, after: now) == [])
        #expect(try await spans(rig) == ["4.0 closed"])
    }

    @Test("evicted stretches carry the policy that took them, in coverage and in gaps")
    func policies() async throws {
        let rig = try Rig(SyncSettings.Camera(asset: "archive", cacheBudget: 40_000, dropsOldest: true))
        let recorder = try rig.recorder()
        try rig.sync()
        try recorder.start()
        for _ in 0..<4 { try recorder.record() }
        let first = try #require(try recorder.cache.listing().first?.name)
        try Eviction.evict(
            first, because: .diskFull, in: recorder.cache, journal: recorder.journal, now: rig.clock.now)
        try rig.survey(rig.front, rig.workspace())
        try rig.survey(rig.front, rig.workspace())
        #expect(try await spans(rig) == ["2.0 evicted diskFull", "2.0 evicted budget", "4.0 closed"])
        let gaps = try await answers(rig).gaps(from: nil, to: nil)
        #expect(gaps.map(\.reason) == [.evicted, .evicted] && gaps.map(\.detail) == ["diskFull", "budget"])
        let listing = Listing.Coverage(try await answers(rig).coverage(from: nil, to: nil))
        #expect(listing.spans.map(\.reason) == ["diskFull", "budget", nil])
        #expect(listing.spans.map(\.state) == [nil, nil, "closed"])
        #expect(listing.percent == 50)
    }

    @Test("the growing segment counts up to its last whole fragment, also when a crash tore what follows")
    func tornEnd() async throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        let name = try recorder.record(seconds: 12, closing: false)
        #expect(try await spans(rig) == ["12.0 recording"])
        let file = URL(filePath: recorder.cache.path + "/" + name.relativePath)
        var bytes = try Data(contentsOf: file)
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: file)
        #expect(try await spans(rig) == ["11.0 recording"])
        try bytes.dropLast(9000).write(to: file)
        var listed: [SegmentRow] = []
        try await answers(rig).segments(from: nil, to: nil) { listed += $0 }
        #expect(listed.map(\.duration) == [.seconds(10)] && listed.map(\.media.frames) == [10])
    }

    @Test("a segment that closes while it is listed is listed once, as closed")
    func closesMeanwhile() async throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        try recorder.record(closing: false)
        let answers = try await answers(rig)
        var closed = try #require(try rig.rows().first)
        closed.id.counter = 1
        closed.start = closed.end
        try rig.workspace().catalog.enter([closed])
        var listed: [SegmentRow] = []
        try await answers.segments(from: nil, to: nil) { listed += $0 }
        #expect(listed.map(\.id.counter) == [0, 1] && listed.map(\.state) == [.closed, .closed])
        #expect(try await answers.coverage(from: nil, to: nil).spans.map(\.kind) == [.recorded(.closed)])
    }

    @Test("a long history comes in pages, each row once")
    func pages() async throws {
        let rig = try Rig()
        let catalog = try rig.workspace().catalog
        try catalog.save(CameraRow(name: rig.front, asset: "archive", retention: nil))
        let count = Int64(2 * Answers.page + 100)
        let start = rig.clock.now - .seconds(count * 30)
        try catalog.enter(
            (0..<count).map { index in
                SegmentRow(
                    camera: rig.front, id: SegmentID(session: 1, counter: index), key: "\(index)",
                    start: start + .seconds(index * 30), duration: .seconds(30), bytes: 1, state: .verified,
                    isLocal: false, isRead: true)
            })
        var pages: [[Int64]] = []
        try await answers(rig).segments(from: nil, to: nil) { pages.append($0.map(\.id.counter)) }
        #expect(pages.map(\.count) == [Answers.page, Answers.page, 100, 0, 0])
        #expect(pages.flatMap(\.self) == Array(0..<count))
        let coverage = try await answers(rig).coverage(from: nil, to: nil)
        #expect(coverage.spans == [CoverageSpan(from: start, to: rig.clock.now, kind: .recorded(.verified))])
        #expect(coverage.percent == 100)
    }

    @Test("without bounds an answer reaches from the first known second to now; with nothing known it is empty")
    func defaults() async throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        let nothing = try await answers(rig).coverage(from: nil, to: nil)
        #expect(nothing.from == rig.clock.now && nothing.to == rig.clock.now)
        #expect(nothing.spans.isEmpty && nothing.percent == 0)
        let start = rig.clock.now
        // A gap may be the first thing that is known.
        try recorder.journal.append(.gapOpen(from: start, reason: .cameraOffline, detail: ""), at: start)
        rig.clock.advance(.seconds(10))
        try recorder.start()
        for _ in 0..<15 { try recorder.record() }
        rig.clock.advance(.seconds(10))
        let whole = try await answers(rig).coverage(from: nil, to: nil)
        #expect(whole.from == start && whole.to == rig.clock.now)
        #expect(whole.percent == 60 && whole.recorded == .seconds(30))
    }

    /// Recording, losses, clock steps, pauses, surveys and passes, as the dice fall.
    private func anyHistory(_ rig: Rig, _ seed: UInt64) throws {
        var dice = SeededRandom(seed: seed)
        let recorder = try rig.recorder()
        try recorder.start()
        var isRecording = true
        for _ in 0..<40 {
            switch Int.random(in: 0..<8, using: &dice) {
            case 0 where isRecording:
                try recorder.stop(.networkLoss)
                isRecording = false
            case 1: rig.clock.step(.seconds(Int64.random(in: -20...20, using: &dice)))
            case 2: rig.clock.advance(.seconds(Int64.random(in: 1...9, using: &dice)))
            case 3: try rig.survey(rig.front, rig.workspace())
            case 4: try rig.sync()
            default:
                if !isRecording { try recorder.start() }
                isRecording = true
                try recorder.record(seconds: Int.random(in: 1...3, using: &dice))
            }
        }
    }

    @Test("whatever happened, spans touch and cover the range, and gaps are what they leave", arguments: 1...12)
    func everySecond(seed: UInt64) async throws {
        let rig = try Rig(SyncSettings.Camera(asset: "archive", cacheBudget: 200_000, dropsOldest: true))
        let start = rig.clock.now
        try anyHistory(rig, seed)
        let (from, to) = (start - .seconds(5), rig.clock.now + .seconds(5))
        let coverage = try await answers(rig).coverage(from: from, to: to)
        #expect(coverage.spans.first?.from == from && coverage.spans.last?.to == to)
        for (span, next) in zip(coverage.spans, coverage.spans.dropFirst()) {
            #expect(span.from < span.to && span.to == next.from && span.kind != next.kind)
        }
        let gaps = try await answers(rig).gaps(from: from, to: to)
        var unrecorded = TimeSpan.zero
        // The last seconds of a recording that goes on are not lost yet.
        for span in coverage.spans where span.from < rig.clock.now - .seconds(5) {
            let end = min(span.to, rig.clock.now)
            let isGap = gaps.contains { $0.from <= span.from && ($0.to ?? .latest) >= end }
            if case .recorded = span.kind { continue }
            unrecorded = unrecorded + (span.to - span.from)
            #expect(isGap, "\(span) is in coverage, but not in \(gaps)")
        }
        let length = to - from
        #expect(coverage.recorded.microseconds <= length.microseconds - unrecorded.microseconds)
        #expect(coverage.percent == 100 * (coverage.recorded.seconds / length.seconds))
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
