import Foundation
import Messages
import Recording
import TestSupport
import Testing

@Suite("Rolling upgrade", .showsEvidence, .timeLimit(.minutes(20)))
struct UpgradeTests {
    /// `contrib/test --all` asks for more, of which each fourth allows one session.
    static let count = ProcessInfo.processInfo.environment["CVR_UPGRADE_CAMERAS"].flatMap { Int($0) } ?? 3

    private func withBoxes(
        _ count: Int, _ body: (UpgradedBox, CameraRig) async throws -> Void
    ) async throws {
        try await Machine.shared.place {
            let names = (1...count).map { "cam\($0)" }
            let rig = try await CameraRig(names.map { .init($0, clip: "h264-video") })
            let settings = BoxSettings(try names.map { .init($0, url: try rig.url($0)) })
            try await withBox(settings) { try await body(try await UpgradedBox($0, names), rig) }
            await rig.stop()
        }
    }

    private struct Step: Decodable { var camera: String?; var outcome: String; var detail: String }

    private func upgrade(_ box: Box) async throws -> (ending: Ending, steps: [Step]) {
        let done = try await box.run(["--json", "upgrade"], within: .seconds(600))
        let steps = done.text.split(separator: "\n").compactMap { line in
            // The error at the end is no step.
            try? JSONDecoder().decode(Step.self, from: Data(line.utf8))
        }
        return (done.ending, steps)
    }

    @Test("every worker is replaced, one at a time, and no camera loses or doubles a frame")
    func gapless() async throws {
        try await withBoxes(Self.count) { upgraded, rig in
            let single = upgraded.cameras.enumerated().filter { $0.offset % 4 == 3 }.map(\.element)
            for camera in single { try await rig.tell("sessions \(camera) one") }
            try await upgraded.start()
            let before = try upgraded.workers()
            let old = try await upgraded.box.status(of: "cam1").build
            try await upgraded.installOtherBuild()
            let (ending, steps) = try await upgrade(upgraded.box)
            #expect(ending == .exited(0), "\(steps)")
            #expect(steps.filter { $0.outcome == "replaced" }.count == Self.count - single.count, "\(steps)")
            #expect(Set(steps.filter { $0.outcome == "replacedWithGap" }.map(\.camera)) == Set(single), "\(steps)")
            #expect(steps.last?.detail.contains("cvr-sync is of build") == true, "\(steps)")
            // Answers at once: whoever waited for the upgrade may ask.
            _ = try await upgraded.box.segments(of: "cam1")
            try await upgraded.recordOn()
            let after = try upgraded.workers()
            for camera in upgraded.cameras {
                #expect(before[camera]?.pid != after[camera]?.pid)
                let status = try await upgraded.box.status(of: camera)
                #expect(status.build != old && !status.build.isEmpty && status.restarts == 0)
                if single.contains(camera) {
                    try await expectShortGap(camera, in: upgraded.box)
                } else {
                    #expect(try await upgraded.box.gaps(of: camera).isEmpty)
                    try await upgraded.expectNoFrameLost(camera)
                }
            }
            upgraded.expectOneWorkerEach()
            let (again, none) = try await upgrade(upgraded.box)
            #expect(again == .exited(0) && none.count == 1 && none.first?.outcome == "done", "\(none)")
            #expect(try await upgraded.box.stop() == .exited(0))
        }
    }

    @Test("a restarted cvrd does it by itself")
    func unasked() async throws {
        try await withBoxes(2) { upgraded, _ in
            try await upgraded.start()
            let old = try await upgraded.box.status(of: "cam1").build
            try await upgraded.installOtherBuild()
            try await upgraded.box.endSupervisor(SIGUSR2)
            try await upgraded.box.start(programs: upgraded.programs)
            // Asked meanwhile, it is the same upgrade.
            let (ending, steps) = try await upgrade(upgraded.box)
            #expect(ending == .exited(0) && steps.last?.outcome == "done", "\(steps)")
            let builds = try await upgraded.box.status().cameras.map(\.build)
            #expect(builds.allSatisfy { $0 != old && !$0.isEmpty }, "\(builds)")
            let started = try await upgraded.box.events.lines.filter { $0.contains("\"upgradeStarted\"") }
            #expect(started.count == 1, "\(started)")
            try await upgraded.recordOn()
            for camera in upgraded.cameras { try await upgraded.expectNoFrameLost(camera) }
            upgraded.expectOneWorkerEach()
        }
    }

