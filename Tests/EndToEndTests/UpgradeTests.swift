import Foundation
import Messages
import Recording
import TestSupport
import Testing

@Suite("Rolling upgrade", .showsEvidence, .timeLimit(.minutes(20)))
struct UpgradeTests {
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
        try await withBoxes(Self.count) { upgraded, _ in
            try await upgraded.start()
            let before = try upgraded.workers()
            let old = try await upgraded.box.status(of: "cam1").build
            try await upgraded.installOtherBuild()
            let (ending, steps) = try await upgrade(upgraded.box)
            #expect(ending == .exited(0), "\(steps)")
            #expect(steps.filter { $0.outcome == "replaced" }.count == Self.count, "\(steps)")
            try await upgraded.recordOn()
            _ = try await upgraded.box.events.first("cvr-sync is replaced too") {
                $0.contains("\"syncUpgraded\"") ? true : nil
            }
            let after = try upgraded.workers()
            for camera in upgraded.cameras {
                #expect(before[camera]?.pid != after[camera]?.pid)
                let status = try await upgraded.box.status(of: camera)
                #expect(status.build != old && !status.build.isEmpty && status.restarts == 0)
                #expect(try await upgraded.box.gaps(of: camera).isEmpty)
                try await upgraded.expectNoFrameLost(camera)
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
            try await eventually("both workers are of the new build", within: .seconds(90)) {
                let builds = try await upgraded.box.status().cameras.map(\.build)
                return builds.allSatisfy { $0 != old && !$0.isEmpty } ? true : nil
            }
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
            let recorded = try await RecordedCamera("cam1", in: upgraded.box)
            let gaps = recorded.coverage?.spans.filter { $0.kind == "gap" } ?? []
            let lengths = gaps.compactMap { gap -> Double? in
                guard let from = WallTime(rfc3339: gap.from), let to = WallTime(rfc3339: gap.to) else { return nil }
                return (to - from).seconds
            }
            print("upgrade of a camera with sessions=\(sessions): gaps \(lengths)")
            #expect(lengths.reduce(0, +) <= 2, "\(gaps)")
            upgraded.expectOneWorkerEach()
        }
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
}
