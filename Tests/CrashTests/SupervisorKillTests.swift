import Foundation
import Messages
import TestSupport
import Testing

@Suite("Processes killed and hung", .showsEvidence, .timeLimit(.minutes(20)))
struct SupervisorKillTests {
    private func withFront<Result: Sendable>(
        _ body: (Box) async throws -> Result
    ) async throws -> Result {
        try await Machine.shared.place {
            try await withCameras([.init("front", clip: "h264-video")]) { box, _ in try await body(box) }
        }
    }

    @Test("workers record on without cvrd, and the next cvrd takes them over without a gap (I5)")
    func supervisor() async throws {
        try await withFront { box in
            try await box.start()
            try await box.untilStored(1, of: "front")
            let worker = try box.worker(of: "front")
            try await box.endSupervisor(SIGKILL)
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
        try await withFront { box in
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

    @Test(
        "a worker that crashes again and again is held back, not blamed on the camera, and costs no neighbour a frame")
    func loop() async throws {
        try await Machine.shared.place {
            try await withCameras(["front", "yard"].map { .init($0, clip: "h264-video") }) { box, _ in
                try await box.start()
                for camera in ["front", "yard"] { try await box.untilStored(1, of: camera) }
                var seen: [Admin.Camera] = []
                // At the fifth within a minute it is flapping, which lasts for half a minute at least.
                while seen.last?.state != "flapping", seen.count < 8 {
                    seen.append(try await killNext("front", in: box))
                }
                #expect(seen.last?.state == "flapping" && seen.contains { $0.state == "backingOff" }, "\(seen)")
                for front in seen where ["backingOff", "flapping"].contains(front.state) {
                    #expect(front.lastError?.code == "workerKilled" && front.lastError?.nextStep.isEmpty == false)
                }
                #expect(try await box.run(["camera", "restart", "front"]).ending == .exited(0))
                try await box.until(["front"], are: "recording")
                try await expectUnharmed("yard", in: box)
                let front = try await RecordedCamera("front", in: box)
                #expect(Set(front.gaps.map(\.reason)).isSubset(of: ["workerCrash", "stopped"]), "\(front.gaps)")
            }
        }
    }

    /// Kills a camera's worker as soon as it lives; what status says once it is gone.
    private func killNext(_ camera: String, in box: Box) async throws -> Admin.Camera {
        let worker = try await eventually("a worker", within: .seconds(20), every: .milliseconds(20)) {
            box.processes().first { $0.camera == camera }
        }
        let seen = try await box.events.lines.count
        kill(worker.pid, SIGKILL)
        _ = try await box.events.first(from: seen, "the worker's end") { line in
            line.contains("\"workerExited\"") && line.contains("\"\(camera)\"") ? true : nil
        }
        return try await eventually("what comes of it", every: .milliseconds(20)) {
            let now = try await box.status(of: camera)
            let isBack = box.processes().contains { $0.camera == camera && $0 != worker }
            return isBack || ["backingOff", "flapping"].contains(now.state) ? now : nil
        }
    }

    @Test("while cvr-sync is killed again and again, the camera loses nothing and everything is stored")
    func sync() async throws {
        try await withFront { box in
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
