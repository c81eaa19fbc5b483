import TestSupport
import Testing

@Suite("Eight cameras", .showsEvidence(of: EightCameras.evidence), .timeLimit(.minutes(20)))
struct EightCamerasTests {
    @Test("leave no gap and a coverage of 100 %")
    func coverage() async throws { try await EightCameras.shared.value.checkUndisturbed() }

    @Test("lose and repeat no frame over any segment border, by content and by decode time")
    func continuity() async throws { try await EightCameras.shared.value.checkContinuity() }

    @Test("are stored as objects that decode to the last frame")
    func decodable() async throws { try await EightCameras.shared.value.checkObjects() }

    @Test("keep segments within a keyframe of their length")
    func lengths() async throws { try await EightCameras.shared.value.checkLengths() }

    @Test("cost no descriptor over time")
    func descriptors() async throws { try await EightCameras.shared.value.checkDescriptors() }

    @Test("keep their password out of arguments, environments, logs, JSON and files (I10)")
    func secrets() async throws { try await EightCameras.shared.value.checkSecrets() }

    @Test("but one lose nothing while that one's worker is killed again and again (I1)")
    func contained() async throws { try await EightCameras.shared.value.checkContained() }

    @Test("and the killed one comes back at once, loses at most a second, with a reason for every hole (I4)")
    func victim() async throws {
        let run = try await EightCameras.shared.value
        let respawns = run.kills.map { Int($0.respawn.seconds * 1000) }
        print("respawn after SIGKILL: \(respawns) ms; lost: \(run.kills.map(\.lost)) frames")
        try run.checkVictim()
    }

    @Test("stop cleanly: nothing runs, nothing is half written, every file is whole")
    func stopped() async throws { try await EightCameras.shared.value.checkEnd() }
}
