import Foundation
import Messages
import Recording
import Sync
import Testing
import Varlink

/// What an operator asks of the store, as cvrd passes it on.
@Suite("Sync service: holds, verification, adoption")
struct KeepingServiceTests {
    @Test("holds are placed, listed and lifted, an archive is verified step by step, and an own store adopted again")
    func conversation() async throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<2 { try recorder.record() }
        let tests = SyncServiceTests()
        let configuration = tests.configuration(rig)
        let (from, to) = (rig.clock.now.rfc3339, (rig.clock.now + .seconds(1)).rfc3339)
        try await tests.serving(rig) { client in
            _ = try await client.call("io.cvr.Sync.Configure", configuration, as: VarlinkEmpty.self)
            _ = try await client.call("io.cvr.Sync.Now", VarlinkEmpty(), as: SyncInterface.PassReport.self)
            let request = Listing.HoldRequest(camera: "front", from: from, to: to, reason: "case 7")
            let hold = try await client.call("io.cvr.Sync.HoldAdd", request, as: Listing.AddedHold.self).hold
            #expect(hold.from == from && hold.reason == "case 7")
            let all = Listing.HoldQuery(camera: nil)
            #expect(try await client.call("io.cvr.Sync.HoldList", all, as: Listing.Holds.self).holds == [hold])
            let nobody = await #expect(throws: VarlinkRemoteError.self) {
                let query = Listing.HoldQuery(camera: "nobody")
                _ = try await client.call("io.cvr.Sync.HoldList", query, as: Listing.Holds.self)
            }
            #expect(nobody?.name == "io.cvr.Sync.NotFound")
            let id = Listing.HoldID(id: hold.id)
            _ = try await client.call("io.cvr.Sync.HoldRemove", id, as: VarlinkEmpty.self)
            await #expect(throws: VarlinkRemoteError.self) {
                try await client.call("io.cvr.Sync.HoldRemove", id, as: VarlinkEmpty.self)
            }
            var checked: Int64 = 0
            let deep = Listing.VerifyRequest(camera: "front", deep: true)
            for try await step in client.stream("io.cvr.Sync.Verify", deep) {
                checked += try JSONDecoder().decode(Listing.Verified.self, from: step).checked
            }
            #expect(checked == 2)
            let adopted = try await client.call("io.cvr.Sync.Adopt", VarlinkEmpty(), as: Listing.Adopted.self)
            #expect(adopted.cameras == [Listing.AdoptedCamera(name: "front", session: 1)])
        }
    }

    @Test("a box whose store is another's uploads nothing, says so, and has it all once it was told to adopt it")
    func refused() async throws {
        let lost = try Rig()
        let old = try lost.recorder()
        try old.start()
        try old.record()
        try lost.sync()
        let box = try lost.successor()
        box.clock.advance(.seconds(60))
        let recorder = try box.recorder()
        try recorder.start()
        try recorder.record()
        let tests = SyncServiceTests()
        var configuration = tests.configuration(box)
        configuration.storeURL = "file://" + lost.root + "/store"
        let told = configuration
        try await tests.serving(box) { client in
            _ = try await client.call("io.cvr.Sync.Configure", told, as: VarlinkEmpty.self)
            let refused = await #expect(throws: VarlinkRemoteError.self) {
                try await client.call("io.cvr.Sync.Now", VarlinkEmpty(), as: SyncInterface.PassReport.self)
            }
            #expect(refused?.name == "io.cvr.Sync.Refused")
            let status = try await client.call("io.cvr.Sync.Status", VarlinkEmpty(), as: SyncInterface.Status.self)
            #expect(status.lastError?.code == "storeOfAnotherBox" && status.breaker != "closed")
            let adopted = try await client.call("io.cvr.Sync.Adopt", VarlinkEmpty(), as: Listing.Adopted.self)
            #expect(adopted.cameras == [Listing.AdoptedCamera(name: "front", session: 1)])
            _ = try await client.call("io.cvr.Sync.Now", VarlinkEmpty(), as: SyncInterface.PassReport.self)
            let query = Listing.Query(camera: "front")
            let listed = try await client.call("io.cvr.Sync.Segments", query, as: Listing.Segments.self)
            #expect(listed.segments.map(\.state) == ["verified", "verified"])
        }
    }

    @Test("without its store a hold is neither placed nor listed, and the answer says so")
    func storeAway() async throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        try rig.sync()
        try rig.reopenCatalog()
        try FileManager.default.removeItem(atPath: rig.root + "/store/plant")
        let tests = SyncServiceTests()
        let configuration = tests.configuration(rig)
        let (from, to) = (rig.clock.now.rfc3339, (rig.clock.now + .seconds(1)).rfc3339)
        try await tests.serving(rig) { client in
            _ = try await client.call("io.cvr.Sync.Configure", configuration, as: VarlinkEmpty.self)
            do {
                let request = Listing.HoldRequest(camera: "front", from: from, to: to, reason: nil)
                _ = try await client.call("io.cvr.Sync.HoldAdd", request, as: Listing.AddedHold.self)
                Issue.record("it was placed")
            } catch let error as VarlinkRemoteError {
                #expect(error.name == "io.cvr.Sync.StoreUnavailable" && !error.nextStep.isEmpty)
            }
        }
    }
}
