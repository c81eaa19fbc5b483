import CMosquitto
import Glibc
import Messages
import Recording
import Synchronization

/// One connection to a broker, from its first packet to its end; another one is another session.
///
/// `run` is one thread's, whose callbacks libmosquitto makes on it; everybody may publish.
final class BrokerSession: Sendable {
    /// Who hears of it, on the session's thread.
    struct Hooks: Sendable {
        /// Everything is subscribed to.
        var isReady: @Sendable (BrokerSession) -> Void
        /// A message's topic and bytes; nil for one that is longer than `longest`.
        ///
        /// It is acknowledged when this returns nil; else the session ends for the reason that is returned, and the broker
        /// keeps the message.
        var received: @Sendable (BrokerSession, String, [UInt8]?) -> String?
    }

    /// Of what is sent to us.
    static let longest = 1 << 20
    /// Seconds without a packet until one is asked for; twice as many end the session.
    private static let keepAlive: Int32 = 20
    /// For a broker that lives to acknowledge a message.
    static let patience = Duration.seconds(30)
    /// What has lived so long is no session that the broker ends at once.
    private static let proof = Duration.seconds(10)

    /// Why a session is over.
    struct Ending: Sendable {
        var why: String
        /// It was of some use, or lived for some time.
        var isProven: Bool
    }

    /// What became of messages.
    enum Published: Hashable, Sendable {
        /// So many of them, from the first on, are with the broker.
        case taken(Int)
        /// The first cannot be sent to any broker, and none was.
        case impossible(String)
    }

    /// Messages that are waited for together.
    private struct Batch {
        var missing: Set<Int32> = []
        /// By their place among the others.
        var taken: Set<Int> = []
        /// Why no broker can be sent the first.
        var impossible: String?
        let since = ContinuousClock.now
        let continuation: CheckedContinuation<Published, Never>
    }

    private struct State {
        var batches: [Int: Batch] = [:]
        var nextBatch = 0
        /// By their identifiers.
        var messages: [Int32: (batch: Int, place: Int)] = [:]
        var subscriptions: Set<Int32> = []
        /// Why we end it.
        var refusal: String?
        var readyAt: ContinuousClock.Instant?
        var isProven = false
        /// An event was handed to libmosquitto.
        var hasSent = false
        var isEnding = false
        var isOver = false
    }

    /// Made and freed by us; libmosquitto has its own locks.
    nonisolated(unsafe) private let client: OpaquePointer
    private let settings: GatewayInterface.Broker
    private let topics: BrokerTopics
    private let hooks: Hooks
    private let obstacle: String?
    private let patience: Duration
    private let state = Mutex(State())

    /// `authority` is the path of a PEM file.
    ///
    /// Nil when there is no memory for it.
    init?(
        _ settings: GatewayInterface.Broker, authority: String?, topics: BrokerTopics, hooks: Hooks,
        patience: Duration = patience
    ) {
        // A name of its own, so that the broker keeps what arrives for us while we are away.
        guard let client = mosquitto_new("\(settings.device)/\(settings.module)", false, nil) else { return nil }
        self.client = client
        self.settings = settings
        self.topics = topics
        self.hooks = hooks
        self.patience = patience
        obstacle = Self.prepare(client, settings, authority)
    }

    /// Why the session must not begin; nil when all of it is set: without TLS, a password would go in the clear.
    private static func prepare(
        _ client: OpaquePointer, _ settings: GatewayInterface.Broker, _ authority: String?
    ) -> String? {
        mosquitto_threaded_set(client, true)
        var code = MOSQ_ERR_SUCCESS.rawValue
        if let username = settings.username {
            code = mosquitto_username_pw_set(client, username, settings.password?.revealed())
        }
        if code == MOSQ_ERR_SUCCESS.rawValue, settings.isTLS {
            code =
                authority.map { mosquitto_tls_set(client, $0, nil, nil, nil, nil) }
                ?? mosquitto_int_option(client, MOSQ_OPT_TLS_USE_OS_CERTS, 1)
        }
        let number = errno
        return code == MOSQ_ERR_SUCCESS.rawValue
            ? nil : "the connection cannot be secured as configured: \(words(code, number))"
    }

