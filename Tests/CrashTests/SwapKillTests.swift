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

    private func swapping(_ body: (UpgradedBox) async throws -> Void) async throws {
        try await Machine.shared.place {
            let rig = try await CameraRig([.init("cam1", clip: "h264-video")])
            let settings = BoxSettings([.init("cam1", url: try rig.url("cam1"))])
            try await withBox(settings) { try await body(try await UpgradedBox($0, ["cam1"])) }
            await rig.stop()
        }
    }

    @Test("a worker that dies before the commit, old or new, costs no frame", arguments: harmlessSteps)
    func harmless(step: String) async throws {
        try await swapping { upgraded in
            try await upgraded.start(environment: ["CVR_FAILPOINT": step])
            try await upgraded.installOtherBuild()
            _ = try await upgraded.box.run(["--json", "upgrade"], within: .seconds(200))
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
            try await upgraded.recordOn()
            upgraded.expectOneWorkerEach()
            let recorded = try await RecordedCamera("cam1", in: upgraded.box)
            let (reasons, spans) = (recorded.gapReasons, recorded.coverage?.spans ?? [])
            #expect(reasons.allSatisfy { ["upgrade", "workerCrash"].contains($0) }, "\(reasons)")
            #expect(spans.allSatisfy { ["recorded", "gap"].contains($0.kind) })
        }
    }

    @Test(
        "a cvrd that dies in a swap leaves one recording, and the next one brings it to its end",
        arguments: ["successorStarted", "successorTookOver", "workerUpgraded"])
    func supervisor(event: String) async throws {
        try await swapping { upgraded in
            try await upgraded.start()
            let seen = try await upgraded.box.events.lines.count
            try await upgraded.installOtherBuild()
            async let asked = upgraded.box.run(["--json", "upgrade"], within: .seconds(200))
            _ = try await upgraded.box.events.first(from: seen, event, within: .seconds(60)) { line in
                line.contains("\"\(event)\"") ? true : nil
            }
            try await upgraded.box.endSupervisor(SIGKILL)
            _ = try await asked
            try await upgraded.box.start(programs: upgraded.programs)
            try await eventually("one worker", within: .seconds(90)) {
                let status = try await upgraded.box.status(of: "cam1")
                let workers = upgraded.box.processes().filter { $0.program == "cvr-ingest" }
                return workers.count == 1 && status.state == "recording" && status.pid == Int64(workers[0].pid)
                    ? true : nil
            }
            try await upgraded.recordOn()
            try await upgraded.expectNoFrameLost("cam1", allowsDuplicates: true)
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
