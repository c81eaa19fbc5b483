import Footage
import Foundation
import HTTP
import Logging
import Playback
import Recording
import ServiceLifecycle
import Serving
import TestSupport

/// A real server on loopback, and a client of it.
struct ServedSite: Sendable {
    let base: String
    let port: Int
    let server: PlaybackServer
    private let client: HTTPClient

    /// Serves `archive` while `body` runs.
    static func run(
        _ archive: Archive, access: Access = .open, limits: ServerLimits = ServerLimits(),
        hooks: ServerHooks = ServerHooks(), clock: ServerClock = .system, tls: Certificate? = nil,
        proxies: [String] = [], origins: [String] = [],
        log: Logger = Logger(label: "playback") { _ in SwiftLogNoOpLogHandler() },
        _ body: @Sendable (ServedSite) async throws -> Void
    ) async throws {
        var settings = ServerSettings(listener: .address("127.0.0.1", port: 0))
        settings.limits = limits
        settings.proxies = proxies.compactMap { AddressBlock($0) }
        settings.origins = Set(origins.compactMap { WebOrigin($0) })
        settings.tls = try tls.map { certificate in
            let read = { (path: String) in try String(contentsOfFile: path, encoding: .utf8) }
            return ServerSettings.TLS(certificate: try read(certificate.path), key: try read(certificate.key))
        }
        let server = PlaybackServer(settings, archive: archive, access: access, hooks: hooks, clock: clock, log: log)
        let group = ServiceGroup(configuration: .init(services: [.init(service: server)], logger: log))
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await group.run() }
            guard let port = await server.listeningPort() else { throw Missed("the server does not listen") }
            do {
                try await body(ServedSite(port: port, server: server, authority: tls?.authority))
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private init(port: Int, server: PlaybackServer, authority: String?) {
        self.port = port
        self.server = server
        base = (authority == nil ? "http" : "https") + "://127.0.0.1:\(port)"
        client = HTTPClient(HTTPSettings(certificateAuthority: authority, connections: 8))
    }

    func get(
        _ path: String, _ headers: [(name: String, value: String)] = [], method: String = "GET", limit: Int = 1 << 30
    ) async throws -> HTTPResponse {
        try await perform(HTTPRequest(method, base + path, headers: headers), limit: limit)
    }

    /// Asks for a stream and gives what comes to `received`, until it ends.
    func stream(_ path: String, into received: Received) async throws -> HTTPResponse {
        try await stream(path) { received.append($0) }
    }

    /// Hands what comes of an answer to `sink`, on one thread.
    func stream(
        _ path: String, to sink: @escaping @Sendable (UnsafeRawBufferPointer) -> Void
    ) async throws -> HTTPResponse {
        var request = HTTPRequest("GET", base + path)
        request.sink = sink
        return try await perform(request, limit: 0)
    }

    private func perform(_ request: HTTPRequest, limit: Int) async throws -> HTTPResponse {
        try await withCheckedThrowingContinuation { [client] continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try client.perform(request, bodyLimit: limit) })
            }
        }
    }

    /// What a relative reference in the answer of `path` names (RFC 3986 §5.2).
    static func path(of reference: some StringProtocol, in path: String) throws -> String {
        let site = "http://site"
        guard let url = URL(string: String(reference), relativeTo: URL(string: site + path)), url.scheme == "http",
            !reference.hasPrefix("/")
        else { throw Missed("no relative reference: \(reference)") }
        return String(url.absoluteString.dropFirst(site.count))
    }

    /// The code of an error's JSON; its text when it is none.
    static func code(_ response: HTTPResponse) -> String {
        struct Body: Decodable {
            struct Text: Decodable { let code: String }
            let error: Text
        }
        // What is no error of ours fails the comparison.
        let body = try? JSONDecoder().decode(Body.self, from: Data(response.body))
        return body?.error.code ?? String(decoding: response.body.prefix(200), as: UTF8.self)
    }
}

/// What ffmpeg makes of a file or an address.
enum Player {
    /// Frames of the first picture track, decoded without a complaint.
    static func frames(_ input: String, within limit: Duration = .seconds(60)) async throws -> Int {
        let done = try await run(
            "/usr/bin/ffmpeg",
            ["-nostdin", "-v", "error", "-xerror", "-i", input, "-map", "0:v:0", "-fps_mode", "passthrough"]
                + ["-f", "framecrc", "-"], within: limit)
        guard done.ending == .exited(0), done.errors.isEmpty else {
            throw Missed("ffmpeg: \(done.ending) \(done.errors)")
        }
        return done.text.split(separator: "\n").filter { !$0.hasPrefix("#") }.count
    }
}
