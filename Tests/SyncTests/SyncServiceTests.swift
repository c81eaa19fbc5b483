import Catalog
import Foundation
import Logging
import Messages
import Recording
import SegmentStore
import Sync
import Testing
import Varlink

/// The service as cvrd meets it: over its socket, in one process.
@Suite("Sync service")
struct SyncServiceTests {
    /// Serves a rig's box while `body` talks to it; returns when the service has ended by itself.
    func serving(_ rig: Rig, _ body: (VarlinkClient) async throws -> Void) async throws {
        let service = SyncService(log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let handler = SyncHandler(service: service)
        let socket = rig.root + "/sync.sock"
        let server = VarlinkServer(
            socketPath: socket, info: VarlinkServiceInfo(vendor: "CVR", product: "test", version: "0", url: ""),
            interfaces: [SyncInterface.interface: VarlinkInterface.sync], handler: { try await handler.handle($0, $1) })
        let (listening, announce) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                // Ends by cancellation, once the service has.
                try? await server.run(whenListening: { announce.finish() })
            }
            for await _ in listening {}
            group.addTask { try await service.run() }
            let client = try await VarlinkClient.connect(path: socket)
            try await body(client)
            await service.finish()
            await client.close()
            try await group.next()
            group.cancelAll()
        }
    }

    func configuration(_ rig: Rig) -> SyncInterface.Configuration {
        SyncInterface.Configuration(
            site: "plant", cachePath: rig.root + "/cache", statePath: rig.root + "/state",
            storeURL: "file://" + rig.root + "/store", heartbeatPath: rig.root + "/heartbeat", minimumFreePercent: 0,
            trustsClock: true,
            cameras: [
                SyncInterface.Camera(
                    name: "front", asset: "archive", configured: true, segmentLength: 3600, retention: nil,
                    cacheBudgetBytes: 0, dropsOldest: false)
            ])
    }

    @Test("configured over its socket it uploads, answers, streams long listings in parts and says how it is")
    func conversation() async throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        try recorder.record()
        let configuration = configuration(rig)
        try await serving(rig) { client in
            _ = try await client.call("io.cvr.Sync.Configure", configuration, as: VarlinkEmpty.self)
            _ = try await client.call("io.cvr.Sync.Now", VarlinkEmpty(), as: SyncInterface.PassReport.self)
            let query = Listing.Query(camera: "front")
            let listed = try await client.call("io.cvr.Sync.Segments", query, as: Listing.Segments.self)
            #expect(listed.segments.map(\.state) == ["verified", "verified"])
            var streamed: [Listing.Segment] = []
            for try await part in client.stream("io.cvr.Sync.Segments", query) {
                streamed += try JSONDecoder().decode(Listing.Segments.self, from: part).segments
            }
            #expect(streamed == listed.segments)
        }
        #expect(FileManager.default.fileExists(atPath: rig.root + "/heartbeat"))
        #expect(try rig.objects().count == 2)
    }

    @Test("mistakes are answered in words with the next step, and break nothing")
    func mistakes() async throws {
        let rig = try Rig()
        let configuration = configuration(rig)
        var elsewhere = configuration
        elsewhere.storeURL = "ftp://host/path"
        let unusable = elsewhere
        try await serving(rig) { client in
            for (method, name) in [("Now", "Unavailable"), ("Segments", "Unavailable")] {
                let error = await #expect(throws: VarlinkRemoteError.self) {
                    _ = try await client.callRaw("io.cvr.Sync.\(method)", Data("{\"camera\": \"front\"}".utf8))
                }
                #expect(error?.name == "io.cvr.Sync.\(name)" && error?.nextStep.isEmpty == false)
            }
            let refused = await #expect(throws: VarlinkRemoteError.self) {
                _ = try await client.call("io.cvr.Sync.Configure", unusable, as: VarlinkEmpty.self)
            }
            #expect(refused?.name == "io.cvr.Sync.InvalidArgument")
            _ = try await client.call("io.cvr.Sync.Configure", configuration, as: VarlinkEmpty.self)
            for (query, name) in [
                (Listing.Query(camera: "Not A Name"), "NotFound"), (Listing.Query(camera: "nobody"), "NotFound"),
                (Listing.Query(camera: "front", from: "yesterday"), "InvalidArgument"),
            ] {
                let error = await #expect(throws: VarlinkRemoteError.self) {
                    _ = try await client.call("io.cvr.Sync.Coverage", query, as: Listing.Coverage.self)
                }
                #expect(error?.name == "io.cvr.Sync.\(name)")
            }
            let status = try await client.call("io.cvr.Sync.Status", VarlinkEmpty(), as: SyncInterface.Status.self)
            #expect(["idle", "running"].contains(status.state) && status.breaker == "closed")
        }
    }

    @Test("told to stop it uploads what has closed, answers, and ends")
    func stop() async throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        let configuration = configuration(rig)
        try await serving(rig) { client in
            _ = try await client.call("io.cvr.Sync.Configure", configuration, as: VarlinkEmpty.self)
            _ = try await client.call("io.cvr.Sync.Now", VarlinkEmpty(), as: SyncInterface.PassReport.self)
        }
        try recorder.start()
        try recorder.record()
        try await serving(rig) { client in
            _ = try await client.call("io.cvr.Sync.Configure", configuration, as: VarlinkEmpty.self)
            _ = try await client.call("io.cvr.Sync.Stop", SyncInterface.Stop(limit: 60), as: SyncInterface.Stopped.self)
        }
        #expect(try rig.objects().count == 1)
        #expect(try rig.rows().map(\.state) == [.verified])
    }

    @Test("paused by an operator it uploads nothing, over a restart too, and says so; resumed it goes on")
    func paused() async throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        let configuration = configuration(rig)
        try await serving(rig) { client in
            _ = try await client.call("io.cvr.Sync.Configure", configuration, as: VarlinkEmpty.self)
            _ = try await client.call("io.cvr.Sync.Now", VarlinkEmpty(), as: SyncInterface.PassReport.self)
            _ = try await client.call("io.cvr.Sync.Pause", VarlinkEmpty(), as: VarlinkEmpty.self)
        }
        try recorder.record()
        try await serving(rig) { client in
            _ = try await client.call("io.cvr.Sync.Configure", configuration, as: VarlinkEmpty.self)
            let refused = await #expect(throws: VarlinkRemoteError.self) {
                _ = try await client.call("io.cvr.Sync.Now", VarlinkEmpty(), as: SyncInterface.PassReport.self)
            }
            #expect(refused?.name == "io.cvr.Sync.Refused" && refused?.nextStep == "run cvrctl sync resume")
            var status = try await client.call("io.cvr.Sync.Status", VarlinkEmpty(), as: SyncInterface.Status.self)
            #expect(status.state == "paused")
            let query = Listing.Query(camera: "front")
            let listed = try await client.call("io.cvr.Sync.Segments", query, as: Listing.Segments.self)
            #expect(listed.segments.map(\.state) == ["verified", "closed"])
            _ = try await client.call("io.cvr.Sync.Resume", VarlinkEmpty(), as: VarlinkEmpty.self)
            _ = try await client.call("io.cvr.Sync.Now", VarlinkEmpty(), as: SyncInterface.PassReport.self)
            status = try await client.call("io.cvr.Sync.Status", VarlinkEmpty(), as: SyncInterface.Status.self)
            #expect(status.state != "paused" && status.caches.map(\.pendingSegments) == [0])
        }
        #expect(try rig.objects().count == 2)
    }

    @Test("asked for a pass while the store is away it says so; a fault stays until the store is back")
    func storeAway() async throws {
        let rig = try Rig()
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        var configuration = configuration(rig)
        configuration.storeURL = "file://\(rig.root)/nas/store"
        let (away, nas) = (configuration, rig.root + "/nas")
        try await serving(rig) { client in
            _ = try await client.call("io.cvr.Sync.Configure", away, as: VarlinkEmpty.self)
            for _ in 0..<2 {
                let error = await #expect(throws: VarlinkRemoteError.self) {
                    _ = try await client.call("io.cvr.Sync.Now", VarlinkEmpty(), as: SyncInterface.PassReport.self)
                }
                #expect(error?.name == "io.cvr.Sync.Failed" && error?.nextStep == "mount the store again")
            }
            var status = try await client.call("io.cvr.Sync.Status", VarlinkEmpty(), as: SyncInterface.Status.self)
            #expect(status.lastError?.nextStep == "mount the store again")
            try FileManager.default.createDirectory(atPath: nas, withIntermediateDirectories: true)
            let report = try await client.call("io.cvr.Sync.Now", VarlinkEmpty(), as: SyncInterface.PassReport.self)
            #expect(report.uploaded == 1)
            status = try await client.call("io.cvr.Sync.Status", VarlinkEmpty(), as: SyncInterface.Status.self)
            #expect(status.lastError == nil)
            _ = try await client.call("io.cvr.Sync.AcceptClock", VarlinkEmpty(), as: VarlinkEmpty.self)
        }
    }

    @Test("what happened before anybody listened is heard by the first who does, once")
    func unheard() async throws {
        let events = EventLog()
        events.tell("catalogRebuilt", camera: nil, at: .earliest, "")
        for first in ["catalogRebuilt", "later"] {
            let heard = events.follow()
            events.tell("later", camera: nil, at: .earliest, "")
            for await event in heard {
                #expect(event.type == first)
                break
            }
        }
    }

    @Test("two of them for one state are impossible")
    func alone() async throws {
        let rig = try Rig()
        let configuration = configuration(rig)
        try await serving(rig) { client in
            _ = try await client.call("io.cvr.Sync.Configure", configuration, as: VarlinkEmpty.self)
            let second = SyncService(log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let error = await #expect(throws: SyncError.self) {
                try await second.configure(SyncSettings(configuration))
            }
            #expect(error?.code == .locked)
        }
    }
}