    deinit { mosquitto_destroy(client) }

    // MARK: The thread

    /// Connects and serves the connection, until it ends.
    func run() -> Ending {
        mosquitto_user_data_set(client, Unmanaged.passUnretained(self).toOpaque())
        setCallbacks()
        var (code, number) = (MOSQ_ERR_SUCCESS.rawValue, errno)
        if obstacle == nil, !isToEnd() {
            code = mosquitto_connect(client, settings.host, Int32(clamping: settings.port), Self.keepAlive)
            number = errno
            // Its farewell is sent, where that can be.
            var rounds = 2
            while code == MOSQ_ERR_SUCCESS.rawValue, rounds > 0 {
                code = mosquitto_loop(client, 1000, 1)
                number = errno
                // The acknowledgement of one input leaves before the next is read.
                if code == MOSQ_ERR_SUCCESS.rawValue, mosquitto_want_write(client) {
                    code = mosquitto_loop_write(client, 1)
                    number = errno
                }
                if isToEnd() { rounds -= 1 }
            }
        }
        let (refusal, isProven) = state.withLock { state in
            state.isOver = true
            let age = state.readyAt.map { ContinuousClock.now - $0 } ?? .zero
            return (obstacle ?? state.refusal, state.isProven || age > Self.proof)
        }
        settle()
        return Ending(why: refusal ?? Self.words(code, number), isProven: isProven)
    }

    private func isToEnd() -> Bool {
        state.withLock { state in
            if let oldest = state.batches.values.map(\.since).min(), ContinuousClock.now - oldest > patience {
                state.refusal = "it has not acknowledged an event for \(patience.components.seconds) s"
                state.isEnding = true
            }
            return state.isEnding
        }
    }

    /// It is over after an event was sent, and its other end wanted that, or the network.
    var isBroken: Bool { state.withLock { $0.isOver && $0.hasSent && $0.refusal == nil && !$0.isEnding } }

    /// Ends `run` soon.
    func end() {
        state.withLock { $0.isEnding = true }
        mosquitto_disconnect(client)
    }

    /// Ends `run`, and with it whatever was to be sent: of acknowledgements too.
    ///
    /// The session's thread only.
    private func cut(_ why: String) {
        state.withLock { state in
            state.refusal = why
            state.isEnding = true
        }
        breakOff()
    }

    private func breakOff() { shutdown(mosquitto_socket(client), Int32(SHUT_RDWR)) }

    private func setCallbacks() {
        mosquitto_connect_callback_set(client) { _, session, code in BrokerSession.of(session)?.connected(code) }
        mosquitto_subscribe_callback_set(client) { _, session, id, count, granted in
            BrokerSession.of(session)?.subscribed(id, isGranted: count > 0 && (granted?.pointee ?? 128) < 128)
        }
        mosquitto_publish_callback_set(client) { _, session, id in BrokerSession.of(session)?.published(id) }
        mosquitto_message_callback_set(client) { _, session, message in
            guard let message else { return }
            BrokerSession.of(session)?.received(message.pointee)
        }
    }

    private static func of(_ pointer: UnsafeMutableRawPointer?) -> BrokerSession? {
        pointer.map { Unmanaged<BrokerSession>.fromOpaque($0).takeUnretainedValue() }
    }

    private func connected(_ code: Int32) {
        guard code == 0 else {
            state.withLock { $0.refusal = String(cString: mosquitto_connack_string(code)) }
            mosquitto_disconnect(client)
            return
        }
        for (topic, quality) in topics.subscriptions {
            let code = state.withLock { state in
                var id: Int32 = 0
                let code = mosquitto_subscribe(client, &id, topic, quality)
                if code == MOSQ_ERR_SUCCESS.rawValue { state.subscriptions.insert(id) }
                return code
            }
            // Without its subscriptions it would never be ready.
            guard code == MOSQ_ERR_SUCCESS.rawValue else {
                return cut("the subscription cannot be asked for: \(Self.words(code, errno))")
            }
        }
    }

