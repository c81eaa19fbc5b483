import CLinux
import Dispatch
import Isolation

/// One cvr-preview from its start to its end: bytes in, bytes out.
///
/// It is told how long it may take and ends itself: cvr-playback is shut in, and may signal nobody. Its result is waited
/// for a little longer, its end as long as it takes, so that no more of them run at a time than may.
struct PreviewRun: Sendable {
    /// Path of cvr-preview.
    var program: String
    /// In seconds.
    var limit: Int
    /// A longer result is not its own any more, in bytes.
    var largestResult: Int

    /// Feeds it `input` and returns what it wrote.
    ///
    /// Blocks no thread of Swift's: the bytes are moved on one of Dispatch's, of which each run takes one.
    func result(of input: [UInt8]) async throws(PreviewError) -> [UInt8] {
        let (process, socket) = try start()
        let deadline = ContinuousClock.now + .seconds(limit) + Self.slack
        let output = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                let exchange = SocketExchange(socket: socket, deadline: deadline, largestResult: largestResult)
                continuation.resume(returning: exchange.run(input))
            }
        }
        // Where it wrote to is closed: its end is near, or its alarm.
        let status = await process.exit()
        guard let output, let status else { throw .late }
        guard status == .exited(0), !output.isEmpty else { throw PreviewError(status) }
        return output
    }

    /// For its start, and for its end to be noticed.
    private static let slack = Duration.seconds(1)

    /// Our end of the socket that is its standard input and output, and the caller's to close.
    private func start() throws(PreviewError) -> (RunningProcess, Int32) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw PreviewError(
                code: .unavailable, message: "no socket for cvr-preview: \(String(cString: strerror(cvr_errno())))",
                nextStep: "raise the limit of open files (LimitNOFILE=)")
        }
        defer { close(ends[1]) }
        do throws(IsolationError) {
            let launch = Launch(executable: program, arguments: ["\(limit)"])
            return (try RunningProcess.spawn(launch, streams: (ends[1], ends[1])), ends[0])
        } catch {
            close(ends[0])
            throw PreviewError(error)
        }
    }
}

/// Gives all of an input to whoever is at the other end and takes all that comes back, both at a time.
private struct SocketExchange {
    let socket: Int32
    let deadline: ContinuousClock.Instant
    let largestResult: Int

    /// What came, to its end; nil when that took too long or was too long.
    ///
    /// Closes the socket.
    func run(_ input: [UInt8]) -> [UInt8]? {
        defer { close(socket) }
        var (sent, output) = (0, [UInt8]())
        if input.isEmpty { shutdown(socket, Int32(SHUT_WR)) }
        while let ready = wait(toSend: sent < input.count) {
            if ready & POLLOUT != 0, sent < input.count {
                sent += send(input[sent...])
                if sent == input.count { shutdown(socket, Int32(SHUT_WR)) }
            }
            guard ready & (POLLIN | POLLHUP | POLLERR) != 0 else { continue }
            guard let more = receive() else { return output }
            output += more
            guard output.count <= largestResult else { return nil }
        }
        return nil
    }

    /// What can be done; nil at the deadline.
    private func wait(toSend: Bool) -> Int32? {
        let left = deadline - .now
        guard left > .zero else { return nil }
        var entry = pollfd(fd: socket, events: Int16(POLLIN | (toSend ? POLLOUT : 0)), revents: 0)
        // Rounded up; a signal may end it early, and then there is nothing to do yet.
        return poll(&entry, 1, Int32(left / .milliseconds(1)) + 1) >= 0 ? Int32(entry.revents) : 0
    }

    /// How many bytes went; all of them when nobody listens any more: the exit code will say why.
    private func send(_ bytes: ArraySlice<UInt8>) -> Int {
        let flags = Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
        let count = bytes.withUnsafeBytes { CLinux.send(socket, $0.baseAddress, $0.count, flags) }
        if count < 0 { return [EAGAIN, EINTR].contains(cvr_errno()) ? 0 : bytes.count }
        return count
    }

    /// What there is; nil at the end.
    private func receive() -> [UInt8]? {
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, filled in
            count = recv(socket, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
            filled = max(count, 0)
        }
        if count < 0, [EAGAIN, EINTR].contains(cvr_errno()) { return [] }
        return count > 0 ? bytes : nil
    }
}
