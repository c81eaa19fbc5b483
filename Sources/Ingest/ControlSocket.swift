internal import CLinux
package import Messages
package import Recording
internal import SegmentStore

/// A worker's end of the channel to cvrd: its own listening socket and one connection at a time.
///
/// Owned by the recording loop and never blocks it. The worker does not need a supervisor (I5): without one messages
/// are dropped, with a slow one progress is dropped first, and everything else is on disk anyway; the next cvrd is
/// told in sum what was missed.
package final class ControlSocket {
    /// A supervisor that reads nothing for so long has lost the rest; the disk has it.
    static let largestBacklog = 256 << 10
    /// A cvrd that says nothing for so long is told who we are all the same.
    static let greetingPatience = TimeSpan.seconds(1)

    private let listener: Int32
    private let path: String
    /// The lock of cvrd, which names it; -1 without one.
    ///
    /// Opened before the sandbox closes: the file stays the same one.
    private let supervisorLock: Int32
    private var connection: Int32 = -1
    private var received: [UInt8] = []
    private var unsent: [UInt8] = []
    /// What the connection is spoken in; nil before hello was said.
    private var version: UInt8?
    private var acceptedAt = MonotonicTime(microseconds: 0)
    private var unreported = Unreported()

    /// Binds `path`, replacing what an earlier process left there; `supervisorLock` is where cvrd names itself.
    package init(path: String, supervisorLock: String? = nil) throws(StartError) {
        self.path = path
        self.supervisorLock = supervisorLock.map { cvr_open($0, O_RDONLY | O_NOFOLLOW, 0) } ?? -1
        // Bound under a name of its own first, one that is no longer: whoever connects to `path` meets a listener. The
        // slot's lock keeps others away from both.
        let temporary = String(path.dropLast()) + "~"
        guard let address = SocketAddress(temporary) else {
            throw StartError("bind", path, errno: ENAMETOOLONG, nextStep: "set a shorter runtime: { path: … }")
        }
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Self.nonBlocking, 0)
        unlink(temporary)
        let mask = umask(0o177)
        defer { umask(mask) }
        guard listener >= 0, address.bind(listener) == 0, listen(listener, 8) == 0, rename(temporary, path) == 0 else {
            throw StartError("bind", path, errno: cvr_errno(), nextStep: "check that the runtime directory is writable")
        }
    }

    deinit {
        if connection >= 0 { close(connection) }
        close(listener)
        if supervisorLock >= 0 { close(supervisorLock) }
        unlink(path)
    }

    package var isConnected: Bool { connection >= 0 }

    /// Sleeps until something arrives, a signal comes or `milliseconds` have passed.
    package func wait(milliseconds: Int32) {
        var watched = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
        let events = Int16(POLLIN) | (unsent.isEmpty ? 0 : Int16(POLLOUT))
        if connection >= 0 { watched.append(pollfd(fd: connection, events: events, revents: 0)) }
        poll(&watched, nfds_t(watched.count), milliseconds)
    }

    /// Accepts, reads and writes whatever is possible at once; `greeting` is what a new connection hears first.
    package func service(
        at now: MonotonicTime, wall: WallTime, greeting: () -> [IngestToSupervisor]
    ) -> [SupervisorToIngest] {
        while let newer = accept() {
            disconnect()
            connection = newer
            acceptedAt = now
        }
        let contents = read()
        // The first to speak is cvrd: an older one would hang up on a version that it does not know.
        if connection >= 0, version == nil {
            let theirs = contents.first.flatMap { Frame.version(of: $0) }
            if theirs != nil || now - acceptedAt >= Self.greetingPatience {
                version = theirs ?? Frame.version
                for message in greeting() { send(message, wall: wall) }
            }
        }
        let messages = understood(contents)
        if version != nil, unsent.isEmpty { for event in unreported.take() { send(event, wall: wall) } }
        write()
        return messages
    }

    /// Never waits; `wall` dates what nobody is there to hear.
    package func send(_ message: IngestToSupervisor, wall: WallTime) {
        guard connection >= 0, let version else { return unreported.add(message, at: wall) }
        if case .progress = message, !unsent.isEmpty { return }
        let frame = message.frame(in: version)
        guard unsent.count + frame.count <= Self.largestBacklog else { return unreported.add(message, at: wall) }
        unsent += frame
        write()
    }

    private func accept() -> Int32? {
        let new = cvr_accept(listener)
        guard new >= 0 else { return nil }
        var (pid, uid, gid): (pid_t, uid_t, gid_t) = (0, 0, 0)
        guard cvr_peer(new, &pid, &uid, &gid) == 0, uid == geteuid() || uid == 0, mayBeSupervisor(pid) else {
            close(new)
            return nil
        }
        return new
    }

    /// False for anybody but cvrd while that lives: a captured process of our user would else stop its neighbours (I1).
    ///
    /// Who is gone has no folder in `/proc`, of which `stat` is all that the sandbox leaves. An older cvrd names nobody.
    private func mayBeSupervisor(_ pid: pid_t) -> Bool {
        var line = [UInt8](repeating: 0, count: LockHolder.lineLength)
        guard supervisorLock >= 0, pread(supervisorLock, &line, line.count, 0) == line.count,
            let supervisor = LockHolder(line: line)?.pid, supervisor != pid
        else { return true }
        var facts = stat()
        return stat("/proc/\(supervisor)", &facts) != 0
    }

    /// The contents of whole frames.
    private func read() -> [[UInt8]] {
        var contents: [[UInt8]] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while connection >= 0 {
            let count = recv(connection, &chunk, chunk.count, 0)
            if count < 0, [EAGAIN, EINTR].contains(cvr_errno()) { break }
            guard count > 0 else {
                disconnect()
                break
            }
            received += chunk.prefix(count)
            do throws(MessageError) {
                while let content = try Frame.next(in: &received) { contents.append(content) }
            } catch {
                disconnect()
            }
        }
        return contents
    }

    private func understood(_ contents: [[UInt8]]) -> [SupervisorToIngest] {
        var messages: [SupervisorToIngest] = []
        do throws(MessageError) {
            for content in contents { messages.append(try SupervisorToIngest(content: content)) }
        } catch {
            // Records on, and waits for a supervisor that speaks its language.
            disconnect()
        }
        return messages
    }

    private func write() {
        while connection >= 0, !unsent.isEmpty {
            let count = CLinux.send(connection, unsent, unsent.count, Int32(MSG_NOSIGNAL))
            if count < 0, [EAGAIN, EINTR].contains(cvr_errno()) { return }
            guard count > 0 else {
                disconnect()
                return
            }
            unsent.removeFirst(count)
        }
    }

    private func disconnect() {
        if connection >= 0 { close(connection) }
        connection = -1
        version = nil
        received = []
        unsent = []
    }

    private static let nonBlocking = Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
}

/// The address of a Unix socket; nil when the path does not fit.
private struct SocketAddress {
    private var address = sockaddr_un()

    init?(_ path: String) {
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count < MemoryLayout.size(ofValue: address.sun_path), !bytes.contains(0) else {
            return nil
        }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    }

    func bind(_ socket: Int32) -> Int32 {
        withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                CLinux.bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}

/// Why a worker cannot begin: what it tried, on what, and what the operator does next.
package struct StartError: Error, Hashable, Sendable, CustomStringConvertible {
    package let operation: String
    package let thing: String
    package let errno: Int32
    package let nextStep: String

    package init(_ operation: String, _ thing: String, errno: Int32, nextStep: String) {
        self.operation = operation
        self.thing = thing
        self.errno = errno
        self.nextStep = nextStep
    }

    package var description: String {
        "cannot \(operation) \(thing): \(String(cString: strerror(errno))); \(nextStep)"
    }
}