    private func subscribed(_ id: Int32, isGranted: Bool) {
        let isReady = state.withLock { state in
            if !isGranted { state.refusal = "the broker refused a subscription" }
            state.subscriptions.remove(id)
            let isReady = state.subscriptions.isEmpty && state.refusal == nil
            if isReady { state.readyAt = .now }
            return isReady
        }
        if isReady { hooks.isReady(self) } else if !isGranted { mosquitto_disconnect(client) }
    }

    private func received(_ message: mosquitto_message) {
        // Nobody takes it any more: no acknowledgement may go out either.
        if state.withLock({ $0.isEnding }) { return breakOff() }
        // What was kept for whoever subscribes later is no call of now.
        guard !message.retain, let text = message.topic else { return }
        let count = Int(message.payloadlen)
        let bytes =
            count <= Self.longest ? Array(UnsafeRawBufferPointer(start: message.payload, count: max(0, count))) : nil
        if let why = hooks.received(self, String(cString: text), bytes) { return cut(why) }
        state.withLock { $0.isProven = true }
    }

    // MARK: Publishing

    /// Sends messages, each at least once and in order; returns when the broker has taken all, or the session is over,
    /// which it is too when one of them cannot be sent now.
    func publish(_ messages: [(topic: String, payload: [UInt8])]) async -> Published {
        await withCheckedContinuation { continuation in
            state.withLock { state in
                var batch = Batch(continuation: continuation)
                state.nextBatch += 1
                for (place, message) in messages.enumerated() where !state.isOver {
                    var id: Int32 = 0
                    let code = mosquitto_publish(
                        client, &id, message.topic, Int32(clamping: message.payload.count), message.payload, 1, false)
                    guard code == MOSQ_ERR_SUCCESS.rawValue else {
                        let words = Self.words(code, errno)
                        // Those before it are waited for.
                        if place == 0, Self.isOfMessage(code) {
                            batch.impossible = words
                        } else if place == 0 {
                            fail(&state, "an event cannot be sent: \(words)")
                        }
                        break
                    }
                    state.hasSent = true
                    batch.missing.insert(id)
                    state.messages[id] = (state.nextBatch, place)
                }
                state.batches[state.nextBatch] = batch
            }
            settle()
        }
    }

    /// What libmosquitto has against a message, whatever the connection: a topic that is too long, bytes that are no text.
    private static func isOfMessage(_ code: Int32) -> Bool {
        [MOSQ_ERR_INVAL, MOSQ_ERR_PAYLOAD_SIZE, MOSQ_ERR_MALFORMED_UTF8, MOSQ_ERR_OVERSIZE_PACKET]
            .contains { $0.rawValue == code }
    }

    private func fail(_ state: inout State, _ why: String) {
        (state.refusal, state.isEnding) = (why, true)
        mosquitto_disconnect(client)
    }

    /// Sends what nobody waits for.
    func send(_ topic: String, _ payload: [UInt8]) {
        _ = mosquitto_publish(client, nil, topic, Int32(clamping: payload.count), payload, 0, false)
    }

    private func published(_ id: Int32) {
        state.withLock { state in
            guard let message = state.messages.removeValue(forKey: id) else { return }
            state.isProven = true
            state.batches[message.batch]?.missing.remove(id)
            state.batches[message.batch]?.taken.insert(message.place)
        }
        settle()
    }

    /// Answers whoever waits for a batch, once there is nothing more to come.
    private func settle() {
        let done = state.withLock { state in
            // One of which nothing could be sent is done with the session.
            let done = state.batches.filter { _, batch in
                state.isOver || batch.impossible != nil || batch.missing.isEmpty && !batch.taken.isEmpty
            }
            for key in done.keys { state.batches[key] = nil }
            return Array(done.values)
        }
        for batch in done {
            // What was taken behind one that was not comes again, so that the order holds.
            let taken = (0...).first { !batch.taken.contains($0) } ?? 0
            batch.continuation.resume(returning: batch.impossible.map { .impossible($0) } ?? .taken(taken))
        }
    }

    // MARK: Words

    private static func words(_ code: Int32, _ number: Int32) -> String {
        guard code == MOSQ_ERR_ERRNO.rawValue else { return String(cString: mosquitto_strerror(code)) }
        return String(cString: strerror(number))
    }
}
