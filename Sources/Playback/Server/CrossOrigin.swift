import Footage
import HTTPTypes
import Hummingbird
import Recording

/// What a browser is told that plays footage in the page of another server (WHATWG Fetch, CORS).
///
/// Pages of the allowed origins may read answers and send `Authorization`; cookies are not theirs to use.
struct CrossOrigin {
    private let origins: Set<WebOrigin>

    init(_ origins: Set<WebOrigin>) { self.origins = origins }

    /// The answer to a browser that asks before it asks; nil for any other request.
    func preflight(_ request: Request) -> Response? {
        guard request.method == .options, origin(request) != nil else { return nil }
        var headers = HTTPFields()
        Self.set(
            &headers,
            [
                ("Access-Control-Allow-Methods", "GET, HEAD"),
                ("Access-Control-Allow-Headers", "Authorization, Range, If-Range, If-None-Match"),
                ("Access-Control-Max-Age", "600"),
            ])
        return Response(status: .noContent, headers: headers)
    }

    func allow(_ request: Request, _ headers: inout HTTPFields) {
        guard !origins.isEmpty else { return }
        headers[.vary] = "Origin"
        guard let origin = origin(request) else { return }
        let exposed = "Accept-Ranges, Content-Length, Content-Range, \(UnknownPast.field), ETag, Retry-After"
        Self.set(
            &headers,
            [
                ("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", exposed),
                ("Cross-Origin-Resource-Policy", "cross-origin"),
            ])
    }

    /// As the browser wrote it: that is what it compares the answer with.
    private func origin(_ request: Request) -> String? {
        guard let text = request.headers[.origin], let origin = WebOrigin(text), origins.contains(origin) else {
            return nil
        }
        return text
    }

    private static func set(_ headers: inout HTTPFields, _ fields: [(name: String, value: String)]) {
        for field in fields {
            if let name = HTTPField.Name(field.name) { headers[name] = field.value }
        }
    }
}
