package import Footage
import Foundation
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
package import Logging
import NIOCore
import Recording
import ServiceLifecycle
import Serving
import Synchronization

/// Serves footage over HTTP: recorded, live, and what is known of it.
///
/// Everything it is made of comes from outside, and nothing is kept between requests but bounded memories. It reads; no
/// request changes anything.
package final class PlaybackServer: Service {
    private let settings: ServerSettings
    private let access: Access
    private let admission: Admission
    private let reader: FootageReader
    private let hooks: ServerHooks
    private let clock: ServerClock
    private let log: Logger
    private let threads: BlockingThreads
    private let storeThreads: BlockingThreads
    private let feeds: LiveFeeds
    private let port = PortPromise()

    package init(
        _ settings: ServerSettings, archive: Archive, access: Access, hooks: ServerHooks = ServerHooks(),
        clock: ServerClock = .system, log: Logger
    ) {
        self.settings = settings
        self.access = access
        self.hooks = hooks
        self.clock = clock
        self.log = log
        threads = BlockingThreads(8)
        // Those of the store wait for a network, mostly.
        storeThreads = BlockingThreads(16)
        reader = FootageReader(
            archive: archive, threads: threads, storeThreads: storeThreads,
            memory: MemoryBudget(settings.limits.memory), scans: Turn(places: settings.limits.scans))
        admission = Admission(access, threads: threads)
        feeds = LiveFeeds(reader, clock: clock, poll: settings.limits.livePoll)
    }

    /// How many are being sent footage now.
    package var viewers: Int { reader.viewers.now }

    /// The patterns of all paths that it answers at, such as `/ranges/:file`.
    package var paths: [String] { router().routes.map { "\($0.path)" } }

    /// The port that it listens on, once it does; nil when it ended before.
    package func listeningPort() async -> Int? { await port.value() }

    package func run() async throws {
        defer { port.fulfil(nil) }
        let channel = HTTP1Channel(
            responder: responder(router().buildResponder()), configuration: settings.limits.channel)
        if let tls = settings.tls {
            let secured = try TLSChannel(channel, tlsConfiguration: try tls.configuration())
            try await listen(secured)
        } else {
            try await listen(channel)
        }
        await threads.shutDown()
        await storeThreads.shutDown()
    }

    private func listen(_ child: some ServerChildChannel) async throws {
        let port = port
        try await withThrowingTaskGroup { group in
            group.addTask { [feeds] in await feeds.run() }
            group.addTask { [settings, log] in
                let limits = ConnectionLimits(
                    connections: settings.limits.connections,
                    connectionsOfAddress: settings.limits.connectionsOfAddress, stalled: settings.limits.stalled)
                try await ConnectionListener(
                    child: child, place: settings.listener, limits: limits, proxies: settings.proxies, log: log
                ) { port.fulfil($0) }.run()
            }
            // The feeds run until they are cancelled: this is the listener's end.
            try await group.next()
            group.cancelAll()
        }
    }

    private func router() -> Router<PlaybackContext> {
        let router = Router(context: PlaybackContext.self, options: .autoGenerateHeadEndpoints)
        router.add(
            middleware: RequestGate(
                admission: admission,
                requests: RateLimit(burst: settings.limits.burst, perSecond: settings.limits.requestsPerSecond),
                clock: clock, settings: settings, isOpen: access.isOpen))
        PageRoutes(hooks: hooks, viewers: reader.viewers).add(to: router)
        ListingRoutes(reader: reader, limits: settings.limits, isTLS: settings.tls != nil).add(to: router)
        RangeRoutes(reader: reader, limits: settings.limits, clock: clock).add(to: router)
        ExportRoutes(reader: reader, limits: settings.limits).add(to: router)
        AssetRoutes(reader: reader, feeds: feeds, clock: clock).add(to: router)
        PreviewRoutes(reader: reader, previews: hooks.previews).add(to: router)
        LiveRoutes(reader: reader, feeds: feeds, clock: clock).add(to: router)
        SharingRoutes(reader: reader, access: access, clock: clock).add(to: router)
        return router
    }

    /// What Hummingbird's `Application` does with a request, and the end of a connection that has nothing more to say.
    private func responder(_ routes: some HTTPResponder<PlaybackContext>) -> HTTPChannelHandler.Responder {
        let log = log
        return { (request, writer: consuming ResponseWriter, channel) in
            let context = PlaybackContext(source: ApplicationRequestContextSource(channel: channel, logger: log))
            var response = try await routes.respond(to: request, context: context)
            if request.method == .head { response = response.createHeadResponse() }
            try await writer.write(response: response.head, body: response.body)
            if response.headers[.connection] == "close" { throw ConnectionEnd() }
        }
    }
}

/// Ends a connection once its answer is sent.
private struct ConnectionEnd: Error {}

extension ServerLimits {
    fileprivate var channel: HTTP1Channel.Configuration {
        HTTP1Channel.Configuration(
            additionalChannelHandlers: [PeerWatch()], idleTimeout: .microseconds(idle.microseconds),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: headerField, maxHeaderListSize: headers, maxHeaderFieldCount: 100))
    }
}

/// A port that is known later.
private final class PortPromise: Sendable {
    private struct State {
        var isKnown = false
        var port: Int?
        var waiting: [CheckedContinuation<Int?, Never>] = []
    }

    private let state = Mutex(State())

    func fulfil(_ port: Int?) {
        let waiting = state.withLock { state -> [CheckedContinuation<Int?, Never>] in
            guard !state.isKnown else { return [] }
            (state.isKnown, state.port) = (true, port)
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: port) }
    }

    func value() async -> Int? {
        await withCheckedContinuation { continuation in
            let isKnown = state.withLock { state in
                if !state.isKnown { state.waiting.append(continuation) }
                return state.isKnown
            }
            if isKnown { continuation.resume(returning: state.withLock { $0.port }) }
        }
    }
}
