import Foundation
import FragmentedMP4
import Ingest
import Messages
import Recording
import SegmentStore
import Testing

/// What an event asks for, and is not simply there.
@Suite("Recorder: windows in trouble")
struct GatedTroubleTests {
    private func rounded(_ spans: [[Double]]) -> [[Double]] { spans.map { $0.map { $0.rounded() } } }

    @Test(
        "a worker that starts while the clock is behind its journal records windows at once", arguments: [false, true])
    func behindItsJournal(isSetLater: Bool) throws {
        let (workspace, clock) = (try Workspace(), ManualClock())
        do {
            let first = try Bench(.gated(), in: workspace, clock: clock)
            try first.connect(audio: false)
            first.play(.seconds(5))
            first.ask("before", from: 2, until: 4)
            first.play(.seconds(10))
        }
        // No clock of its own: it begins an hour before.
        clock.wall = clock.wall + .seconds(-3600)
        let bench = try Bench(.gated(), in: workspace, clock: clock)
        try bench.connect(audio: false)
        bench.play(.seconds(8))
        if isSetLater {
            clock.wall = clock.wall + .seconds(3600)
            bench.play(.seconds(2))
        }
        let now = bench.seconds(clock.wall)
        bench.ask(from: now - 4, until: now + 4)
        bench.play(.seconds(10))
        bench.recorder.stop(.stopped)
        #expect(bench.closed == ["w 2"])
        let recorded = try #require(try bench.sessions().last)
        #expect(abs(recorded[0] - (now - 4)) < 1.05 && abs(recorded[1] - (now + 4)) < 0.05, "\(recorded) at \(now)")
    }

    @Test("a lengthening that comes when the pre-roll is gone records on, and the hole is a gap of its own")
    func prolongedTooLate() throws {
        let bench = try Bench(.gated())
        try bench.connect(audio: false)
        bench.play(.seconds(5))
        bench.ask(from: 5, until: 10)
        bench.play(.seconds(40))
        bench.ask(from: 5, until: 50)
        bench.play(.seconds(10))
        bench.recorder.stop(.stopped)
        let sessions = try bench.sessions()
        #expect(sessions.count == 2 && bench.closed == ["w 1", "w 2"])
        let begin = try #require(sessions.last?.first)
        #expect((24.9...35.1).contains(begin))
        #expect(rounded(try bench.spans(.preRollTooShort)) == rounded([[10, begin]]))
        #expect(rounded(try bench.spans(.gateClosed)) == [[0, 5], [50, 55]])
    }

    @Test("a window that is heard of late has a gap of its own for what is not there any more", arguments: [70.0, 20])
    func late(until: Double) throws {
        let bench = try Bench(.gated())
        try bench.connect(audio: false)
        bench.play(.seconds(60))
        bench.ask(from: 5, until: until)
        bench.play(.seconds(20))
        bench.recorder.stop(.stopped)
        let begin = try bench.sessions().first?.first ?? until
        #expect(begin == until || (39.9...50.1).contains(begin))
        #expect(rounded(try bench.spans(.preRollTooShort)) == rounded([[5, begin]]))
        #expect(rounded(try bench.spans(.gateClosed)) == [[0, 5], [until, 80]])
        #expect(bench.closed == [until == 70 ? "w 1" : "w 0"])
    }

    @Test("late windows that come in no order have a gap each, but where something was recorded")
    func lateOnes() throws {
        let bench = try Bench(.gated())
        try bench.connect(audio: false)
        bench.play(.seconds(10))
        bench.ask("a", from: 8, until: 12)
        bench.play(.seconds(50))
        bench.ask("b", from: 30, until: 35)
        bench.play(.seconds(3))
        bench.ask("c", from: 5, until: 20)
        bench.ask("d", from: 2, until: 4)
        bench.play(.seconds(10))
        bench.recorder.stop(.stopped)
        #expect(bench.closed == ["a 1", "b 0", "d 0", "c 0"])
        let lost = rounded(try bench.spans(.preRollTooShort))
        #expect(lost.sorted { $0[0] < $1[0] } == [[2, 4], [5, 8], [12, 20], [30, 35]])
        #expect(try bench.gaps.last?.to == nil)
    }

    @Test(
        "what a camera showed before it was cut off is recorded for an event that comes after",
        arguments: [20.0, 8, 12])
    func cutOff(until: Double) throws {
        let bench = try Bench(.gated())
        try bench.connect()
        bench.play(.seconds(10))
        _ = bench.recorder.disconnected(.disconnected)
        bench.wait(.seconds(2))
        bench.ask(from: 5, until: until, asset: "clip")
        bench.wait(.seconds(1))
        #expect(try bench.sessions().count == 1)
        bench.frame = 0
        try bench.connect()
        bench.play(.seconds(12))
        bench.recorder.stop(.stopped)
        let expected: [[Double]] = until == 20 ? [[5, 10], [13, 20]] : [[5, min(until, 10)]]
        #expect(rounded(try bench.sessions()) == expected)
        #expect(try bench.names.map(\.asset) == expected.map { _ in "clip" })
        #expect(bench.closed == [expected.count == 1 ? "w 1" : "w 2 1"])
        let lost: [[Double]] = until == 8 ? [] : [[10, min(until, 13)]]
        #expect(rounded(try bench.spans(.networkLoss).filter { $0[1] - $0[0] > 0.1 }) == lost)
        #expect(rounded(try bench.spans(.gateClosed)) == [[0, 5], [until, 25]])
        try bench.expectPlayable()
    }

