import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import Messages
import NIOCore
import Recording
import Serving

/// Answers LVA's direct methods over HTTP, to whoever has a token.
final class RestServer: Sendable {
    private static let limits = ConnectionLimits(
        connections: 128, connectionsOfAddress: 96, stalled: TimeSpan.seconds(60))
    /// Without a request: from the first byte to the last of its head, and between two.
    private static let idle = TimeAmount.seconds(30)

    private let settings: GatewayInterface.Rest
    private let socket: Int32
    private let desk: RequestDesk
    private let log: Logger
    private let identity: TLSIdentity?

    /// `socket` listens already, and is closed at the end.
    ///
    /// Throws for what must not be served.
    init(
        _ settings: GatewayInterface.Rest, socket: Int32, desk: RequestDesk, log: Logger
    ) throws(ServingError) {
        guard !settings.tokens.isEmpty else {
            throw ServingError(.configuration, "nobody has a token", nextStep: "add gateway.tokens to cvr.yaml")
        }
        guard settings.tls != nil || ListenAddress(settings.listen)?.isLoopback == true else {
            throw ServingError(
                .configuration, "\(settings.listen) can be reached from other hosts, and nothing is encrypted",
                nextStep: "add gateway.tls to cvr.yaml, or listen at 127.0.0.1")
        }
        self.settings = settings
        self.socket = socket
        self.desk = desk
        self.log = log
        identity = settings.tls.map { TLSIdentity(certificate: $0.certificate, key: $0.key.revealed()) }
    }

    /// Seconds since 1970; throws for a certificate that cannot be used with its key.
    func certificateEnd() throws(ServingError) -> Int64? {
        try identity?.check() ?? nil
    }

    func run() async throws {
        let configuration = HTTP1Channel.Configuration(
            idleTimeout: Self.idle,
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100))
        let channel = HTTP1Channel(responder: responder(), configuration: configuration)
        if let identity {
            try await listen(try TLSChannel(channel, tlsConfiguration: try identity.configuration()))
        } else {
            try await listen(channel)
        }
    }

    private func listen(_ child: some ServerChildChannel) async throws {
        try await ConnectionListener(child: child, place: .descriptor(socket), limits: Self.limits, log: log).run()
    }

    private func responder() -> HTTPChannelHandler.Responder {
        let router = Router(context: BasicRequestContext.self)
        router.add(middleware: RestGate(tokens: BearerTokens(settings.tokens)))
        RestRoutes(desk: desk).add(to: router)
        let (routes, log) = (router.buildResponder(), log)
        return { (request, writer: consuming ResponseWriter, channel) in
            let context = BasicRequestContext(source: ApplicationRequestContextSource(channel: channel, logger: log))
            let response = try await routes.respond(to: request, context: context)
            try await writer.write(response: response.head, body: response.body)
            if response.headers[.connection] == "close" { throw ConnectionEnd() }
        }
    }
}

/// Ends a connection once its answer is sent.
private struct ConnectionEnd: Error {}

/// What every request passes: who asks, and errors in LVA's form.
private struct RestGate: RouterMiddleware {
    typealias Context = BasicRequestContext

    let tokens: BearerTokens

    func handle(
        _ request: Request, context: BasicRequestContext,
        next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        guard tokens.admit(request.headers[.authorization]) else {
            var refused = GraphReply.failure(
                401, "Unauthorized",
                "the request has no known token; send Authorization: Bearer TOKEN, as gateway.tokens has it"
            ).response
            refused.headers[.wwwAuthenticate] = "Bearer realm=\"cvr\""
            // What it may still send is not read.
            refused.headers[.connection] = "close"
            return refused
        }
        do { return try await next(request, context) } catch let error as RestMistake {
            var refused = error.reply.response
            if error.endsConnection { refused.headers[.connection] = "close" }
            if let allow = error.allow { refused.headers[.allow] = allow }
            return refused
        } catch let error as HTTPError {
            return GraphReply.failure(
                Int64(error.status.code), error.status.code == 404 ? "NotFound" : "BadRequest",
                "there is nothing at this address; see cvr-gateway(8) for those there are"
            ).response
        }
    }
}
