import Foundation
import Messages
import Testing
import Varlink

@Suite("cvrctl: hold, verify, adopt", .timeLimit(.minutes(1)))
struct KeepingVerbTests {
    static let hold = Listing.Hold(
        id: "4f1c", camera: "front", from: "2026-11-23T08:00:00.000Z", to: "2026-11-23T09:00:00.000Z", reason: "case 7",
        created: "2026-11-24T08:00:00.000Z")

    @Test("hold add, remove and list ask what was said, and print what was answered")
    func holds() async throws {
        let added = try await ScriptedCvrd.run(answering: Listing.AddedHold(hold: Self.hold)) { cvrd in
            let outcome = try await cvrd.cvrctl(
                "hold", "add", "front", "--from", "2026-11-23T10:00:00+02:00", "--to", "2026-11-23T09:00:00Z",
                "--reason",
                "case 7")
            return (outcome, cvrd.log.calls)
        }
        #expect(added.0.output == "Held as 4f1c.\n")
        #expect(
            added.1 == [
                #"HoldAdd {"camera":"front","from":"2026-11-23T08:00:00.000Z","reason":"case 7","to":"2026-11-23T09:00:00.000Z"}"#
            ])
        #expect(
            try await VerbTests.asked(Listing.Holds(holds: [Self.hold]), "hold", "list") == """
                CAMERA  FROM                      TO                        ID    CREATED                   REASON
                front   2026-11-23T08:00:00.000Z  2026-11-23T09:00:00.000Z  4f1c  2026-11-24T08:00:00.000Z  case 7

                """)
        #expect(try await VerbTests.asked(Listing.Holds(holds: []), "--json", "hold", "list") == "[]\n")
        #expect(try await VerbTests.asked(VarlinkEmpty(), "hold", "remove", "4f1c") == "Lifted.\n")
    }

    @Test("verify prints findings as they come, and fails when one could not be repaired")
    func verify() async throws {
        for (repaired, status) in [(true, Int32(0)), (false, 1)] {
            let finding = Listing.Finding(
                camera: "front", key: "plant/front/x.mp4", kind: "missing", repaired: repaired,
                detail: "the store lost it")
            let outcome = try await ScriptedCvrd.run { _, replies in
                try await replies.send(Listing.Verified(checked: 200, findings: []), continues: true)
                try await replies.send(Listing.Verified(checked: 3, findings: [finding], omitted: 7))
            } _: { cvrd in
                try await cvrd.cvrctl("verify", "front")
            }
            #expect(outcome.status == status)
            #expect(
                outcome.output == """
                    front  missing  \(repaired ? "repaired" : "not repaired")  plant/front/x.mp4: the store lost it
                    203 segments verified, 1 findings and 7 more that are not named.

                    """)
        }
    }

    @Test("a store that is away is exit code 4, with the next step")
    func away() async throws {
        let outcome = try await ScriptedCvrd.run { _, _ in
            throw VarlinkFailure(
                name: "io.cvr.Admin.StoreUnavailable",
                parameters: ["message": "the store does not answer", "nextStep": "mount it"])
        } _: { cvrd in
            try await cvrd.cvrctl("hold", "list")
        }
        #expect(outcome.status == 4 && outcome.complaint.contains("mount it"))
    }
}
