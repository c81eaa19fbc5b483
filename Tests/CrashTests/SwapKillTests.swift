import Foundation
import Messages
import TestSupport
import Testing

/// Each party of a swap dies at each of its steps (ARCHITECTURE, "Failpoints"): afterwards one worker records, and
/// whatever is missing is a gap.
@Suite("Processes killed in a swap", .showsEvidence, .timeLimit(.minutes(20)))
struct SwapKillTests {
    /// Before the successor is the one that records, nothing is lost whoever dies.
    static let harmlessSteps: [String] = [
        "swap.rehearsed", "swap.proven", "handOver.begin", "handOver.closed", "handOver.journalled",
    ]
    /// From there on its death costs what any worker's costs.
    static let costlySteps: [String] = ["takeOver.locked", "takeOver.recovered", "takeOver.begun"]

    private func swapping(sessions: String? = nil, _ body: (UpgradedBox) async throws -> Void) async throws {
        try await Machine.shared.place {
            let rig = try await CameraRig([.init("cam1", clip: "h264-video")])
            if let sessions { try await rig.tell("sessions cam1 \(sessions)") }
            let settings = BoxSettings([.init("cam1", url: try rig.url("cam1"))])
            try await withBox(settings) { try await body(try await UpgradedBox($0, ["cam1"])) }
            await rig.stop()
        }
    }

    /// A worker dies of its failpoint, which is a signal, and no build is blamed for it.
    private func expectDeath(in box: Box) async throws {
        #expect(!FileManager.default.fileExists(atPath: box.root + "/state/builds/refused"))
        _ = try await box.events.first("a worker dies of its failpoint", within: .seconds(1)) { line in
            line.contains("(signal 9)") && line.contains("\"workerExited\"") ? true : nil
        }
    }

    @Test("a worker that dies before the commit, old or new, costs no frame", arguments: harmlessSteps)
    func harmless(step: String) async throws {
        try await swapping { upgraded in
            try await upgraded.start(environment: ["CVR_FAILPOINT": step])
            try await upgraded.installOtherBuild()
            _ = try await upgraded.box.run(["--json", "upgrade"], within: .seconds(200))
            try await expectDeath(in: upgraded.box)
            try await upgraded.recordOn()
            upgraded.expectOneWorkerEach()
            try await upgraded.expectNoFrameLost("cam1", allowsDuplicates: true)
        }
    }

    @Test(
        "a successor that dies after the commit leaves a gap that says so, and a worker that records",
        arguments: costlySteps
    )
    func costly(step: String) async throws {
        try await swapping { upgraded in
            try await upgraded.start(environment: ["CVR_FAILPOINT": step])
            try await upgraded.installOtherBuild()
            _ = try await upgraded.box.run(["--json", "upgrade"], within: .seconds(200))
            try await expectDeath(in: upgraded.box)
            try await upgraded.recordOn()
            upgraded.expectOneWorkerEach()
            let recorded = try await RecordedCamera("cam1", in: upgraded.box)
            let (reasons, spans) = (recorded.gapReasons, recorded.coverage?.spans ?? [])
            #expect(!reasons.isEmpty && Set(reasons).isSubset(of: ["upgrade", "workerCrash"]), "\(reasons)")
            #expect(spans.allSatisfy { ["recorded", "gap"].contains($0.kind) })
        }
    }

    @Test(
        "a cvrd that dies in a swap leaves one recording, and the next one brings it to its end",
        arguments: ["successorStarted", "workerExited", "successorTookOver", "tookOver"])
    func supervisor(event: String) async throws {
        try await swapping { upgraded in
            try await killSupervisor(of: upgraded, at: event)
            try await upgraded.expectNoFrameLost("cam1", allowsDuplicates: true)
        }
    }

