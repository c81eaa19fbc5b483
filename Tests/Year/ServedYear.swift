import Footage
import Foundation
import HTTP
import Logging
import Playback
import Recording
import ServiceLifecycle
import Serving

/// A year's archive behind the real server on loopback, and a client of it.
struct ServedYear {
    let year: Year
    private let base: String
    private let client = HTTPClient(HTTPSettings(connections: 1))

    /// Serves it while `body` runs.
    static func run<Answer: Sendable>(
        _ year: Year, _ body: @Sendable (ServedYear) throws -> Answer
    ) async throws -> Answer {
        guard let site = SiteName("plant") else { throw Wrong(what: "plant is no site") }
        let archive = Archive(
            site: site, cachePath: year.folder + "/cache", statePath: year.folder, store: nil,
            cameras: year.names.map { Archive.Camera(name: $0, asset: $0.text) },
            now: { Year.start + Year.day * year.days })
        let log = Logger(label: "year") { _ in SwiftLogNoOpLogHandler() }
        let server = PlaybackServer(
            ServerSettings(listener: .address("127.0.0.1", port: 0)), archive: archive, access: .open, log: log)
        let group = ServiceGroup(configuration: .init(services: [.init(service: server)], logger: log))
        return try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await group.run() }
            guard let port = await server.listeningPort() else { throw Wrong(what: "the server does not listen") }
            let answer = Result { try body(ServedYear(year: year, base: "http://127.0.0.1:\(port)")) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return try answer.get()
        }
    }

    private init(year: Year, base: String) {
        self.year = year
        self.base = base
    }

    /// Of an answer with status 200 or 206.
    func get(_ path: String, _ headers: [(name: String, value: String)] = []) throws -> HTTPResponse {
        let answer = try client.perform(HTTPRequest("GET", base + path, headers: headers), bodyLimit: 64 << 20)
        guard answer.status == 200 || answer.status == 206 else {
            throw Wrong(what: "\(answer.status) \(String(decoding: answer.body.prefix(300), as: UTF8.self))")
        }
        return answer
    }

    /// An answer that is not what the year holds.
    struct Wrong: Error { let what: String }
}
