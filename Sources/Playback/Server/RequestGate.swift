import HTTPTypes
import Hummingbird
import Recording
import Serving

/// What every request passes, and every answer: limits, who asks, errors as JSON, and what a browser must not do.
struct RequestGate: RouterMiddleware {
    typealias Context = PlaybackContext

    private static let patience = TimeSpan.seconds(1)

    let admission: Admission
    let requests: RateLimit
    let clock: ServerClock
    let settings: ServerSettings
    /// Nobody is asked who they are.
    let isOpen: Bool
    let failures = FailureLog()

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await answer(request, context, next)
        } catch let error as any HTTPResponseError where error.status == .notFound {
            response = Refusal.notFound.response
        } catch {
            let refusal = Refusal(error)
            response = refusal.response
            // What we say ourselves, and mistakes of whoever asks, are no news; nor that they went away.
            if refusal.status >= 500, !(error is Refusal), !(error is CancellationError) {
                failures.note(error, refusal.code, path: request.uri.path, at: clock.monotonic(), in: context.logger)
            }
        }
        for field in Self.fields { response.headers[field.name] = field.value }
        if settings.tls != nil { response.headers[.strictTransportSecurity] = "max-age=31536000" }
        CrossOrigin(settings.origins).allow(request, &response.headers)
        return response
    }

    /// Who asks a little too often waits for a turn; who asks far too often is told so.
    ///
    /// ffmpeg asks for a live DASH manifest again and again without a pause, and passes over media that it is refused.
    private func pace(_ address: String, at now: MonotonicTime) async throws {
        guard let wait = requests.take(address, at: now, patience: Self.patience) else { return }
        guard wait <= Self.patience else { throw Refusal.tooMany(wait) }
        // Ends early when the server does.
        try await Task.sleep(for: .microseconds(wait.microseconds))
    }

    private func answer(
        _ request: Request, _ context: Context, _ next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let now = (clock.now(), clock.monotonic())
        let address = ClientAddress(context.peer, request, behind: settings.proxies)
        try await pace(address.text, at: now.1)
        if let answer = CrossOrigin(settings.origins).preflight(request) { return answer }
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
        if !Self.isPublic(request.uri.path) {
            if isOpen { try HostName(request)?.check(settings.origins) }
            context.visitor = try await admission.visitor(Credentials(request), from: address, at: now)
        }
        return try await next(request, context)
    }

    /// A load balancer asks without an account, and learns nothing; the page's parts are in every package, and their
    /// addresses have no place for the token that the page's own has.
    private static func isPublic(_ path: String) -> Bool { path == "/healthz" || path.hasPrefix("/page/") }

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