    @Test("the same where the camera allows one session: what is missing is a gap that says so")
    func supervisorWithGap() async throws {
        try await swapping(sessions: "one") { upgraded in
            try await killSupervisor(of: upgraded, at: "swapWithGap")
            let reasons = try await RecordedCamera("cam1", in: upgraded.box).gapReasons
            #expect(!reasons.isEmpty && Set(reasons).isSubset(of: ["upgrade", "workerCrash"]), "\(reasons)")
        }
    }

    /// In an upgrade, as soon as the event is seen; returns when the next cvrd has one worker that records on.
    private func killSupervisor(of upgraded: UpgradedBox, at event: String) async throws {
        try await upgraded.start()
        let old = try await upgraded.box.status(of: "cam1").build
        let seen = try await upgraded.box.events.lines.count
        try await upgraded.installOtherBuild()
        async let asked = upgraded.box.run(["--json", "upgrade"], within: .seconds(200))
        _ = try await upgraded.box.events.first(from: seen, event, within: .seconds(60)) { line in
            line.contains("\"\(event)\"") ? true : nil
        }
        try await upgraded.box.endSupervisor(SIGKILL)
        #expect(try await asked.ending != .exited(0))
        try await upgraded.box.start(programs: upgraded.programs)
        try await eventually("one worker, of the new build", within: .seconds(90)) { () -> Bool? in
            let status = try await upgraded.box.status(of: "cam1")
            let workers = upgraded.box.processes().filter { $0.program == "cvr-ingest" }
            guard let only = workers.first, workers.count == 1, status.state == "recording" else { return nil }
            return status.pid == Int64(only.pid) && ![old, ""].contains(status.build) ? true : nil
        }
        // It comes last, and is away for a moment.
        _ = try await upgraded.box.events.first("cvr-sync is replaced too", within: .seconds(60)) { line in
            line.contains("\"syncUpgraded\"") ? true : nil
        }
        try await upgraded.recordOn()
    }

    @Test("an old worker that dies while its successor gets ready is succeeded at once, and no build is blamed")
    func predecessor() async throws {
        try await swapping { upgraded in
            try await upgraded.start()
            let old = try upgraded.box.worker(of: "cam1")
            try await upgraded.installOtherBuild()
            async let asked = upgraded.box.run(["--json", "upgrade"], within: .seconds(200))
            _ = try await upgraded.box.events.first("a successor", within: .seconds(60)) { line in
                line.contains("\"successorStarted\"") ? true : nil
            }
            kill(old.pid, SIGKILL)
            let done = try await asked
            #expect(done.ending == .exited(0), "\(done.text)")
            try await upgraded.recordOn()
            upgraded.expectOneWorkerEach()
            #expect(try await upgraded.box.status(of: "cam1").restarts == 1)
            let reasons = try await RecordedCamera("cam1", in: upgraded.box).gapReasons
            #expect(Set(reasons).isSubset(of: ["workerCrash"]), "\(reasons)")
        }
    }

    @Test("a run directory that is wiped under a worker costs no frame: the next cvrd has it succeeded")
    func wiped() async throws {
        try await swapping { upgraded in
            try await upgraded.start()
            let before = try upgraded.workers()
            try await upgraded.box.endSupervisor(SIGKILL)
            try FileManager.default.removeItem(atPath: "\(upgraded.box.root)/run")
            try FileManager.default.createDirectory(
                atPath: "\(upgraded.box.root)/run", withIntermediateDirectories: false)
            try await upgraded.box.start(programs: upgraded.programs)
            try await eventually("a worker that can be reached", within: .seconds(60)) {
                let workers = upgraded.box.processes().filter { $0.program == "cvr-ingest" }
                return workers.count == 1 && workers.first != before["cam1"] ? true : nil
            }
            try await upgraded.recordOn()
            upgraded.expectOneWorkerEach()
            try await upgraded.expectNoFrameLost("cam1", allowsDuplicates: true)
            #expect(upgraded.box.processes().filter { $0.program == "cvr-sync" }.count == 1)
        }
    }
}
