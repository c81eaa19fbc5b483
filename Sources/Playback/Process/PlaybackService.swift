import Footage
import Logging
import Messages
import Recording
import ServiceLifecycle
import Serving

/// cvr-playback as a service: takes its configuration, serves at the doors it was given, ends when told.
package actor PlaybackService: Service {
    private let doors: PlaybackDoors
    private let places: PlaybackSandbox.Places
    private let sandboxText: String
    private let log: Logger
    package nonisolated let reported = ReportedStatus()
    private let configured: AsyncStream<WebService>
    private let configuring: AsyncStream<WebService>.Continuation
    private let ended: AsyncThrowingStream<Void, any Error>
    private let end: AsyncThrowingStream<Void, any Error>.Continuation
    private var settings: PlaybackSettings?
    private var server: WebService?

    init(doors: PlaybackDoors, places: PlaybackSandbox.Places, sandboxText: String, log: Logger) {
        self.doors = doors
        self.places = places
        self.sandboxText = sandboxText
        self.log = log
        (configured, configuring) = AsyncStream.makeStream()
        (ended, end) = AsyncThrowingStream.makeStream()
    }

    /// Takes a configuration, or other cameras; any other change ends the process, since the next one begins with it.
    func configure(_ new: PlaybackSettings) async throws(ServingError) {
        guard covers(new), settings?.isReplaceable(by: new) ?? true else {
            end.finish(throwing: Self.outdated)
            throw Self.outdated
        }
        if let server {
            settings = new
            return server.take(new)
        }
        let server = try await WebService(new, doors: doors, preview: places.preview, reported: reported, log: log)
        guard self.server == nil else { return try await configure(new) }
        (settings, self.server) = (new, server)
        configuring.yield(server)
        log.notice("serving \(new.site) at \(doors.address)")
        if let end = server.certificateEnd.map({ WallTime(seconds: $0, nanoseconds: 0) }), end < WallTime.current() {
            log.warning("the certificate ended \(end.rfc3339): browsers refuse it; put a new one into its file")
        }
    }

    /// Ends `run`.
    func stop(again: Bool) { end.finish(throwing: again ? Self.outdated : nil) }

    private static let outdated = ServingError(
        .outdated, "the configuration has changed", nextStep: "start it again")

    var status: PlaybackInterface.Status {
        PlaybackInterface.Status(
            state: server == nil ? "starting" : "running", listen: doors.address.description,
            viewers: server?.viewers ?? 0, certificateEnd: certificateEnd, sandbox: sandboxText,
            build: PlaybackProcess.build)
    }

    private var certificateEnd: String? {
        server?.certificateEnd.map { WallTime(seconds: $0, nanoseconds: 0).rfc3339 }
    }

    /// Throws what makes the process end otherwise than as told.
    package func run() async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { for try await _ in self.ended {} }
            group.addTask { try await gracefulShutdown() }
            group.addTask { for await server in self.configured { try await server.run() } }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// What it shut itself in with, and listens at, is what it is to work on.
    private func covers(_ settings: PlaybackSettings) -> Bool {
        guard let box = settings.box else { return places.run == nil }
        return settings.store == places.store && settings.listen == doors.asked && box.cachePath == places.cache
            && box.statePath == places.state
    }
}
