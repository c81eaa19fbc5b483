import CMosquitto
import Dispatch
import Foundation
import Glibc
import JSON
import Logging
import Messages
import Synchronization

/// An MQTT broker, in the place of IoT Hub: events go to it, direct methods and messages come from it.
///
/// A thread of its own connects, and connects again when a session ends.
final class Broker: EventReceiver {
    let condition = Condition(isConnecting: true)
    private let settings: GatewayInterface.Broker
    private let box: String
    private let authority: String?
    private let topics: BrokerTopics
    private let calls: BrokerCalls
    private let log: Logger

    private struct State {
        /// That of the thread; connected when `isReady`.
        var session: BrokerSession?
        var isReady = false
        var isStopping = false
        var bells: [UInt64: AsyncStream<Void>.Continuation] = [:]
        var nextBell: UInt64 = 0
        var backoff = Backoff()
    }

    private let state = Mutex(State())
    private let stopped = DispatchSemaphore(value: 0)

    /// Writes the authority's certificate, which is no secret, into the run directory: libmosquitto reads it from a file.
    init(
        _ settings: GatewayInterface.Broker, box: String, run: String, desk: RequestDesk, log: Logger
    ) throws(GatewayError) {
        self.settings = settings
        self.box = box
        self.log = log
        topics = BrokerTopics(device: settings.device, module: settings.module)
        calls = BrokerCalls(topics: topics, desk: desk)
        guard settings.isTLS, let pem = settings.certificateAuthority else {
            authority = nil
            return
        }
        let path = run + "/broker-authority.pem"
        do { try pem.write(toFile: path, atomically: true, encoding: .utf8) } catch {
            throw GatewayError(
                .file, "\(path) cannot be written: \(error)", nextStep: "free space in the runtime directory")
        }
        authority = path
    }

    // MARK: Life

    func start() {
        mosquitto_lib_init()
        let thread = Thread { [self] in work() }
        thread.name = "mqtt"
        thread.start()
    }

    func stop() {
        let session = state.withLock { state in
            state.isStopping = true
            return state.session
        }
        session?.end()
        stopped.signal()
    }

    private func work() {
        let hooks = BrokerSession.Hooks(
            isReady: { [weak self] _ in self?.isReady() },
            received: { [calls] session, topic, bytes in calls.take(topic, bytes, session) })
        while !state.withLock({ $0.isStopping }) {
            let session = BrokerSession(settings, authority: authority, topics: topics, hooks: hooks)
            state.withLock { $0.session = session }
            let why = session?.run() ?? "no memory"
            let pause = state.withLock { state in
                (state.session, state.isReady) = (nil, false)
                return state.backoff.failed()
            }
            let place = "\(settings.host):\(settings.port)"
            condition.isAway(code: "brokerAway", "\(place): \(why)", nextStep: Self.advice(why, isTLS: settings.isTLS))
            log.info("MQTT broker \(place): \(why)")
            _ = stopped.wait(timeout: .now() + pause.seconds)
        }
    }

    private func isReady() {
        let bells = state.withLock { state in
            state.isReady = true
            state.backoff.succeeded()
            return Array(state.bells.values)
        }
        condition.isReady()
        log.info("MQTT broker \(settings.host):\(settings.port): connected")
        for bell in bells { bell.yield() }
    }

    private static func advice(_ why: String, isTLS: Bool) -> String {
        let words = why.lowercased()
        if words.contains("user name") || words.contains("authori") {
            return "Correct username and credential of gateway.mqtt, and run `cvrctl reload`"
        }
        if words.contains("tls") {
            return "Check the broker's certificate, and certificateAuthority of gateway.mqtt"
        }
        if words.contains("subscription") {
            return "Let this user read $iothub/methods/POST/# and the inputs of its module at the broker"
        }
        return "None: it is tried again; if that does not help, check url of gateway.mqtt, the network and the broker"
    }

    // MARK: Events

    func deliver(_ events: [Admin.StoredEvent]) async throws -> Int64 {
        var messages: [(topic: String, payload: [UInt8])] = []
        // Up to which the events are taken once so many messages are.
        var marks: [Int64] = [0]
        for event in events {
            if let message = EventMessage(event, box: box), let topic = topic(of: message) {
                messages.append((topic, Array(message.event.body.text.utf8)))
                marks.append(event.sequence)
            } else if let last = marks.indices.last {
                // Nobody is to get it.
                marks[last] = event.sequence
            }
        }
        guard !messages.isEmpty else { return marks.last ?? 0 }
        while true {
            let taken = await (try session()).publish(messages)
            if let mark = marks.dropFirst(taken).first, mark > 0 { return mark }
        }
    }

    private func topic(of message: EventMessage) -> String? {
        let output = message.output(
            operational: settings.operationalOutput, diagnostics: settings.diagnosticsOutput)
        return output.isEmpty ? nil : topics.event(message, output: output)
    }

    /// One that is connected, as soon as there is; throws when the caller waits no more.
    private func session() async throws -> BrokerSession {
        let (stream, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let key = state.withLock { state in
            state.nextBell += 1
            state.bells[state.nextBell] = bell
            return state.nextBell
        }
        defer { state.withLock { $0.bells[key] = nil } }
        var rings = stream.makeAsyncIterator()
        while true {
            if let session = state.withLock({ $0.isReady ? $0.session : nil }) { return session }
            guard await rings.next() != nil else { throw CancellationError() }
        }
    }
}

extension Duration {
    fileprivate var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
