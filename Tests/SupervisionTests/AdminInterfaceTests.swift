import FoundationEssentials
import Glibc
import Isolation
import Messages
import Recording
import Supervision
import Synchronization
import Testing
import Varlink

/// cvrd's socket on a box of scripted workers, and a client of it.
private final class Office: Sendable {
    let box: TemporaryBox
    let supervisor: Supervisor
    let client: VarlinkClient
    /// What serves until the office closes.
    private let runs: Mutex<[Task<Void, any Error>]>

    init(cameras: String) async throws {
        let box = try TemporaryBox()
        try box.configure(cameras)
        let supervisor = try box.supervisor()
        let path = "\(box.root)/admin.sock"
        let run = Task<Void, any Error> { await supervisor.run() }
        let server = try await Self.serve(path, Admin.interface, VarlinkInterface.admin) {
            try await AdminInterface(supervisor).answer($0, $1)
        }
        self.box = box
        self.supervisor = supervisor
        client = try await VarlinkClient.connect(path: path)
        runs = Mutex([run, server])
    }

    /// A client whom the kernel calls `pid`.
    func client(as pid: Int32) async throws -> VarlinkClient {
        let (path, supervisor) = ("\(box.root)/forged.sock", supervisor)
        let server = try await Self.serve(path, Admin.interface, VarlinkInterface.admin) { call, replies in
            var call = call
            call.peer.pid = pid
            try await AdminInterface(supervisor).answer(call, replies)
        }
        runs.withLock { $0.append(server) }
        return try await VarlinkClient.connect(path: path)
    }

    /// Answers as cvr-sync.
    @discardableResult
    func serveSync(_ handler: @escaping VarlinkServer.Handler) async throws -> Task<Void, any Error> {
        try SmallFileFixture.write("", "\(box.root)/run/sync/x")
        let server = try await Self.serve(
            "\(box.root)/run/sync/sync.sock", SyncInterface.interface, VarlinkInterface.sync, handler)
        runs.withLock { $0.append(server) }
        return server
    }

    private static func serve(
        _ path: String, _ name: String, _ text: String, _ handler: @escaping VarlinkServer.Handler
    ) async throws -> Task<Void, any Error> {
        let server = VarlinkServer(
            socketPath: path, info: VarlinkServiceInfo(vendor: "", product: "", version: "", url: ""),
            interfaces: [name: text], handler: handler)
        let (listening, tell) = AsyncStream.makeStream(of: Void.self)
        let run = Task<Void, any Error> {
            defer { tell.finish() }
            try await server.run { tell.finish() }
        }
        for await _ in listening {}
        return run
    }

    func close() async {
        await client.close()
        await supervisor.stop()
        for run in runs.withLock({ $0 }) { run.cancel() }
    }

    /// The name of the error that a call is answered with.
    func refusal(
        _ method: String, _ parameters: some Encodable & Sendable, by other: VarlinkClient? = nil
    ) async throws -> VarlinkRemoteError {
        do {
            _ = try await (other ?? client).call("io.cvr.Admin.\(method)", parameters, as: VarlinkEmpty.self)
        } catch let error as VarlinkRemoteError {
            return error
        }
        throw Accepted(method: method)
    }

    struct Accepted: Error { let method: String }
}

/// Runs `body` with an office, which is closed afterwards, whatever happens.
private func withOffice(
    cameras: String, isolation: isolated (any Actor)? = #isolation, _ body: (Office) async throws -> Void
) async throws {
    let office = try await Office(cameras: cameras)
    do {
        try await body(office)
    } catch {
        await office.close()
        throw error
    }
    await office.close()
}

@Suite("Supervision: admin interface", .timeLimit(.minutes(1)))
struct AdminInterfaceTests {
    @Test("status and cameras answer while cvr-sync is away; questions about footage say so")
    func syncAway() async throws {
        try await withOffice(cameras: "{ front: { url: rtsp://h/a } }") { office in
            _ = try await office.client.call("io.cvr.Admin.Status", VarlinkEmpty(), as: Admin.Status.self)
            let sync = try await office.client.call(
                "io.cvr.Admin.SyncStatus", VarlinkEmpty(), as: Admin.SyncReport.self)
            #expect(sync.sync.state == "away")
            try await expectUnavailable(office)
            // It listens, but is not configured yet, or stops.
            try await office.serveSync { _, _ in
                throw VarlinkFailure(name: "io.cvr.Sync.Unavailable", parameters: ["message": "m", "nextStep": "n"])
            }
            try await expectUnavailable(office)
        }
    }

    private func expectUnavailable(_ office: Office) async throws {
        for method in ["Segments", "Gaps", "Coverage"] {
            let error = try await office.refusal(method, Listing.Query(camera: "front"))
            #expect(error.name == "io.cvr.Admin.SyncUnavailable")
            #expect(!error.nextStep.isEmpty)
        }
        #expect(try await office.refusal("SyncNow", VarlinkEmpty()).name == "io.cvr.Admin.SyncUnavailable")
    }

