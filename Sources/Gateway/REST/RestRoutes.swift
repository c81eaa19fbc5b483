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

    private typealias Answering = @Sendable (Request, BasicRequestContext) async throws -> Response

    func add(to router: Router<BasicRequestContext>) {
        for kind in ["GraphTopology", "GraphInstance"] {
            let base = "/api/\(kind)"
            add(
                base, to: router,
                [
                    .get: { request, _ in await list(kind, request) },
                    .put: { request, _ in try await set(kind, nil, request) },
                ])
            add(
                "\(base)/:name", to: router,
                [
                    .get: { request, context in try await named(kind + "Get", context, request) },
                    .put: { request, context in try await set(kind, name(context), request) },
                    .delete: { request, context in try await named(kind + "Delete", context, request) },
                ])
        }
        for verb in ["activate", "deactivate"] {
            let method = "GraphInstance" + verb.capitalized
            add(
                "/api/GraphInstance/:name/\(verb)", to: router,
                [.post: { request, context in try await named(method, context, request) }])
        }
        // The second as IoT Hub's own REST interface has it.
        for path in ["/api/methods", "/twins/:device/modules/:module/methods"] {
            add(path, to: router, [.post: { request, _ in try await method(request) }])
        }
        add(
            "/api/messages/:name", to: router,
            [.post: { request, context in try await message(name(context), request) }])
    }

    /// An address with what it has, and a refusal of other methods that says which those are (RFC 9110, 15.5.6).
    private func add(
        _ path: String, to router: Router<BasicRequestContext>, _ answers: [HTTPRequest.Method: Answering]
    ) {
        let allow = answers.keys.map(\.rawValue).sorted().joined(separator: ", ")
        let refusal = RestMistake(
            405, "BadRequest", "this address has only \(allow); see cvr-gateway(8)", allow: allow)
        for (method, answer) in answers { router.on(RouterPath(path), method: method, use: answer) }
        for method in [HTTPRequest.Method.get, .head, .put, .post, .patch, .delete, .options]
        where answers[method] == nil {
            router.on(RouterPath(path), method: method) { _, _ -> Response in throw refusal }
        }
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
        // As cvrd reads them.
        let known = Members(body)
        if known["@apiVersion"] == nil { members["@apiVersion"] = version(request) }
        if let name {
            switch known["name"] {
            case nil: members["name"] = .string(name)
            // Case tells no names apart anywhere; that of the body is kept.
            case .string(let inner)? where inner.lowercased() == name.lowercased(): break
            default:
                throw RestMistake(400, "BadRequest", "the address names another than the body; make both the same")
            }
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
        let reply = await desk.ask(
            Admin.GraphCall(method: method, payload: body["payload"]), within: try patience(of: body))
        return GraphReply(
            status: 200, payload: .object(["status": .integer(reply.status), "payload": reply.payload ?? .null])
        ).response
    }

    /// What IoT Hub's clients wait at most before they ask again; nil for one that does not say.
    private func patience(of body: JSONValue) throws -> Duration? {
        switch body["responseTimeoutInSeconds"] {
        case nil, .null?: nil
        case .integer(let seconds)? where (1...300).contains(seconds): .seconds(seconds)
        default: throw RestMistake(400, "BadRequest", "responseTimeoutInSeconds is not a whole number from 1 to 300")
        }
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

    /// The first value of each name, as forms encode them: `+` is a space; what is no percent-encoding stays as it is.
    private func query(_ request: Request) -> [String: String] {
        let pairs = (request.uri.query ?? "").split(separator: "&").map { pair in
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
                let half = String($0).replacing("+", with: " ")
                return half.removingPercentEncoding ?? half
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
