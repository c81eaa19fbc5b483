import Foundation
import FragmentedMP4
import Messages
import Recording
import TestSupport
import Testing

@Suite("A full disk", .showsEvidence, .timeLimit(.minutes(20)), .enabled(if: geteuid() == 0, "mounts a tmpfs"))
struct DiskFullTests {
    @Test(
        "that nothing may leave stops the recording without a crash; it resumes within 5 s of space, the hole says why")
    func full() async throws {
        try await withFront { box in
            let worker = try box.worker(of: "front")
            // Without a store nothing more is verified, and what is not verified stays (`stopRecording`).
            try FileManager.default.moveItem(atPath: "\(box.root)/store", toPath: "\(box.root)/unplugged")
            _ = FileManager.default.createFile(atPath: "\(box.root)/store", contents: nil)
            try fill(box)
            let standing = try await standstill(box)
            let fault = try await eventually("status names the disk") {
                let fault = try await box.status(of: "front").lastError
                return fault?.code == "diskFull" ? fault : nil
            }
            #expect(!fault.nextStep.isEmpty, "\(fault)")
            let unverified = try await box.segments(of: "front").filter { $0.state != "verified" }
            #expect(!unverified.contains { !$0.local }, "\(unverified)")
            try await resumes(box, after: standing)
            try FileManager.default.removeItem(atPath: "\(box.root)/store")
            try FileManager.default.moveItem(atPath: "\(box.root)/unplugged", toPath: "\(box.root)/store")
            try await expectGap(box, worker)
        }
    }

    @Test("with cvr-sync stopped costs verified segments, oldest first; the worker makes its own room (I7)")
    func fullWithoutSync() async throws {
        try await withFront { box in
            let worker = try box.worker(of: "front")
            let sync = try box.sync()
            kill(sync.pid, SIGSTOP)
            try fill(box)
            try await resumption(box, after: 0)
            // By itself the worker goes on until nothing verified is left; then space has to come back.
            try await resumes(box, after: try await standstill(box))
            kill(sync.pid, SIGCONT)
            try await expectGap(box, worker)
            let after = TestBox.closed(try await box.segments(of: "front"))
            let gone = after.filter { !$0.local }
            #expect(!gone.isEmpty, "\(gone)")
            #expect(Array(after.prefix(gone.count)) == gone, "a newer segment went before an older one: \(after)")
            #expect(gone.allSatisfy { $0.state == "verified" }, "\(gone)")
        }
    }

    /// Gives the space back; the recording has to go on within 5 s, as an event after `index` says.
    private func resumes(_ box: Box, after index: Int) async throws {
        let freed = ContinuousClock.now
        try FileManager.default.removeItem(atPath: filler(box))
        try await resumption(box, after: index)
        let took = ContinuousClock.now - freed
        #expect(took < .seconds(5), "recording resumed after \(took)")
    }

    private func resumption(_ box: Box, after index: Int) async throws {
        _ = try await box.events.first(from: index, "the recording resumes", within: .seconds(60)) { line in
            line.contains("\"gapClosed\"") && line.contains("diskFull") ? true : nil
        }
    }

    /// A camera of 2 Mbps, some MiB of it verified, on a disk with room for more.
    private func withFront(_ body: (Box) async throws -> Void) async throws {
        try await Machine.shared.place {
            try await withCameras(
                [.init("front", clip: "demo")],
                settings: {
                    $0.cacheMountMiB = 24
                    $0.cacheFull = "stopRecording"
                }
            ) { box, _ in
                try await box.start()
                try await box.untilStored(5, of: "front")
                try await body(box)
            }
        }
    }

    /// Waits until a gap for the full disk has stayed open for so long that the worker has found nothing to free;
    /// returns where the events after it begin.
    private func standstill(_ box: Box) async throws -> Int {
        var last: (index: Int, seen: ContinuousClock.Instant)?
        return try await eventually("the recording stands still", within: .seconds(60)) {
            let lines = try await box.events.lines
            let index = lines.lastIndex { $0.contains("\"gap") && $0.contains("diskFull") }
            guard let index, lines[index].contains("\"gapOpened\"") else { return nil }
            if last?.index != index { last = (index, .now) }
            return last.map { ContinuousClock.now - $0.seen > .seconds(4) } == true ? index + 1 : nil
        }
    }

    private func expectGap(_ box: Box, _ worker: BoxProcess) async throws {
        let count = try await eventually("a listing") {
            // While cvr-sync was stopped nobody answered.
            try? await box.segments(of: "front").count
        }
        try await box.untilStored(count + 1, of: "front")
        let front = try await RecordedCamera("front", in: box)
        #expect(front.gaps.contains { $0.reason == "diskFull" && $0.to != nil }, "\(front.gaps)")
        #expect(!front.gapReasons.contains("unknown"), "\(String(describing: front.coverage))")
        #expect(front.status.restarts == 0)
        #expect(try box.worker(of: "front") == worker, "the worker was replaced")
        for file in SegmentFiles.all(in: "\(box.root)/cache/front", endings: [".mp4"]) {
            #expect(try SegmentFiles.read(file).isComplete, "\(file)")
        }
    }

    @Test("costs the oldest verified segments first, and no second of the recording")
    func eviction() async throws {
        try await Machine.shared.place {
            try await withCameras(
                [.init("front", clip: "demo")],
                settings: {
                    // Room for some ten seconds: it is full again and again.
                    $0.cacheMountMiB = 4
                    $0.minimumFree = "30%"
                }
            ) { box, _ in
                try await box.start()
                try await box.untilStored(12, of: "front", within: .seconds(90))
                let front = try await RecordedCamera("front", in: box)
                #expect(front.gaps.isEmpty, "\(front.gaps)")
                #expect(front.coverage?.percent == 100, "\(String(describing: front.coverage))")
                let local = front.closed.map(\.local)
                let firstLocal = try #require(local.firstIndex(of: true))
                #expect(firstLocal > 0, "nothing was evicted")
                #expect(local[firstLocal...].allSatisfy { $0 }, "a newer segment went before an older one: \(local)")
                #expect(front.closed.prefix(firstLocal).allSatisfy { $0.state == "verified" })
            }
        }
    }

    private func filler(_ box: Box) -> String { "\(box.root)/cache/filler" }

    /// Takes all that is free.
    private func fill(_ box: Box) throws {
        guard FileManager.default.createFile(atPath: filler(box), contents: nil),
            let handle = FileHandle(forWritingAtPath: filler(box))
        else { throw Missed("the filler cannot be made") }
        defer { try? handle.close() }  // it was written as far as there was room
        // The error that ends each round is the full disk.
        for size in [1 << 16, 1 << 12] { while (try? handle.write(contentsOf: Data(count: size))) != nil {} }
    }
}
