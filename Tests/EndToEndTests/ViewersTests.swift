import Foundation
import TestSupport
import Testing

/// Two minutes, and all of the machine: CONTRIBUTING says when.
@Suite(
    "Viewers", .showsEvidence(of: EightCameras.evidence), .timeLimit(.minutes(20)),
    .enabled(if: ProcessInfo.processInfo.environment["CVR_TEST_VIEWERS"] != nil))
struct ViewersTests {
    @Test(
        "two hundred, slow ones and some who break off cost the recorders of eight cameras no frame (I1), and leave nothing"
    )
    func crowd() async throws {
        var plan = EightCameras.Plan(segments: 6, kills: 0, earlyKills: 0)
        plan.viewers = 200
        let run = try await EightCameras(plan)
        print(SoakTests.table(run))
        run.checkUndisturbed()
        run.checkContinuity()
        run.checkObjects()
        run.checkEnd()
        let crowd = try #require(run.crowd)
        let shares = crowd.shares(of: run.undisturbed).sorted()
        print("\(crowd); each had at least \(shares.first ?? 0) and at most \(shares.last ?? 0) of what was recorded")
        // A viewer who is served late goes on with a later key, and one who comes begins with an earlier one.
        #expect(shares.count == 200 && shares.allSatisfy { (0.8...1.5).contains($0) })
        // Some stay: connections to the catalog, what inotify tells by.
        #expect(crowd.descriptors.after <= crowd.descriptors.before + 8)
        #expect(crowd.memory.most - crowd.memory.before < 100 << 20)
        #expect(crowd.memory.after - crowd.memory.before < 50 << 20)
    }
}
