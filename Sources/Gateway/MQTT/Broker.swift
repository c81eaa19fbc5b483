import CMosquitto
import Dispatch
import Foundation
import Glibc
import JSON
package import Logging
package import Messages
package import Serving
import Synchronization

/// An MQTT broker, in the place of IoT Hub: events go to it, direct methods and messages come from it.
///
/// A thread of its own connects, and connects again when a session ends; only while there is a cvrd that takes what
/// arrives, so that the broker keeps it meanwhile.
package final class Broker: EventReceiver {
    package let condition = Condition(isConnecting: true)
    private let settings: GatewayInterface.Broker
    private let box: String
    private let authority: String?
    private let topics: BrokerTopics
    private let desk: RequestDesk
    private let calls: BrokerCalls
    private let patience: Duration
    private let log: Logger

    private struct State {
        /// That of the thread; connected when `isReady`.
        var session: BrokerSession?
        var isReady = false
        var isStopping = false
        var refused: Refusals
        var bells: [UInt64: AsyncStream<Void>.Continuation] = [:]
        var nextBell: UInt64 = 0
        var backoff = Backoff()
    }

    private let state: Mutex<State>
    /// Something has changed for the thread.
    private let changed = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    /// Writes the authority's certificate, which is no secret, into the run directory: libmosquitto reads it from a file.
    ///
    /// `patience` is for an acknowledgement.
    package init(
        _ settings: GatewayInterface.Broker, box: String, run: String, desk: RequestDesk, log: Logger,
        refusals: Refusals = Refusals(), patience: Duration? = nil
    ) throws(ServingError) {
        self.settings = settings
        self.box = box
        self.desk = desk
        self.log = log
        self.patience = patience ?? BrokerSession.patience
        topics = BrokerTopics(device: settings.device, module: settings.module)
        calls = BrokerCalls(topics: topics, desk: desk, log: log)
        state = Mutex(State(refused: refusals))
        guard settings.isTLS, let pem = settings.certificateAuthority else {
            authority = nil
            Self.forget(in: run)
            return
        }
        let path = Self.authorityPath(run)
        do { try pem.write(toFile: path, atomically: true, encoding: .utf8) } catch {
            throw ServingError(
                .file, "\(path) cannot be written: \(error)", nextStep: "free space in the runtime directory")
        }
        authority = path
    }

    /// What an earlier configuration left in the run directory.
    static func forget(in run: String) { unlink(authorityPath(run)) }

    private static func authorityPath(_ run: String) -> String { run + "/broker-authority.pem" }

    /// Messages for inputs that were refused for good.
    var refusedInputs: Int64 { calls.refusedInputs }

    // MARK: Life

    package func start() {
        mosquitto_lib_init()
        desk.watch { [weak self] in self?.deskChanged() }
        let thread = Thread { [self] in work() }
        thread.name = "mqtt"
        thread.start()
    }

    /// Ends the session, and waits a second for that: a thread that still connects is left to the end of the process.
    package func stop() async {
        desk.watch(nil)
        let session = state.withLock { state in
            state.isStopping = true
            return state.session
        }
        leave(session)
        // Also for a caller that is cancelled.
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "mqtt.end").async { [ended] in
                _ = ended.wait(timeout: .now() + 1)
                continuation.resume()
            }
        }
    }

    /// Without cvrd the session ends: what arrives stays with the broker.
    private func deskChanged() {
        if desk.isRead {
            changed.signal()
        } else {
            leave(state.withLock { $0.session })
        }
    }

    private func leave(_ session: BrokerSession?) {
        session?.end()
        calls.leave()
        changed.signal()
    }

    private var isWanted: Bool { desk.isRead && !state.withLock { $0.isStopping } }

    private func work() {
        defer { ended.signal() }
        while !state.withLock({ $0.isStopping }) {
            guard isWanted else {
                condition.isConnecting()
                changed.wait()
                continue
            }
            let pause = serve()
            let end = DispatchTime.now() + pause
            while isWanted, changed.wait(timeout: end) == .success {}
        }
    }

    /// One session; returns how long to wait before the next.
    private func serve() -> Double {
        let hooks = BrokerSession.Hooks(
            isReady: { [weak self] _ in self?.isReady() },
            received: { [calls] session, topic, bytes in calls.take(topic, bytes, session) })
        let session = BrokerSession(settings, authority: authority, topics: topics, hooks: hooks, patience: patience)
        state.withLock { $0.session = session }
        // Whoever wanted it ended meanwhile did not see it.
        if !isWanted { session?.end() }
        let ending = session?.run() ?? BrokerSession.Ending(why: "no memory", isProven: false)
        let isWanted = isWanted
        let pause = state.withLock { state in
            (state.session, state.isReady) = (nil, false)
            if ending.isProven || !isWanted { state.backoff.succeeded() }
            return state.backoff.failed()
        }
        guard isWanted else { return 0 }
        let place = "\(settings.host):\(settings.port)"
        condition.isAway(
            code: "brokerAway", "\(place): \(ending.why)", nextStep: Self.advice(ending.why))
        log.info("MQTT broker \(place): \(ending.why)")
        return pause.seconds
    }

    private func isReady() {
        let bells = state.withLock { state in
            state.isReady = true
            return Array(state.bells.values)
        }
        condition.isReady()
        log.info("MQTT broker \(settings.host):\(settings.port): connected")
        for bell in bells { bell.yield() }
    }

    private static func advice(_ why: String) -> String {
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

    package func deliver(_ events: [Admin.StoredEvent]) async throws -> GatewayInterface.Delivered {
        var messages: [(topic: String, payload: [UInt8])] = []
        // Up to which the events are taken once so many messages are, and that of each message.
        var (marks, sequences): ([Int64], [Int64]) = ([0], [])
        for event in events {
            if let message = EventMessage(event, box: box), let topic = topic(of: message) {
                messages.append((topic, Array(message.event.body.text.utf8)))
                sequences.append(event.sequence)
                marks.append(event.sequence)
            } else if let last = marks.indices.last {
                // Nobody is to get it.
                marks[last] = event.sequence
            }
        }
        guard let first = sequences.first else { return GatewayInterface.Delivered(sequence: marks.last ?? 0) }
        var last: BrokerSession?
        while true {
            let session = try await session(after: last)
            last = session
            // One that a session ended at is sent alone: it is that one, or none.
            let isAlone = state.withLock { $0.refused.suspects(first) }
            let taken: Int
            switch await session.publish(isAlone ? Array(messages.prefix(1)) : messages) {
            case .taken(let count): taken = count
            case .impossible(let why):
                return GatewayInterface.Delivered(sequence: first, refusal: "it cannot be sent by MQTT: \(why)")
            }
            if let mark = marks.dropFirst(taken).first, mark > 0 { return GatewayInterface.Delivered(sequence: mark) }
            guard taken == 0, session.isBroken,
                state.withLock({ $0.refused.refused(first, isAlone: isAlone) })
            else { continue }
            return GatewayInterface.Delivered(
                sequence: first, refusal: "the broker at \(settings.host) ends each session at it")
        }
    }

    private func topic(of message: EventMessage) -> String? {
        let output = message.output(
            operational: settings.operationalOutput, diagnostics: settings.diagnosticsOutput)
        return output.isEmpty ? nil : topics.event(message, output: output)
    }

    /// One that is connected, as soon as there is, and another than `last`; throws when the caller waits no more.
    private func session(after last: BrokerSession?) async throws -> BrokerSession {
        let (stream, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let key = state.withLock { state in
            state.nextBell += 1
            state.bells[state.nextBell] = bell
            return state.nextBell
        }
        defer { state.withLock { $0.bells[key] = nil } }
        var rings = stream.makeAsyncIterator()
        while true {
            if let session = state.withLock({ $0.isReady ? $0.session : nil }), session !== last { return session }
            guard await rings.next() != nil else { throw CancellationError() }
        }
    }
}

extension Duration {
    fileprivate var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
