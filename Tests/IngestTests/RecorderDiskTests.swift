import Foundation
import FragmentedMP4
import Ingest
import Messages
import Recording
import SegmentStore
import Testing

@Suite("Recorder: disk")
struct RecorderDiskTests {
    func evictions(_ bench: Bench) throws -> [(id: SegmentID, reason: EvictionReason)] {
        try bench.records.compactMap {
            if case .evicted(let id, _, _, _, let reason) = $0 { (id, reason) } else { nil }
        }
    }

    @Test("over budget with sync away: the oldest go, journalled, and the recording goes on")
    func budget() throws {
        let bench = try Bench(.test(segment: .seconds(2), budget: 300_000))
        bench.footage = Footage.plain.bloated(to: 50_000)
        try bench.connect()
        bench.play(.seconds(60))
        #expect(try bench.cache.totals().bytes < 400_000)
        let evicted = try evictions(bench)
        #expect(evicted.map(\.id.counter) == (0..<Int64(evicted.count)).map { $0 } && evicted.count > 10)
        #expect(evicted.allSatisfy { $0.reason == .budget })
        #expect(try bench.gaps.isEmpty)
    }

    @Test("over budget with sync away: what is held stays, and the next oldest goes")
    func held() throws {
        let bench = try Bench(.test(segment: .seconds(2), budget: 300_000))
        bench.footage = Footage.plain.bloated(to: 50_000)
        let start = bench.clock.wall
        try HeldRanges.publish([start + .seconds(3)..<start + .seconds(5)], in: bench.cache)
        try bench.connect()
        bench.play(.seconds(60))
        let evicted = try evictions(bench).map(\.id.counter)
        #expect(evicted.count > 8 && !evicted.contains(1) && evicted.first == 0)
        #expect(try bench.cache.listing().first?.name.id.counter == 1)
        #expect(try bench.gaps.isEmpty)
    }

    @Test("with nothing left but what is held recording stops as under stopRecording, and resumes when it is lifted")
    func allHeld() throws {
        let bench = try Bench(.test(segment: .seconds(2), budget: 300_000))
        bench.footage = Footage.plain.bloated(to: 50_000)
        let start = bench.clock.wall
        try HeldRanges.publish([start - .seconds(60)..<start + .seconds(3600)], in: bench.cache)
        try bench.connect()
        bench.play(.seconds(40))
        #expect(try evictions(bench).isEmpty)
        #expect(try bench.gaps.map(\.reason) == [.diskFull])
        try HeldRanges.publish([], in: bench.cache)
        bench.play(.seconds(40))
        #expect(bench.recorder.progress.state == .recording)
        #expect(try !evictions(bench).isEmpty)
    }

    @Test("over budget with sync alive: sync's business, not ours")
    func syncAlive() throws {
        let workspace = try Workspace()
        var settings = CameraSettings.test(segment: .seconds(2), budget: 300_000)
        settings.syncHeartbeatPath = workspace.path + "/heartbeat"
        let bench = try Bench(settings)
        bench.footage = Footage.plain.bloated(to: 50_000)
        try bench.connect()
        for second in 0..<40 {
            try Data("\(second)".utf8).write(to: URL(fileURLWithPath: settings.syncHeartbeatPath))
            bench.play(.seconds(1))
        }
        #expect(try evictions(bench).isEmpty)
        #expect(try bench.cache.totals().bytes > 400_000)
    }

    @Test("stopRecording: nothing is dropped, the gap says why, and room ends it")
    func stopRecording() throws {
        let bench = try Bench(.test(segment: .seconds(2), budget: 300_000, dropsOldest: false))
        bench.footage = Footage.plain.bloated(to: 50_000)
        try bench.connect()
        bench.play(.seconds(40))
        #expect(try evictions(bench).isEmpty)
        #expect(try bench.gaps.map(\.reason) == [.diskFull])
        #expect(bench.recorder.progress.lastFault?.code == "diskFull")
        #expect(bench.recorder.progress.state == .reconnecting)
        let freed = bench.clock.wall
        bench.recorder.adopt(.test(segment: .seconds(2), budget: 0, dropsOldest: false))
        bench.play(.seconds(5))
        #expect(bench.recorder.progress.state == .recording)
        let end = try #require(try bench.gaps.first?.to)
        #expect(end - freed < .seconds(5))
        #expect(try bench.segments.last?.info.id.session == 2)
    }

    @Test("what is verified goes first, also where nothing else may")
    func verifiedFirst() throws {
        let bench = try Bench(.test(segment: .seconds(2), budget: 300_000, dropsOldest: false))
        bench.footage = Footage.plain.bloated(to: 50_000)
        try EvictableWatermark.publish(SegmentID(session: 1, counter: 500), in: bench.cache)
        try bench.connect()
        bench.play(.seconds(60))
        #expect(try evictions(bench).allSatisfy { $0.reason == .verified })
        #expect(try bench.gaps.isEmpty)
        #expect(try bench.cache.totals().bytes < 400_000)
    }

