import Logging
import Messages
import Recording
import ServiceLifecycle
import Serving

/// cvr-gateway as a service: takes its configuration, works with it, ends when told.
package actor GatewayService: Service {
    private let doors: GatewayDoors
    private let run: String
    private let sandboxText: String
    private let log: Logger
    nonisolated let desk = RequestDesk()
    private let configured: AsyncStream<GatewayWork>
    private let configuring: AsyncStream<GatewayWork>.Continuation
    private let ended: AsyncThrowingStream<Void, any Error>
    private let end: AsyncThrowingStream<Void, any Error>.Continuation
    private var settings: GatewayInterface.Configuration?
    private var work: GatewayWork?

    init(doors: GatewayDoors, run: String, sandboxText: String, log: Logger) {
        self.doors = doors
        self.run = run
        self.sandboxText = sandboxText
        self.log = log
        (configured, configuring) = AsyncStream.makeStream()
        (ended, end) = AsyncThrowingStream.makeStream()
    }

    /// Takes a configuration; another one ends the process, since the next one begins with it.
    func configure(_ new: GatewayInterface.Configuration) throws(ServingError) {
        guard new.rest?.listen == doors.web?.asked.description, settings == nil || settings == new else {
            end.finish(throwing: Self.outdated)
            throw Self.outdated
        }
        guard work == nil else { return }
        let work = try GatewayWork(new, doors: doors, run: run, desk: desk, log: log)
        (settings, self.work) = (new, work)
        configuring.yield(work)
        if let web = doors.web { log.notice("serving \(new.box) at \(web.socket.address)") }
    }

    /// Returns up to which of the events its consumer took.
    func deliver(_ delivery: GatewayInterface.Delivery) async throws -> GatewayInterface.Delivered {
        guard let receiver = work?.receivers[delivery.consumer] else {
            throw ServingError(
                .configuration, "there is no consumer \(delivery.consumer.prefix(64))",
                nextStep: "install cvrd and cvr-gateway from one package")
        }
        return try await receiver.deliver(delivery.events)
    }

    /// Ends `run`.
    func stop(again: Bool) { end.finish(throwing: again ? Self.outdated : nil) }

    private static let outdated = ServingError(
        .outdated, "the configuration has changed", nextStep: "start it again")

    var status: GatewayInterface.Status {
        GatewayInterface.Status(
            state: work == nil ? "starting" : "running", listen: doors.web?.socket.address.description,
            certificateEnd: work?.certificateEnd.map { WallTime(seconds: $0, nanoseconds: 0).rfc3339 },
            consumers: work?.receivers.sorted { $0.key < $1.key }.map { $0.value.condition.consumer($0.key) } ?? [],
            refusedInputs: work?.refusedInputs, sandbox: sandboxText, build: GatewayProcess.build)
    }

    /// Throws what makes the process end otherwise than as told.
    package func run() async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { for try await _ in self.ended {} }
            group.addTask { try await gracefulShutdown() }
            group.addTask { for await work in self.configured { try await work.run() } }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}

/// What one configuration makes: the server, and whom events go to.
final class GatewayWork: Sendable {
    private let server: RestServer?
    private let broker: Broker?
    let receivers: [String: any EventReceiver]
    /// Seconds since 1970.
    let certificateEnd: Int64?

    /// Throws for a configuration that cannot be worked with; `doors` are not touched then.
    init(
        _ settings: GatewayInterface.Configuration, doors: GatewayDoors, run: String, desk: RequestDesk, log: Logger
    ) throws(ServingError) {
        var receivers: [String: any EventReceiver] = [:]
        for webhook in settings.webhooks {
            receivers[GatewayInterface.consumer(webhook: webhook.name)] = Webhook(webhook, box: settings.box)
        }
        broker = try settings.broker.map { told throws(ServingError) in
            try Broker(told, box: settings.box, run: run, desk: desk, log: log)
        }
        if let broker { receivers["mqtt"] = broker } else { Broker.forget(in: run) }
        self.receivers = receivers
        guard let rest = settings.rest, let web = doors.web else {
            (server, certificateEnd) = (nil, nil)
            return
        }
        let server = try RestServer(rest, socket: web.socket.descriptor, desk: desk, log: log)
        (self.server, certificateEnd) = (server, try server.certificateEnd())
    }

    /// Of messages by MQTT; nil without a broker.
    var refusedInputs: Int64? { broker?.refusedInputs }

    func run() async throws {
        broker?.start()
        do { try await serve() } catch {
            await broker?.stop()
            throw error
        }
        await broker?.stop()
    }

    private func serve() async throws {
        guard let server else { return try await gracefulShutdown() }
        try await server.run()
    }
}
