import Messages
import TestSupport
import Testing

@Suite("A camera in trouble", .showsEvidence(of: CameraTrouble.evidence), .timeLimit(.minutes(20)))
struct CameraTroubleTests {
    @Test("has a code and a next step in status while it lasts", arguments: CameraTrouble.kinds)
    func status(kind: CameraTrouble.Kind) async throws {
        let run = try await CameraTrouble.shared.value
        let during = try #require(
            run.during[kind.name], "never \(kind.code): \(String(describing: run.instead[kind.name]))")
        #expect(during.state == "reconnecting", "\(during)")
        #expect(during.lastError?.message.isEmpty == false)
        #expect(during.lastError?.nextStep.isEmpty == false)
    }

    @Test("leaves a hole with its reason, and is recorded again", arguments: CameraTrouble.kinds)
    func hole(kind: CameraTrouble.Kind) async throws {
        let run = try await CameraTrouble.shared.value
        let camera = try #require(run.after[kind.name])
        #expect(camera.status.state == "recording")
        #expect(!camera.gaps.isEmpty)
        #expect(camera.gaps.allSatisfy { $0.to != nil }, "\(camera.gaps)")
        #expect(camera.gaps.contains { kind.reasons.contains($0.reason) }, "\(camera.gaps)")
        #expect(!camera.gapReasons.contains("unknown"), "\(String(describing: camera.coverage))")
        #expect(camera.sessions.count >= 2)
    }

    @Test("is never reported as a crash of its worker", arguments: CameraTrouble.kinds)
    func noCrash(kind: CameraTrouble.Kind) async throws {
        let run = try await CameraTrouble.shared.value
        let camera = try #require(run.after[kind.name])
        let workers = try #require(run.workers[kind.name])
        #expect(camera.status.restarts == 0)
        #expect(workers.before == workers.after, "the worker was replaced")
        #expect(camera.gaps.allSatisfy { $0.reason != "workerCrash" && $0.reason != "workerHang" }, "\(camera.gaps)")
    }

    @Test("never shows the password that it was refused with (I10)")
    func secrets() async throws {
        let run = try await CameraTrouble.shared.value
        #expect(run.secretTraces.isEmpty, "\(run.secretTraces)")
    }

    @Test("loses and repeats no frame of what came before and after")
    func footage() async throws {
        let run = try await CameraTrouble.shared.value
        #expect(run.footage.count >= 2 * CameraTrouble.kinds.count)
        for footage in run.footage {
            #expect(footage.complaints.isEmpty, "\(footage.complaints)")
            for track in footage.tracks { #expect(track.isWhole || track.samples == 0, "\(track)") }
        }
    }
}
