import HTTPTypes
import Hummingbird
import Logging
import Recording

/// What every request passes, and every answer: limits, who asks, errors as JSON, and what a browser must not do.
struct RequestGate: RouterMiddleware {
    typealias Context = PlaybackContext

    let admission: Admission
    let requests: RateLimit
    let clock: ServerClock
    let isTLS: Bool

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await answer(request, context, next)
        } catch let refusal as Refusal {
            response = refusal.response
        } catch let error as any HTTPResponseError where error.status == .notFound {
            response = Refusal.notFound.response
        } catch {
            response = Refusal(error).response
            context.logger.error("a request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
        }
        for field in Self.fields { response.headers[field.name] = field.value }
        if isTLS { response.headers[.strictTransportSecurity] = "max-age=31536000" }
        return response
    }

    private func answer(
        _ request: Request, _ context: Context, _ next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let now = (clock.now(), clock.monotonic())
        if let wait = requests.take(context.address, at: now.1) { throw Refusal.tooMany(wait) }
        guard request.method == .get || request.method == .head else {
            throw Refusal(
                405, "methodNotAllowed", "this server only answers GET and HEAD", nextStep: "use GET or HEAD"
            ).with("Allow", "GET, HEAD")
        }
        guard !request.hasBody else {
            throw Refusal(413, "bodyNotAllowed", "a request here has no body", nextStep: "send none")
                .with("Connection", "close")
        }
        var context = context
        // A load balancer asks without an account, and learns nothing.
        if request.uri.path != "/healthz" {
            context.visitor = try await admission.visitor(Credentials(request), from: context.address, at: now)
        }
        return try await next(request, context)
    }

    /// Everything comes from here, nothing runs in line, no other page frames this one.
    private static let fields: [(name: HTTPField.Name, value: String)] = {
        let policy =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
            + "media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
            + "frame-ancestors 'none'"
        let named = [
            ("Referrer-Policy", "no-referrer"), ("X-Frame-Options", "DENY"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
        ]
        return [(.contentSecurityPolicy, policy), (.xContentTypeOptions, "nosniff")]
            + named.compactMap { name, value in HTTPField.Name(name).map { ($0, value) } }
    }()
}

extension Request {
    fileprivate var hasBody: Bool {
        headers[.transferEncoding] != nil || headers[values: .contentLength].contains { $0 != "0" }
    }
}
