import CMosquitto
import Glibc
import Messages
import Recording
import Synchronization

/// One connection to a broker, from its first packet to its end; another one is another session.
///
/// `run` is one thread's, whose callbacks libmosquitto makes on it; everybody may publish.
final class BrokerSession: Sendable {
    /// Who hears of it, on the session's thread: nobody there may block.
    struct Hooks: Sendable {
        /// Everything is subscribed to.
        var isReady: @Sendable (BrokerSession) -> Void
        /// A message's topic and bytes; nil for one that is longer than `longest`.
        var received: @Sendable (BrokerSession, String, [UInt8]?) -> Void
    }

    /// Of what is sent to us.
    static let longest = 1 << 20
    /// Seconds without a packet until one is asked for; twice as many end the session.
    private static let keepAlive: Int32 = 20

    /// Messages that are waited for together.
    private struct Batch {
        var missing: Set<Int32> = []
        /// By their place among the others.
        var taken: Set<Int> = []
        let continuation: CheckedContinuation<Int, Never>
    }

    private struct State {
        var batches: [Int: Batch] = [:]
        var nextBatch = 0
        /// By their identifiers.
        var messages: [Int32: (batch: Int, place: Int)] = [:]
        var subscriptions: Set<Int32> = []
        var refusal: String?
        var isOver = false
    }

    /// Made and freed by us; libmosquitto has its own locks.
    nonisolated(unsafe) private let client: OpaquePointer
    private let settings: GatewayInterface.Broker
    private let topics: BrokerTopics
    private let hooks: Hooks
    private let obstacle: String?
    private let state = Mutex(State())

    /// `authority` is the path of a PEM file.
    ///
    /// Nil when there is no memory for it.
    init?(_ settings: GatewayInterface.Broker, authority: String?, topics: BrokerTopics, hooks: Hooks) {
        // A name of its own, so that the broker keeps what arrives for us while we are away.
        guard let client = mosquitto_new("\(settings.device)/\(settings.module)", false, nil) else { return nil }
        self.client = client
        self.settings = settings
        self.topics = topics
        self.hooks = hooks
        obstacle = Self.prepare(client, settings, authority)
    }

    /// Why the session must not begin; nil when all of it is set: without TLS, a password would go in the clear.
    private static func prepare(
        _ client: OpaquePointer, _ settings: GatewayInterface.Broker, _ authority: String?
    ) -> String? {
        mosquitto_threaded_set(client, true)
        var code = MOSQ_ERR_SUCCESS.rawValue.signed
        if let username = settings.username {
            code = mosquitto_username_pw_set(client, username, settings.password?.revealed())
        }
        if code == MOSQ_ERR_SUCCESS.rawValue.signed, settings.isTLS {
            code =
                authority.map { mosquitto_tls_set(client, $0, nil, nil, nil, nil) }
                ?? mosquitto_int_option(client, MOSQ_OPT_TLS_USE_OS_CERTS, 1)
        }
        let number = errno
        return code == MOSQ_ERR_SUCCESS.rawValue.signed
            ? nil : "the connection cannot be secured as configured: \(words(code, number))"
    }

    deinit { mosquitto_destroy(client) }

    // MARK: The thread

    /// Connects and serves the connection; returns why it ended.
    func run() -> String {
        mosquitto_user_data_set(client, Unmanaged.passUnretained(self).toOpaque())
        setCallbacks()
        if let obstacle {
            state.withLock { $0.isOver = true }
            return obstacle
        }
        var code = mosquitto_connect(client, settings.host, Int32(clamping: settings.port), Self.keepAlive)
        var number = errno
        while code == MOSQ_ERR_SUCCESS.rawValue.signed {
            code = mosquitto_loop(client, 1000, 1)
            number = errno
        }
        let refusal = state.withLock { state in
            state.isOver = true
            return state.refusal
        }
        settle()
        return refusal ?? Self.words(code, number)
    }

    /// Ends `run` soon.
    func end() { mosquitto_disconnect(client) }

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
            state.withLock { state in
                var id: Int32 = 0
                if mosquitto_subscribe(client, &id, topic, quality) == MOSQ_ERR_SUCCESS.rawValue.signed {
                    state.subscriptions.insert(id)
                }
            }
        }
    }

    private func subscribed(_ id: Int32, isGranted: Bool) {
        let isReady = state.withLock { state in
            if !isGranted { state.refusal = "the broker refused a subscription" }
            state.subscriptions.remove(id)
            return state.subscriptions.isEmpty && state.refusal == nil
        }
        if isReady { hooks.isReady(self) } else if !isGranted { mosquitto_disconnect(client) }
    }

    private func received(_ message: mosquitto_message) {
        // What was kept for whoever subscribes later is no call of now.
        guard !message.retain, let text = message.topic else { return }
        let count = Int(message.payloadlen)
        let bytes =
            count <= Self.longest ? Array(UnsafeRawBufferPointer(start: message.payload, count: max(0, count))) : nil
        hooks.received(self, String(cString: text), bytes)
    }

    // MARK: Publishing

    /// Sends messages, each at least once and in order; how many of them, from the first on, the broker has taken when all
    /// are, or when the session is over.
    func publish(_ messages: [(topic: String, payload: [UInt8])]) async -> Int {
        await withCheckedContinuation { continuation in
            state.withLock { state in
                var batch = Batch(continuation: continuation)
                state.nextBatch += 1
                for (place, message) in messages.enumerated() where !state.isOver {
                    var id: Int32 = 0
                    let code = mosquitto_publish(
                        client, &id, message.topic, Int32(clamping: message.payload.count), message.payload, 1, false)
                    guard code == MOSQ_ERR_SUCCESS.rawValue.signed else { break }
                    batch.missing.insert(id)
                    state.messages[id] = (state.nextBatch, place)
                }
                state.batches[state.nextBatch] = batch
            }
            settle()
        }
    }

    /// Sends what nobody waits for.
    func send(_ topic: String, _ payload: [UInt8]) {
        _ = mosquitto_publish(client, nil, topic, Int32(clamping: payload.count), payload, 0, false)
    }

    private func published(_ id: Int32) {
        state.withLock { state in
            guard let message = state.messages.removeValue(forKey: id) else { return }
            state.batches[message.batch]?.missing.remove(id)
            state.batches[message.batch]?.taken.insert(message.place)
        }
        settle()
    }

    /// Answers whoever waits for a batch, once there is nothing more to come.
    private func settle() {
        let done = state.withLock { state in
            let done = state.batches.filter { state.isOver || $0.value.missing.isEmpty }
            for key in done.keys { state.batches[key] = nil }
            return Array(done.values)
        }
        for batch in done {
            // What was taken behind one that was not comes again, so that the order holds.
            batch.continuation.resume(returning: (0...).first { !batch.taken.contains($0) } ?? 0)
        }
    }

    // MARK: Words

    private static func words(_ code: Int32, _ number: Int32) -> String {
        guard code == MOSQ_ERR_ERRNO.rawValue.signed else { return String(cString: mosquitto_strerror(code)) }
        return String(cString: strerror(number))
    }
}

extension Int32 {
    fileprivate var signed: Int32 { self }
}

extension UInt32 {
    fileprivate var signed: Int32 { Int32(clamping: self) }
}
