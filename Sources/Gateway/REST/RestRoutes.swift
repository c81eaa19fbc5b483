import Foundation
import HTTPTypes
import Hummingbird
import JSON
import Messages
import NIOCore

/// LVA's mapping of its direct methods to HTTP, IoT Hub's own form of them, and messages for inputs.
struct RestRoutes: Sendable {
    /// Of a body.
    private static let mostBytes = 1 << 20
    /// For a whole body.
    private static let patience = Duration.seconds(30)

    let desk: RequestDesk

    func add(to router: Router<BasicRequestContext>) {
        for kind in ["GraphTopology", "GraphInstance"] {
            let base = "/api/\(kind)"
            router.get("\(base)") { request, _ in await list(kind, request) }
            router.put("\(base)") { request, _ in try await set(kind, nil, request) }
            router.put("\(base)/:name") { request, context in try await set(kind, name(context), request) }
            router.get("\(base)/:name") { request, context in try await named(kind + "Get", context, request) }
            router.delete("\(base)/:name") { request, context in try await named(kind + "Delete", context, request) }
        }
        for verb in ["activate", "deactivate"] {
            router.post("/api/GraphInstance/:name/\(verb)") { request, context in
                try await named("GraphInstance" + verb.capitalized, context, request)
            }
        }
        router.post("/api/methods") { request, _ in try await method(request) }
        // As IoT Hub's own REST interface has it.
        router.post("/twins/:device/modules/:module/methods") { request, _ in try await method(request) }
        router.post("/api/messages/:name") { request, context in try await message(name(context), request) }
    }

    // MARK: Methods

    private func list(_ kind: String, _ request: Request) async -> Response {
        var payload: [String: JSONValue] = ["@apiVersion": version(request)]
        let asked = query(request)
        for name in ["@continuationToken", "@query"] { payload[name] = asked[name].map { .string($0) } }
        return await ask("\(kind)List", .object(payload))
    }

    private func named(_ method: String, _ context: BasicRequestContext, _ request: Request) async throws -> Response {
        let payload: JSONValue = .object(["@apiVersion": version(request), "name": .string(try name(context))])
        return await ask(method, payload)
    }

    /// The name of the path is that of the body too, or stands for it.
    private func set(_ kind: String, _ name: String?, _ request: Request) async throws -> Response {
        let body = try await body(request)
        guard case .object(var members) = body else {
            throw RestMistake(400, "BadRequest", "the body is no JSON object; send the topology or the instance")
        }
        if members["@apiVersion"] == nil { members["@apiVersion"] = version(request) }
        if let name {
            let inner = members["name"]
            guard inner == nil || inner == .string(name) else {
                throw RestMistake(400, "BadRequest", "the address names another than the body; make both the same")
            }
            members["name"] = .string(name)
        }
        return await ask("\(kind)Set", .object(members))
    }

    /// IoT Hub's request, and its answer: the method's status is in the body.
    private func method(_ request: Request) async throws -> Response {
        guard let body = try await body(request), case .string(let method)? = body["methodName"] else {
            throw RestMistake(
                400, "BadRequest",
                "the body is not {\"methodName\": \"…\", \"payload\": {…}}; send it as IoT Hub takes it")
        }
        let reply = await desk.ask(Admin.GraphCall(method: method, payload: body["payload"]))
        return GraphReply(
            status: 200, payload: .object(["status": .integer(reply.status), "payload": reply.payload ?? .null])
        ).response
    }

    private func message(_ input: String, _ request: Request) async throws -> Response {
        let body = try await body(request)
        let properties = query(request)
        return await desk.tell(
            Admin.InputMessage(input: input, body: body, properties: properties.isEmpty ? nil : properties)
        ).response
    }

    private func ask(_ method: String, _ payload: JSONValue) async -> Response {
        await desk.ask(Admin.GraphCall(method: method, payload: payload)).response
    }

    // MARK: Requests

    /// `?api-version=`, else the newest.
    private func version(_ request: Request) -> JSONValue {
        .string(query(request)["api-version"] ?? "2.0")
    }

    /// The first value of each name; what is no percent-encoding stays as it is.
    private func query(_ request: Request) -> [String: String] {
        let pairs = (request.uri.query ?? "").split(separator: "&").map { pair in
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
                $0.removingPercentEncoding ?? String($0)
            }
            return (halves.first ?? "", halves.dropFirst().first ?? "")
        }
        return Dictionary(pairs) { first, _ in first }
    }

    private func name(_ context: BasicRequestContext) throws -> String {
        guard let name = context.parameters.get("name")?.removingPercentEncoding, !name.isEmpty else {
            throw RestMistake(400, "BadRequest", "the address holds no name; write it percent-encoded")
        }
        return name
    }

    /// The whole body as JSON; nil without one.
    private func body(_ request: Request) async throws -> JSONValue? {
        let bytes = try await collected(request)
        guard bytes.readableBytes > 0 else { return nil }
        guard let value = RequestBody.value(of: Array(bytes.readableBytesView)) else {
            throw RestMistake(RequestBody.refusal)
        }
        return value
    }

    private func collected(_ request: Request) async throws -> ByteBuffer {
        let tooLong = RestMistake(
            413, "BadRequest", "the body has more than \(Self.mostBytes) bytes; send a smaller one",
            endsConnection: true)
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > Self.mostBytes { throw tooLong }
        return try await withThrowingTaskGroup(of: ByteBuffer?.self) { group in
            group.addTask {
                do { return try await request.body.collect(upTo: Self.mostBytes) } catch { throw tooLong }
            }
            group.addTask {
                try await Task.sleep(for: Self.patience)
                return nil
            }
            defer { group.cancelAll() }
            guard let found = try await group.next(), let body = found else {
                throw RestMistake(
                    408, "BadRequest", "the body did not come within 30 s; send it faster", endsConnection: true)
            }
            return body
        }
    }
}