    @Test(
        "a full disk: no trap, a gap, and within 5 s of space the recording goes on from its last keyframe",
        .enabled(if: SmallDisk.isPossible))
    func full() throws {
        let disk = try SmallDisk(megabytes: 12)
        let bench = try Bench(
            .test(segment: .seconds(8), dropsOldest: false), in: Workspace(disk), clock: ManualClock())
        bench.footage = Footage.longGroup.bloated(to: 400_000)
        try bench.connect()
        bench.play(.seconds(10))
        try disk.fill()
        bench.play(.seconds(20))
        #expect(bench.recorder.progress.lastFault?.code == "diskFull")
        #expect(bench.recorder.progress.state == .reconnecting)
        let loss = try #require(try bench.gaps.first)
        #expect(loss.reason == .diskFull && loss.to == nil)
        let freed = bench.clock.wall
        try disk.empty()
        bench.play(.seconds(8))
        #expect(bench.recorder.progress.state == .recording)
        let end = try #require(try bench.gaps.first?.to)
        #expect(end - freed < .seconds(5))
        bench.recorder.stop(.stopped)
        #expect(try bench.segments.allSatisfy(\.isComplete))
        #expect(try bench.contiguous().keys.sorted() == [1, 2])
        try bench.expectPlayable()
    }

    @Test("a full disk with sync away: the oldest make room and nothing is lost", .enabled(if: SmallDisk.isPossible))
    func evictsOnFull() throws {
        let disk = try SmallDisk(megabytes: 12)
        let bench = try Bench(.test(segment: .seconds(4)), in: Workspace(disk), clock: ManualClock())
        bench.footage = Footage.longGroup.bloated(to: 1_000_000)
        try bench.connect()
        bench.play(.seconds(100))
        bench.recorder.stop(.stopped)
        #expect(try evictions(bench).contains { $0.reason == .diskFull })
        #expect(try bench.gaps.map(\.reason) == [.stopped])
        #expect(try bench.contiguous().keys.sorted() == [1])
    }
}

/// A journal whose descriptor leads elsewhere for a while: its writes or its syncs fail, and nobody else's.
final class FaultyJournal {
    enum Fault: String {
        /// Takes bytes, and has nothing to sync.
        case syncs = "/dev/null"
        /// Cannot be written to.
        case writes = "/dev/full"
    }

    private let number: Int32
    private let saved: Int32

    init(in folder: String, _ fault: Fault) throws {
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }
        number = try #require(
            descriptors.first { number in
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")
                return target == "\(folder)/journal"  // others come and go meanwhile
            })
        saved = dup(number)
        let elsewhere = open(fault.rawValue, O_RDWR)
        try #require(saved >= 0 && elsewhere >= 0 && dup2(elsewhere, number) == number)
        close(elsewhere)
    }

    func mend() { dup2(saved, number) }

    deinit { close(saved) }
}

@Suite("Recorder: journal")
struct RecorderJournalTests {
    @Test("a segment whose end the journal does not take is closed all the same, and journalled later")
    func closing() throws {
        let bench = try Bench(.test(segment: .seconds(2)))
        try bench.connect(audio: false)
        bench.play(.milliseconds(1900))
        let fault = try FaultyJournal(in: bench.workspace.path, .writes)
        bench.play(.milliseconds(300))
        #expect(try bench.cache.listing().map(\.name.stage) == [.closed])
        fault.mend()
        bench.play(.seconds(4))
        bench.recorder.stop(.stopped)
        #expect(try bench.cache.listing().allSatisfy { $0.name.stage == .closed })
        let closed = try bench.records.filter { if case .segmentClosed = $0 { true } else { false } }
        #expect(try closed.count == bench.cache.listing().count)
        #expect(try bench.contiguous().values.reduce(0) { $0 + $1[0] } == bench.sent.video)
    }

    @Test("a journal that takes nothing for hours holds a bounded number of facts, and forgets no loss")
    func bounded() throws {
        let bench = try Bench()
        try bench.connect(audio: false)
        bench.play(.seconds(2))
        let fault = try FaultyJournal(in: bench.workspace.path, .writes)
        for round in 0..<400 {
            _ = bench.recorder.disconnected(round % 2 == 0 ? .authentication : .disconnected)
            if round % 3 == 0 { bench.clock.wall = bench.clock.wall + .seconds(5) }
            bench.wait(.seconds(1))
        }
        fault.mend()
        try bench.connect(audio: false)
        let back = bench.clock.wall
        bench.play(.seconds(2))
        bench.recorder.stop(.stopped)
        let gaps = try bench.gaps.dropLast()
        #expect(gaps.first?.from == start + .seconds(2) && gaps.last?.to == back)
        for (gap, next) in zip(gaps, gaps.dropFirst()) { #expect(gap.to == next.from) }
        #expect(try bench.records.count < 300)
    }

    let start = ManualClock.start
}

/// A tmpfs of a few megabytes; only root can have one.
final class SmallDisk {
    static let isPossible = geteuid() == 0

    let path: String
    private var ballast: String { path + "/ballast" }

    init(megabytes: Int) throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("disk-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        let result = Tool.run("mount", ["-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", path])
        try #require(result.status == 0, "\(result.errors)")
    }

    deinit {
        _ = Tool.run("umount", ["-l", path])
        // An empty mount point that stays behind harms no test.
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Leaves next to nothing.
    func fill() throws {
        _ = Tool.run("dd", ["if=/dev/zero", "of=\(ballast)", "bs=4096"])
        try #require(FileManager.default.fileExists(atPath: ballast))
    }

    func empty() throws { try FileManager.default.removeItem(atPath: ballast) }
}