    private static let cache = SyncInterface.CacheState(
        name: "front", cacheBytes: 7, pendingSegments: 3, pendingBytes: 5, oldestLocal: "2026-11-23T08:00:00.000Z")

    @Test("what cvr-sync knew of the caches is shown while it is away, and its events while it is being configured")
    func cachesStay() async throws {
        try await withOffice(cameras: "{ front: { url: rtsp://h/a } }") { office in
            var events = EventReader(office.supervisor.events)
            let (configured, configure) = AsyncStream.makeStream(of: Void.self)
            let (asked, ask) = AsyncStream.makeStream(of: Void.self)
            let sync = try await office.serveSync { call, replies in
                switch call.name {
                case "Events":
                    try await replies.send(Listing.Events(events: []), continues: true)
                    for await _ in configured { break }
                    let event = Listing.Event(time: "t", type: "catalogRebuilt", camera: nil, detail: "d")
                    try await replies.send(Listing.Events(events: [event]), continues: true)
                    await untilCancelled()
                case "Configure":
                    configure.yield()
                    try await replies.send(VarlinkEmpty())
                default:
                    ask.yield()
                    try await replies.send(
                        SyncInterface.Status(
                            state: "idle", writes: 1, retries: 0, lag: 0, breaker: "closed", lastError: nil,
                            caches: [Self.cache]
                        ))
                }
            }
            _ = try await events.next("catalogRebuilt")
            // The second question follows the first answer.
            var questions = asked.makeAsyncIterator()
            for _ in 0..<2 { _ = await questions.next() }
            let status = await office.supervisor.status()
            #expect(status.sync.state == "idle" && status.cameras[0].pendingSegments == 3)
            let pid = try #require(status.sync.pid)
            sync.cancel()
            try #require(try RunningProcess.adopt(pid: Int32(pid))).signal(SIGKILL)
            _ = try await events.next("syncExited")
            let after = await office.supervisor.status().cameras[0]
            #expect(
                after.pendingSegments == 3 && after.pendingBytes == 5 && after.oldestLocal == Self.cache.oldestLocal)
        }
    }

    @Test("a cvr-sync that refuses its configuration says why in status")
    func syncRefuses() async throws {
        try await withOffice(cameras: "{}") { office in
            var events = EventReader(office.supervisor.events)
            try await office.serveSync { call, replies in
                guard call.name == "Events" else {
                    throw VarlinkFailure(
                        name: "io.cvr.Sync.Failed",
                        parameters: ["message": "the disk is full", "nextStep": "make room"])
                }
                try await replies.send(Listing.Events(events: []), continues: true)
                await untilCancelled()
            }
            _ = try await events.next("syncRefused")
            let summary = await office.supervisor.status().sync
            #expect(summary.state == "away")
            #expect(summary.lastError?.message == "the disk is full" && summary.lastError?.nextStep == "make room")
        }
    }

    @Test("a process that cvrd keeps is refused: it could stop its neighbours")
    func children() async throws {
        try await withOffice(cameras: "{ front: { url: rtsp://h/a } }") { office in
            var events = EventReader(office.supervisor.events)
            _ = try await events.next("workerStarted", camera: "front")
            let pid = try #require(await office.supervisor.status().cameras[0].pid)
            let captured = try await office.client(as: Int32(pid))
            for method in ["Status", "StopCamera"] {
                let error = await #expect(throws: VarlinkRemoteError.self) {
                    _ = try await captured.callRaw("io.cvr.Admin.\(method)", Data(#"{"name": "front"}"#.utf8))
                }
                #expect(error?.name == "io.cvr.Admin.Refused")
            }
            await captured.close()
        }
    }

    @Test("answers and errors of cvr-sync go through, page by page")
    func passThrough() async throws {
        try await withOffice(cameras: "{}") { office in
            let gap = Listing.Gap(from: "a", to: nil, reason: "stopped", detail: "")
            try await office.serveSync { call, replies in
                switch (call.name, call.wantsMore) {
                case ("Gaps", true):
                    for _ in 0..<3 { try await replies.send(Listing.Gaps(gaps: [gap]), continues: true) }
                    try await replies.send(Listing.Gaps(gaps: [gap]))
                case ("Gaps", false): try await replies.send(Listing.Gaps(gaps: [gap]))
                case ("Now", _):
                    throw VarlinkFailure(
                        name: "io.cvr.Sync.Refused",
                        parameters: ["message": "uploads are paused", "nextStep": "resume"])
                default:
                    throw VarlinkFailure(
                        name: "io.cvr.Sync.NotFound", parameters: ["message": "no such camera", "nextStep": "look"])
                }
            }
            let query = Listing.Query(camera: "front")
            let once = try await office.client.call("io.cvr.Admin.Gaps", query, as: Listing.Gaps.self)
            #expect(once.gaps == [gap])
            var pages = 0
            for try await reply in office.client.stream("io.cvr.Admin.Gaps", query) {
                #expect(try JSONDecoder().decode(Listing.Gaps.self, from: reply).gaps == [gap])
                pages += 1
            }
            #expect(pages == 4)
            let error = try await office.refusal("Segments", query)
            #expect(error.name == "io.cvr.Admin.NotFound")
            #expect(error.message == "no such camera")
            #expect(try await office.refusal("SyncNow", VarlinkEmpty()).name == "io.cvr.Admin.Refused")
        }
    }

    @Test("cameras that are not there, wishes that are wrong and methods that do not exist have their own errors")
    func errors() async throws {
        try await withOffice(cameras: "{ front: { url: rtsp://h/a } }") { office in
            for name in ["nobody", "No Name", ""] {
                for method in ["RemoveCamera", "StartCamera", "StopCamera", "RestartCamera"] {
                    let error = try await office.refusal(method, Admin.NamedCamera(name: name))
                    #expect(error.name == "io.cvr.Admin.NotFound", "\(method) \(name)")
                }
            }
            #expect(
                try await office.refusal("RemoveCamera", Admin.NamedCamera(name: "front")).name
                    == "io.cvr.Admin.Refused")
            let wrong = try await office.refusal("AddCamera", Admin.AddCamera(name: "x", url: "http://h/"))
            #expect(wrong.name == "io.cvr.Admin.InvalidArgument")
            #expect(
                try await office.refusal("RestartCamera", ["nome": "front"]).name
                    == "org.varlink.service.InvalidParameter")
            #expect(try await office.refusal("Nonsense", VarlinkEmpty()).name == "org.varlink.service.MethodNotFound")
            try SmallFileFixture.write("sight: x", "\(office.box.root)/cvr.yaml")
            let invalid = try await office.refusal("Reload", VarlinkEmpty())
            #expect(invalid.name == "io.cvr.Admin.Refused")
            #expect(invalid.message.contains("did you mean site?"))
        }
    }

    @Test("whoever reads events too slowly is told so")
    func slowReader() async throws {
        try await withOffice(cameras: "{}") { office in
            let events = office.client.stream("io.cvr.Admin.Events", VarlinkEmpty())
            var iterator = events.makeAsyncIterator()
            _ = try await iterator.next()
            let detail = String(repeating: "x", count: 1000)
            for _ in 0..<5000 { office.supervisor.events.append("test", detail) }
            let error = await #expect(throws: VarlinkRemoteError.self) { while try await iterator.next() != nil {} }
            #expect(error?.name == "io.cvr.Admin.Failed")
        }
    }

    @Test("events come as they happen")
    func events() async throws {
        try await withOffice(cameras: "{}") { office in
            let events = office.client.stream("io.cvr.Admin.Events", VarlinkEmpty())
            var iterator = events.makeAsyncIterator()
            _ = try await iterator.next()
            office.supervisor.events.append("test", "hello")
            var found = false
            while !found, let reply = try await iterator.next() {
                found = try JSONDecoder().decode(Listing.Events.self, from: reply).events.contains { $0.type == "test" }
            }
            #expect(found)
        }
    }

    @Test("events of media graphs are read from disk, later ones too, until they are acknowledged")
    func graphEvents() async throws {
        try await withOffice(cameras: "{}") { office in
            let event = Listing.Event(time: "t", type: "Microsoft.Media.Graph.Operational.X", camera: nil, detail: "1")
            office.supervisor.spool.append(event)
            let call = Admin.EventConsumer(consumer: "script")
            let first = try await office.client.call(
                "io.cvr.Admin.GraphEvents", call, as: Admin.StoredEvents.self)
            #expect(first.events == [Admin.StoredEvent(sequence: 1, event: event)])
            var stream = office.client.stream("io.cvr.Admin.GraphEvents", call).makeAsyncIterator()
            _ = try await stream.next()
            office.supervisor.spool.append(event)
            let later = try JSONDecoder().decode(Admin.StoredEvents.self, from: try #require(try await stream.next()))
            #expect(later.events.map(\.sequence) == [2])
            let other = try await VarlinkClient.connect(path: "\(office.box.root)/admin.sock")
            _ = try await other.call(
                "io.cvr.Admin.AcknowledgeGraphEvents", Admin.Acknowledgement(consumer: "script", sequence: 1),
                as: VarlinkEmpty.self)
            let rest = try await other.call("io.cvr.Admin.GraphEvents", call, as: Admin.StoredEvents.self)
            #expect(rest.events.map(\.sequence) == [2])
            for name in ["", ".", "../x", "gateway.mqtt", "a/b", String(repeating: "a", count: 65)] {
                let refused = try await office.refusal("GraphEvents", Admin.EventConsumer(consumer: name), by: other)
                #expect(refused.name == "io.cvr.Admin.InvalidArgument", "\(name)")
            }
        }
    }
}
