import Crypto
import HTTPTypes
import Hummingbird

/// The page, `/healthz` and `/metrics`.
struct PageRoutes {
    let hooks: ServerHooks
    let viewers: ViewerCount

    func add(to router: Router<PlaybackContext>) {
        router.get("/") { request, _ in try file("", request) }
        // Names are looked up among what is embedded: no path is made of them.
        router.get("/page/:name") { request, context in try file(context.parameters.get("name") ?? "", request) }
        router.get("/healthz") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: "ok\n")))
        }
        router.get("/metrics") { _, context in
            guard context.visitor.maySeeAll else { throw Refusal.forbidden }
            return Response(
                status: .ok,
                headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8", .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: try await hooks.metrics(viewers.now))))
        }
    }

    private func file(_ name: String, _ request: Request) throws -> Response {
        guard let file = hooks.page(name) else { throw Refusal.notFound }
        let tag = EntityTag(SHA256.hash(data: file.bytes))
        var response = Response(
            status: .ok, headers: [.contentType: file.type, .cacheControl: "no-cache", .eTag: tag.field],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: file.bytes)))
        if tag.isIn(request.headers[.ifNoneMatch]) {
            response = Response(status: .notModified, headers: [.eTag: tag.field])
        }
        return response
    }
}
