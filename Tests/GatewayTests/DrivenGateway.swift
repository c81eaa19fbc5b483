import Foundation
import Glibc
import HTTP
import JSON
import Messages
import Recording
import Synchronization
import TestSupport
import Testing
import Varlink

/// The real cvr-gateway, with this test in the place of cvrd.
final class DrivenGateway: Sendable {
    typealias Answering = @Sendable (GatewayInterface.Request) async -> GraphReply

    static let token = "t0ken-of-the-tests"
    let folder: String
    let child: ChildProcess
    let asked = Asked()
    private let answer: Answering
    private let reading = Mutex<(task: Task<Void, any Error>, clients: [VarlinkClient])?>(nil)
    let port: Int
    private let authority: String?

    static func newFolder() -> String { "/tmp/gw-\(UInt32.random(in: 0...UInt32.max))" }

    /// Starts it and gives it a configuration; requests are answered by `answer`.
    init(
        webhooks: [GatewayInterface.Webhook] = [], broker: GatewayInterface.Broker? = nil,
        tls: Certificate? = nil, folder: String = newFolder(),
        answer: @escaping Answering = { _ in GraphReply(status: 200) }
    ) async throws {
        self.folder = folder
        self.answer = answer
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let child = try ChildProcess(
            "\(Repository.binaries)/cvr-gateway", ["--run", folder, "--listen", "127.0.0.1:0"],
            log: folder + "/log")
        self.child = child
        authority = tls?.authority
        var rest = GatewayInterface.Rest(
            listen: "127.0.0.1:0", tokens: [Secret("another-0123456789"), Secret(Self.token)])
        rest.tls = try tls.map {
            GatewayInterface.TLS(
                certificate: $0.authority, key: Secret(try String(contentsOfFile: $0.key, encoding: .utf8)))
        }
        let configuration = GatewayInterface.Configuration(
            box: "test", rest: rest, webhooks: webhooks, broker: broker)
        let socket = folder + "/gateway.sock"
        let client = try await eventually("cvr-gateway listens", every: .milliseconds(20)) {
            // It is being started.
            try? await VarlinkClient.connect(path: socket)
        }
        _ = try await client.call("io.cvr.Gateway.Configure", configuration, as: VarlinkEmpty.self)
        let status = try await client.call(
            "io.cvr.Gateway.Status", VarlinkEmpty(), as: GatewayInterface.Status.self)
        port = try #require(status.listen?.split(separator: ":").last.flatMap { Int($0) })
        #expect(status.state == "running" && status.sandbox?.hasPrefix("landlock") == true)
        try await come()
        asked.forget("ready")
    }

    /// cvrd is there, and reads what is asked.
    func come() async throws {
        let (asking, answering) = (try await connect(), try await connect())
        let task = Task { [asked, answer] in try await Self.serve(asking, answering, asked, answer) }
        reading.withLock { $0 = (task, [asking, answering]) }
        try await eventually("its requests are read", every: .milliseconds(20)) {
            let ready = try await ask("POST", "/api/methods", #"{"methodName":"ready"}"#)
            return ready.body?["status"] == .integer(503) ? nil : true
        }
    }

    /// cvrd is away.
    func leave() async {
        let last = reading.withLock { $0 }
        last?.task.cancel()
        for client in last?.clients ?? [] { await client.close() }
    }

    deinit {
        reading.withLock { $0?.task.cancel() }
        child.signal(SIGKILL)
        try? FileManager.default.removeItem(atPath: folder)  // A leftover in /tmp fails no test.
    }

    private static func serve(
        _ asking: VarlinkClient, _ answering: VarlinkClient, _ asked: Asked, _ answer: @escaping Answering
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for try await data in asking.stream("io.cvr.Gateway.Requests", VarlinkEmpty()) {
                let request = try JSONDecoder().decode(GatewayInterface.Request.self, from: data)
                asked.take(request)
                group.addTask {
                    let reply = await answer(request)
                    _ = try await answering.call(
                        "io.cvr.Gateway.Answer", GatewayInterface.Answer(id: request.id, reply),
                        as: VarlinkEmpty.self)
                }
            }
        }
    }

    func connect() async throws -> VarlinkClient { try await VarlinkClient.connect(path: folder + "/gateway.sock") }

    func status() async throws -> GatewayInterface.Status {
        try await connect().call("io.cvr.Gateway.Status", VarlinkEmpty(), as: GatewayInterface.Status.self)
    }

    /// Delivers until all of them are taken, as cvrd does.
    func deliver(_ events: [Admin.StoredEvent], to consumer: String) async throws {
        let client = try await connect()
        var rest = events[...]
        while !rest.isEmpty {
            let taken = try await client.call(
                "io.cvr.Gateway.Deliver", GatewayInterface.Delivery(consumer: consumer, events: Array(rest)),
                as: GatewayInterface.Delivered.self)
            rest = rest.drop { $0.sequence <= taken.sequence }
        }
    }

    struct Answered {
        var status: Int
        var body: JSONValue?
        var headers: [String: String]
    }

    /// Asks over HTTP; `token` nil sends none.
    func ask(
        _ method: String, _ path: String, _ body: String? = nil, token: String? = DrivenGateway.token
    ) async throws -> Answered {
        var request = HTTPRequest(
            method, "\(authority == nil ? "http" : "https")://127.0.0.1:\(port)\(path)",
            body: body.map { .bytes(Array($0.utf8)) } ?? .none)
        if let token { request.headers.append(("Authorization", "Bearer \(token)")) }
        let response = try await Web.ask(request, authority: authority)
        let value = response.body.isEmpty ? nil : try JSONDecoder().decode(JSONValue.self, from: Data(response.body))
        return Answered(status: response.status, body: value, headers: response.headers)
    }
}

/// What cvrd was asked, in order.
final class Asked: Sendable {
    private let requests = Mutex<[GatewayInterface.Request]>([])

    var all: [GatewayInterface.Request] { requests.withLock { $0 } }

    var messages: [Admin.InputMessage] { all.compactMap(\.message) }

    func forget(_ method: String) { requests.withLock { $0.removeAll { $0.call?.method == method } } }

    func take(_ request: GatewayInterface.Request) { requests.withLock { $0.append(request) } }
}

/// An event of a media graph, as cvrd stores it.
func storedEvent(_ sequence: Int64, type: String = "Operational.RecordingStarted") -> Admin.StoredEvent {
    let graph = GraphEvent(
        topic: "/sites/test/boxes/b", subject: "/graphInstances/Front/sinks/assetSink",
        eventTime: "2026-01-02T03:04:05.678Z",
        body: .object(["outputType": .string("assetName"), "outputLocation": .string("a&b=\(sequence)/ü")]))
    return Admin.StoredEvent(
        sequence: sequence,
        event: Listing.Event(
            time: "2026-01-02T03:04:05.678Z", type: "Microsoft.Media.Graph.\(type)", camera: "front", detail: "d",
            graph: graph))
}
