import CCurl
import Synchronization

/// The one thread that libcurl's connections are on: admits requests, moves bytes, watches over what does not move.
final class TransferLoop: Sendable {
    private struct Inbox {
        var waiting: [Transfer] = []
        var isClosing = false
    }

    /// How often what is under way is looked at: stops and stalls are noticed within it.
    private static let look = Duration.milliseconds(250)
    private static let idle = Duration.seconds(60)
    /// libcurl's own, once a process.
    private static let isReady = cvr_curl_start() == CURLE_OK

    private let limit: Int
    private let inbox = Mutex(Inbox())
    /// `curl_multi_wakeup` may be called on any thread; all else is `run`'s.
    nonisolated(unsafe) private let multi: UnsafeMutableRawPointer?

    init(connections: Int) {
        limit = connections
        multi = Self.isReady ? curl_multi_init() : nil
        guard let multi else { return }
        cvr_curl_set_multi(multi, CURLMOPT_MAXCONNECTS, connections)
        cvr_curl_set_multi(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections)
    }

    deinit { if let multi { curl_multi_cleanup(multi) } }

    func submit(_ transfer: Transfer) {
        let isClosing = inbox.withLock { inbox in
            if !inbox.isClosing, multi != nil { inbox.waiting.append(transfer) }
            return inbox.isClosing || multi == nil
        }
        guard !isClosing else { return transfer.finish(.failed(Self.closed(transfer))) }
        wake()
    }

    /// Ends `run`, and every request with it.
    func close() {
        inbox.withLock { $0.isClosing = true }
        wake()
    }

    /// The thread's whole life.
    func run() {
        guard let multi else { return }
        var active: [UnsafeMutableRawPointer: EasyHandle] = [:]
        while !inbox.withLock({ $0.isClosing }) {
            admit(&active, multi)
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            collect(&active, multi)
            let pause = watch(&active, multi)
            curl_multi_poll(multi, nil, 0, Int32(clamping: pause.wholeMilliseconds), nil)
        }
        for handle in active.values { end(handle, .failed(Self.closed(handle.transfer)), multi) }
        for transfer in inbox.withLock({ $0.waiting }) { transfer.finish(.failed(Self.closed(transfer))) }
    }

    private func wake() { if let multi { curl_multi_wakeup(multi) } }

    private func admit(_ active: inout [UnsafeMutableRawPointer: EasyHandle], _ multi: UnsafeMutableRawPointer) {
        while active.count < limit, let next = inbox.withLock({ $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }) {
            if let verdict = next.verdict(at: .now) {
                next.finish(.failed(verdict))
                continue
            }
            guard let handle = EasyHandle(next), curl_multi_add_handle(multi, handle.handle) == CURLM_OK else {
                next.finish(.failed(next.failure(.other, "no memory", nextStep: "see the log; it is retried")))
                continue
            }
            active[handle.handle] = handle
        }
    }

    private func collect(_ active: inout [UnsafeMutableRawPointer: EasyHandle], _ multi: UnsafeMutableRawPointer) {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left)?.pointee {
            guard message.msg == CURLMSG_DONE,
                let handle = message.easy_handle.flatMap({ active.removeValue(forKey: $0) })
            else { continue }
            end(handle, handle.outcome(message.data.result), multi)
        }
    }

    /// Ends what must end, lets go on what waited; how long until there may be more to do.
    private func watch(
        _ active: inout [UnsafeMutableRawPointer: EasyHandle], _ multi: UnsafeMutableRawPointer
    ) -> Duration {
        let now = ContinuousClock.now
        for (key, handle) in active {
            if let verdict = handle.transfer.verdict(at: now) {
                active[key] = nil
                end(handle, .failed(verdict), multi)
            } else if handle.transfer.isDue(at: now) {
                cvr_curl_resume(handle.handle)
            }
        }
        if active.count < limit, inbox.withLock({ !$0.waiting.isEmpty }) { return .milliseconds(1) }
        guard !active.isEmpty else { return Self.idle }
        let resumptions = active.values.compactMap(\.transfer.resumption).map { $0 - now }
        return max(.milliseconds(1), min(Self.look, resumptions.min() ?? Self.look))
    }

    /// A connection that is in the middle of something is closed, any other one kept.
    private func end(_ handle: EasyHandle, _ outcome: Transfer.Outcome, _ multi: UnsafeMutableRawPointer) {
        curl_multi_remove_handle(multi, handle.handle)
        handle.transfer.finish(outcome)
    }

    private static func closed(_ transfer: Transfer) -> HTTPFailure {
        transfer.failure(.stopped, "the client is closed", nextStep: "none; it is done later")
    }
}