    @Test(
        "a camera that allows one session has a gap of at most 2 s, however it refuses the second",
        arguments: ["one", "newest"])
    func oneSession(sessions: String) async throws {
        try await withBoxes(1) { upgraded, rig in
            try await rig.tell("sessions cam1 \(sessions)")
            try await upgraded.start()
            try await upgraded.installOtherBuild()
            let (ending, steps) = try await upgrade(upgraded.box)
            #expect(ending == .exited(0) && steps.first?.outcome == "replacedWithGap", "\(steps)")
            try await upgraded.recordOn()
            try await expectShortGap("cam1", in: upgraded.box)
            upgraded.expectOneWorkerEach()
        }
    }

    private func expectShortGap(_ camera: String, in box: Box) async throws {
        let recorded = try await RecordedCamera(camera, in: box)
        let gaps = recorded.coverage?.spans.filter { $0.kind == "gap" } ?? []
        let lengths = gaps.compactMap { gap -> Double? in
            guard let from = WallTime(rfc3339: gap.from), let to = WallTime(rfc3339: gap.to) else { return nil }
            return (to - from).seconds
        }
        print("upgrade of \(camera), which allows one session: gaps \(lengths)")
        #expect(lengths.reduce(0, +) <= 2, "\(gaps)")
        // A camera that drops the old session for the new one is first heard of by that.
        #expect(Set(recorded.gapReasons).isSubset(of: ["upgrade", "networkLoss"]), "\(gaps)")
    }

    @Test(
        "a broken build is rolled back, and every camera records on as if nothing had been",
        arguments: ["#!/bin/sh\nexit 1\n", "#!/bin/sh\nexec sleep 1000\n"])
    func broken(program: String) async throws {
        try await withBoxes(2) { upgraded, _ in
            try await upgraded.start()
            let before = try upgraded.workers()
            try await upgraded.install(Data(program.utf8))
            let (ending, steps) = try await upgrade(upgraded.box)
            #expect(ending == .exited(1), "\(steps)")
            #expect(steps.first?.outcome == "kept" && steps.count == 2, "\(steps)")
            try await upgraded.recordOn()
            #expect(try upgraded.workers() == before)
            for camera in upgraded.cameras { try await upgraded.expectNoFrameLost(camera) }
            upgraded.expectOneWorkerEach()
        }
    }

    @Test("a build that stands still once it has the camera gives it back, and is not started again by anything")
    func standing() async throws {
        try await withBoxes(2) { upgraded, _ in
            try await upgraded.start(environment: ["CVR_FAILPOINT": "takeOver.begun=sleep"])
            let old = try await upgraded.untilKept()
            let other = try upgraded.box.worker(of: "cam2")
            try await upgraded.installOtherBuild()
            let (ending, steps) = try await upgrade(upgraded.box)
            #expect(ending == .exited(1) && steps.last?.outcome == "rolledBack", "\(steps)")
            #expect(steps.first?.outcome == "failed" && steps.first?.camera == "cam1" && steps.count == 2, "\(steps)")
            #expect(steps.first?.detail.contains("back to build") == true, "\(steps)")
            try await upgraded.recordOn()
            #expect(try upgraded.box.worker(of: "cam2") == other)
            try await upgraded.expectNoFrameLost("cam2")
            let recorded = try await RecordedCamera("cam1", in: upgraded.box)
            let reasons = Set(recorded.gapReasons)
            #expect(!reasons.isEmpty && reasons.isSubset(of: ["upgrade", "workerCrash", "workerHang"]), "\(reasons)")
            #expect(recorded.coverage?.spans.allSatisfy { ["recorded", "gap"].contains($0.kind) } == true)

            // Neither a worker's crash nor a restart of cvrd brings the broken build back.
            try await expectNext("cam2", isOf: old, in: upgraded.box)
            try await upgraded.box.endSupervisor(SIGUSR2)
            try await upgraded.box.start(programs: upgraded.programs)
            try await expectNext("cam1", isOf: old, in: upgraded.box)
            let events = try await upgraded.box.events.lines
            #expect(events.contains { $0.contains("\"buildRefused\"") })
            #expect(!events.contains { $0.contains("\"upgradeStarted\"") })

            // Whoever asks gets it; now nothing holds it up any more.
            let (again, done) = try await upgrade(upgraded.box)
            #expect(again == .exited(0) && done.filter { $0.outcome == "replaced" }.count == 2, "\(done)")
            try await upgraded.recordOn()
            upgraded.expectOneWorkerEach()
        }
    }

    /// Kills a camera's worker: the next one records, of that build.
    private func expectNext(_ camera: String, isOf build: String, in box: Box) async throws {
        let worker = try box.worker(of: camera)
        kill(worker.pid, SIGKILL)
        try await eventually("the next worker of \(camera)", within: .seconds(30)) {
            let status = try await box.status(of: camera)
            return status.state == "recording" && status.pid != Int64(worker.pid) ? true : nil
        }
        #expect(try await box.status(of: camera).build == build)
    }
}
