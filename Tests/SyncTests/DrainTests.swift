import Catalog
import Foundation
import Messages
import Recording
import SegmentStore
import Sync
import TestSupport
import Testing
import Varlink

/// What whoever removes a camera waits for: how far its footage has come.
@Suite("Sync: a camera that is removed or stopped")
struct DrainTests {
    private func state(_ client: VarlinkClient) async throws -> SyncInterface.CacheState? {
        try await client.call("io.cvr.Sync.Status", VarlinkEmpty(), as: SyncInterface.Status.self).caches.first
    }

    @Test("is drained at once; nothing is said to be left only when nothing is", .timeLimit(.minutes(4)))
    func drained() async throws {
        let rig = try Rig()
        let service = SyncServiceTests()
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        let whole = service.configuration(rig)
        var without = whole
        without.cameras = []
        try recorder.record(closing: false)
        try await service.serving(rig) { client in
            _ = try await client.call("io.cvr.Sync.Configure", whole, as: VarlinkEmpty.self)
            _ = try await client.call("io.cvr.Sync.Now", VarlinkEmpty(), as: SyncInterface.PassReport.self)
            #expect(try await state(client)?.storedThrough == SyncInterface.StoredThrough(session: 1, counter: 0))
            // Its worker still closes what it had open.
            let lock = try SlotLock(in: recorder.cache, slot: .a, build: "test", protocolVersion: 1)
            _ = try await client.call("io.cvr.Sync.Configure", without, as: VarlinkEmpty.self)
            try await eventually("it is counted", within: .seconds(10)) {
                try await state(client)?.pendingSegments == 1 ? true : nil
            }
            try recorder.close()
            try client.notify("io.cvr.Sync.SegmentClosed", SyncInterface.Hint(camera: "front"))
            let last = try await eventually("it is in the store, before the next period of 30 s", within: .seconds(25))
            {
                try await state(client).flatMap { $0.pendingSegments == 0 ? $0 : nil }
            }
            #expect(last.storedThrough == SyncInterface.StoredThrough(session: 1, counter: 1))
            withExtendedLifetime(lock) {}
        }
        #expect(try rig.objects().count == 2)
        // Over a restart it is as far.
        try await service.serving(rig) { client in
            _ = try await client.call("io.cvr.Sync.Configure", without, as: VarlinkEmpty.self)
            try await eventually("it is told", within: .seconds(10)) {
                try await state(client)?.storedThrough == SyncInterface.StoredThrough(session: 1, counter: 1)
                    ? true : nil
            }
        }
    }

    @Test("what a killed worker left open of a stopped one is on its way to the store, too", .timeLimit(.minutes(1)))
    func abandoned() async throws {
        let rig = try Rig()
        let service = SyncServiceTests()
        do {
            let killed = try rig.recorder()
            try killed.start()
            try killed.record()
            try killed.record(closing: false)
        }
        var stopped = service.configuration(rig)
        stopped.cameras[0].recorded = false
        try await service.serving(rig) { client in
            _ = try await client.call("io.cvr.Sync.Configure", stopped, as: VarlinkEmpty.self)
            let drained = try await eventually("nothing is left", within: .seconds(25)) {
                try await state(client).flatMap { $0.pendingSegments == 0 ? $0 : nil }
            }
            #expect(drained.storedThrough == SyncInterface.StoredThrough(session: 1, counter: 1))
        }
        #expect(try rig.objects().count == 2)
    }
}
