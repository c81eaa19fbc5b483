import Foundation
import Messages
import TestSupport
import Testing

@Suite("Processes killed and hung", .showsEvidence, .timeLimit(.minutes(20)))
struct SupervisorKillTests {
    private func withFront<Result: Sendable>(
        _ body: (Box, CameraRig) async throws -> Result
    ) async throws -> Result {
        try await Machine.shared.place {
            let rig = try await CameraRig([.init("front", clip: "h264-video")])
            let settings = BoxSettings([.init("front", url: try rig.url("front"))])
            let result = try await withBox(settings) { try await body($0, rig) }
            await rig.stop()
            return result
        }
    }

    @Test("workers record on without cvrd, and the next cvrd takes them over without a gap")
    func supervisor() async throws {
        try await withFront { box, _ in
            try await box.start()
            try await box.untilStored(1, of: "front")
            let worker = try box.worker(of: "front")
            try await box.killSupervisor()
            let folder = "\(box.root)/cache/front"
            let before = SegmentFiles.all(in: folder, endings: [".mp4"]).count
            try await eventually("two segments closed without cvrd") {
                SegmentFiles.all(in: folder, endings: [".mp4"]).count >= before + 2 ? true : nil
            }
            try await box.start()
            try await box.until(["front"], are: "recording")
            let count = try await box.segments(of: "front").count
            try await box.untilStored(count + 1, of: "front")
            #expect(try box.worker(of: "front") == worker, "the worker was replaced")
            let front = try await RecordedCamera("front", in: box)
            #expect(front.gaps.isEmpty, "\(front.gaps)")
            #expect(front.coverage?.percent == 100, "\(String(describing: front.coverage))")
            #expect(box.processes().filter { $0.program == "cvr-ingest" }.count == 1)
            #expect(box.processes().filter { $0.program == "cvr-sync" }.count == 1)
            #expect(try await box.stop() == .exited(0))
        }
    }

    @Test("a worker that hangs is replaced; the hole says so and is not blamed on the camera")
    func hung() async throws {
        try await withFront { box, _ in
            try await box.start()
            try await box.untilStored(1, of: "front")
            let worker = try box.worker(of: "front")
            kill(worker.pid, SIGSTOP)
            try await eventually("another worker", within: .seconds(30)) {
                box.processes().contains { $0.program == "cvr-ingest" && $0 != worker } ? true : nil
            }
            try await box.until(["front"], are: "recording")
            let count = try await box.segments(of: "front").count
            try await box.untilStored(count + 1, of: "front")
            let front = try await RecordedCamera("front", in: box)
            #expect(front.gapReasons == ["workerHang"], "\(String(describing: front.coverage))")
            #expect(front.status.restarts == 1)
        }
    }

    @Test("while cvr-sync is killed again and again, the camera loses nothing and everything is stored")
    func sync() async throws {
        try await withFront { box, _ in
            try await box.start()
            for count in 1...4 {
                try await box.untilStored(count, of: "front")
                kill(try box.sync().pid, SIGKILL)
            }
            try await box.untilStored(6, of: "front")
            let front = try await RecordedCamera("front", in: box)
            #expect(front.gaps.isEmpty, "\(front.gaps)")
            #expect(front.coverage?.percent == 100, "\(String(describing: front.coverage))")
            #expect(front.sessions.count == 1)
        }
    }
}