    @Test("a window that begins after the camera was cut off begins with its return")
    func cutOffBefore() throws {
        let bench = try Bench(.gated())
        try bench.connect(audio: false)
        bench.play(.seconds(10))
        _ = bench.recorder.disconnected(.disconnected)
        bench.wait(.seconds(3))
        bench.frame = 0
        try bench.connect(audio: false)
        bench.play(.seconds(3))
        bench.ask(from: 11, until: 20)
        bench.play(.seconds(10))
        bench.recorder.stop(.stopped)
        #expect(rounded(try bench.sessions()) == [[13, 20]])
        #expect(rounded(try bench.spans(.networkLoss)) == [[11, 13]])
    }

    @Test("of a camera that stays away nothing is kept for longer than it has to be")
    func forgets() throws {
        let bench = try Bench(.gated())
        try bench.connect(audio: false)
        bench.play(.seconds(10))
        _ = bench.recorder.disconnected(.disconnected)
        bench.wait(.seconds(4))
        #expect(!bench.preRollFiles.isEmpty)
        bench.wait(.seconds(13))
        #expect(bench.preRollFiles.isEmpty)
        bench.ask(from: 20, until: 30)
        bench.wait(.seconds(10))
        bench.recorder.stop(.stopped)
        #expect(rounded(try bench.spans(.networkLoss)) == [[20, 30]])
    }

    @Test("what the disk did not take costs that, not what it took before")
    func hole() throws {
        let bench = try Bench(.gated())
        try bench.connect(audio: false)
        bench.play(.seconds(12))
        let next = (bench.preRollFiles.compactMap(Int.init).max() ?? 0) + 1
        try Data().write(to: URL(fileURLWithPath: "\(bench.workspace.path)/pre-roll/\(next)"))
        bench.play(.seconds(5))
        #expect(bench.faults.contains("diskError"))
        bench.ask(from: 8, until: 25)
        bench.play(.seconds(15))
        bench.recorder.stop(.stopped)
        #expect(rounded(try bench.sessions()) == [[8, 15], [16, 25]])
        #expect(rounded(try bench.spans(.diskError)) == [[15, 16]])
        #expect(bench.closed == ["w 2 1"])
    }

    /// Six seconds of a camera, and a window of which no day's folder can be made as long as `day` is in the way.
    private func failing() throws -> (bench: Bench, day: String) {
        let bench = try Bench(.gated())
        try bench.connect(audio: false)
        bench.play(.seconds(6))
        let day = bench.workspace.path + "/" + ManualClock.start.rfc3339.prefix(10)
        try Data().write(to: URL(fileURLWithPath: day))
        bench.ask(from: 4, until: 8)
        return (bench, day)
    }

    @Test("a disk that fails in a window and comes back behind its end gets what the pre-roll still has")
    func diskBack() throws {
        let (bench, day) = try failing()
        bench.play(.seconds(8))
        #expect(bench.closed.isEmpty && bench.recorder.progress.lastFault?.code == "diskError")
        try FileManager.default.removeItem(atPath: day)
        bench.play(.seconds(4))
        let session = try #require(try bench.segments.last).info.id.session
        #expect(bench.closed == ["w \(session)"])
        bench.recorder.stop(.stopped)
        #expect(rounded(try bench.sessions()) == [[4, 8]])
    }

    @Test("a disk that fails for good does not keep a window open for longer than the pre-roll reaches")
    func diskGone() throws {
        let bench = try failing().bench
        bench.play(.seconds(30))
        #expect(bench.closed == ["w 0"])
    }

    @Test("a disk that fills up: the pre-roll goes first, and says so", .enabled(if: SmallDisk.isPossible))
    func fullDisk() throws {
        let disk = try SmallDisk(megabytes: 24)
        let bench = try Bench(.gated(), in: Workspace(disk), clock: ManualClock())
        bench.footage = Footage.longGroup.bloated(to: 100_000)
        try bench.connect(audio: false)
        bench.play(.seconds(15))
        #expect(try #require(try PreRollFolder.bytes(in: bench.cache)) > 200_000)
        // What others on this disk record is as full as it may be.
        try disk.fill()
        bench.play(.seconds(3))
        #expect(try #require(try PreRollFolder.bytes(in: bench.cache)) == 0)
        #expect(try bench.cache.freeSpace().available > 200_000)
        #expect(bench.recorder.progress.lastFault?.code == "preRollTooShort")
        try disk.empty()
        bench.play(.seconds(15))
        #expect(try #require(try PreRollFolder.bytes(in: bench.cache)) > 200_000)
    }

    @Test("of a cache that may drop nothing and is full of what no store has, the pre-roll takes no room")
    func fullBudget() throws {
        var settings = CameraSettings.gated(budget: 600_000)
        settings.dropsOldest = false
        let bench = try Bench(settings)
        bench.footage = Footage.plain.bloated(to: 50_000)
        try bench.connect(audio: false)
        bench.play(.seconds(4))
        bench.ask(from: 3, until: 33)
        bench.play(.seconds(30))
        let held = try bench.cache.totals().bytes
        bench.play(.seconds(40))
        let kept = try #require(try PreRollFolder.bytes(in: bench.cache))
        #expect(held + kept <= 600_000 && held > 300_000, "\(held) and \(kept)")
    }
}
