import FoundationEssentials
import Glibc
import Messages
import Recording
import Supervision
import Testing
import Varlink

/// cvrd's socket on a box of scripted workers, and a client of it.
private struct Office {
    let box: TemporaryBox
    let supervisor: Supervisor
    let client: VarlinkClient
    private let runs: [Task<Void, any Error>]

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
        runs = [run, server]
    }

    /// Answers as cvr-sync.
    func serveSync(_ handler: @escaping VarlinkServer.Handler) async throws -> Task<Void, any Error> {
        try SmallFileFixture.write("", "\(box.root)/run/sync/x")
        return try await Self.serve(
            "\(box.root)/run/sync/sync.sock", SyncInterface.interface, VarlinkInterface.sync, handler)
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

    func end() async {
        await client.close()
        await supervisor.stop()
        for run in runs { run.cancel() }
    }

    /// The name of the error that a call is answered with.
    func refusal(_ method: String, _ parameters: some Encodable & Sendable) async throws -> VarlinkRemoteError {
        do {
            _ = try await client.call("io.cvr.Admin.\(method)", parameters, as: VarlinkEmpty.self)
        } catch let error as VarlinkRemoteError {
            return error
        }
        throw Accepted(method: method)
    }

    struct Accepted: Error { let method: String }
}

@Suite("Supervision: admin interface", .timeLimit(.minutes(1)))
struct AdminInterfaceTests {
    @Test("status and cameras answer while cvr-sync is away; questions about footage say so")
    func syncAway() async throws {
        let office = try await Office(cameras: "{ front: { url: rtsp://h/a } }")
        _ = try await office.client.call("io.cvr.Admin.Status", VarlinkEmpty(), as: Admin.Status.self)
        let sync = try await office.client.call("io.cvr.Admin.SyncStatus", VarlinkEmpty(), as: Admin.SyncReport.self)
        #expect(sync.sync.state == "away")
        for method in ["Segments", "Gaps", "Coverage"] {
            let error = try await office.refusal(method, Listing.Query(camera: "front"))
            #expect(error.name == "io.cvr.Admin.SyncUnavailable")
            #expect(!error.nextStep.isEmpty)
        }
        #expect(try await office.refusal("SyncNow", VarlinkEmpty()).name == "io.cvr.Admin.SyncUnavailable")
        await office.end()
    }

    @Test("answers and errors of cvr-sync go through, page by page")
    func passThrough() async throws {
        let office = try await Office(cameras: "{}")
        let gap = Listing.Gap(from: "a", to: nil, reason: "stopped", detail: "")
        let sync = try await office.serveSync { call, replies in
            switch (call.name, call.wantsMore) {
            case ("Gaps", true):
                for _ in 0..<3 { try await replies.send(Listing.Gaps(gaps: [gap]), continues: true) }
                try await replies.send(Listing.Gaps(gaps: [gap]))
            case ("Gaps", false): try await replies.send(Listing.Gaps(gaps: [gap]))
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
        sync.cancel()
        await office.end()
    }

    @Test("cameras that are not there, wishes that are wrong and methods that do not exist have their own errors")
    func errors() async throws {
        let office = try await Office(cameras: "{ front: { url: rtsp://h/a } }")
        for name in ["nobody", "No Name", ""] {
            for method in ["RemoveCamera", "StartCamera", "StopCamera", "RestartCamera"] {
                let error = try await office.refusal(method, Admin.NamedCamera(name: name))
                #expect(error.name == "io.cvr.Admin.NotFound", "\(method) \(name)")
            }
        }
        #expect(
            try await office.refusal("RemoveCamera", Admin.NamedCamera(name: "front")).name == "io.cvr.Admin.Refused")
        let wrong = try await office.refusal("AddCamera", Admin.AddCamera(name: "x", url: "http://h/"))
        #expect(wrong.name == "io.cvr.Admin.InvalidArgument")
        #expect(
            try await office.refusal("RestartCamera", ["nome": "front"]).name
                == "org.varlink.service.InvalidParameter")
        #expect(try await office.refusal("Nonsense", VarlinkEmpty()).name == "org.varlink.service.MethodNotFound")
        try SmallFileFixture.write("sight: x", "\(office.box.root)/cvr.yaml")
        let invalid = try await office.refusal("Reload", VarlinkEmpty())
        #expect(invalid.name == "io.cvr.Admin.InvalidArgument")
        #expect(invalid.message.contains("did you mean site?"))
        await office.end()
    }

    @Test("events come as they happen")
    func events() async throws {
        let office = try await Office(cameras: "{}")
        let events = office.client.stream("io.cvr.Admin.Events", VarlinkEmpty())
        var iterator = events.makeAsyncIterator()
        _ = try await iterator.next()
        office.supervisor.events.append("test", "hello")
        var found = false
        while !found, let reply = try await iterator.next() {
            found = try JSONDecoder().decode(Listing.Events.self, from: reply).events.contains { $0.type == "test" }
        }
        #expect(found)
        await office.end()
    }
}
