import Foundation
import Messages
import TestSupport
import Testing

@Suite(
    "Workers that fail in every way", .showsEvidence(of: Containment.evidence), .timeLimit(.minutes(10)),
    .enabled(if: geteuid() == 0, "freezes a disk"))
struct ContainmentTests {
    @Test("cost the others no frame (I1)", arguments: Containment.well)
    func contained(camera: String) async throws {
        let run = try await Containment.shared.value
        let well = try #require(run.after[camera])
        well.expectUnharmed(try #require(run.footage[camera]))
        #expect(run.workers[camera] == run.successors[camera])
    }

    @Test("each have a code, a next step and a counter of their own", arguments: Containment.failures)
    func named(failure: Containment.Failure) async throws {
        let run = try await Containment.shared.value
        let during = try #require(run.during[failure.camera])
        let after = try #require(run.after[failure.camera])
        let fault = try #require(during.lastError)
        #expect(fault.code == failure.fault ?? failure.code && !fault.nextStep.isEmpty, "\(fault)")
        let others = Set(Containment.failures.map(\.code)).subtracting([failure.code, "networkLoss"])
        #expect(during.troubles[failure.code] == 1 && others.isDisjoint(with: during.troubles.keys), "\(during)")
        #expect(after.status.troubles[failure.code] == 1, "\(after.status)")
        let event = try #require(
            run.events.first { $0.camera == failure.camera && $0.type == failure.event }, "no \(failure.event)")
        #expect(!event.detail.isEmpty)
    }

    @Test("are recorded again, with a reason for the hole", arguments: Containment.failures)
    func recordedAgain(failure: Containment.Failure) async throws {
        let run = try await Containment.shared.value
        let after = try #require(run.after[failure.camera])
        #expect(after.status.state == "recording" && after.status.restarts == (failure.endsWorker ? 1 : 0))
        #expect((run.workers[failure.camera] != run.successors[failure.camera]) == failure.endsWorker)
        #expect(Set(after.gapReasons).isSubset(of: failure.reasons), "\(after.gaps)")
        if after.gapReasons.isEmpty {
            let footage = try #require(run.footage[failure.camera], "a hole without a reason")
            #expect(footage.complaints.isEmpty && footage.tracks.allSatisfy(\.isWhole), "\(footage)")
        }
        #expect(after.gaps.allSatisfy { $0.to != nil }, "\(after.gaps)")
        #expect(!failure.endsWorker || after.gaps.count == 1, "\(after.gaps)")
    }

    @Test("do not keep the box from stopping in order")
    func stopped() async throws {
        #expect(try await Containment.shared.value.ending == .exited(0))
    }
}
