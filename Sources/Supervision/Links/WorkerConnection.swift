import CLinux
import Glibc
import Messages
import NIOCore
import NIOPosix
import Recording

/// One connection to a worker's socket.
///
/// The worker listens and cvrd connects, so that a worker lives on without us and a new cvrd finds it (design §5).
struct WorkerConnection: Sendable {
    /// Who bound the socket (SO_PEERCRED).
    let peer: Int32
    private let descriptor: Int32

    /// Connects without waiting; throws the errno when nobody listens.
    init(path: String) throws(SocketFailure) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < capacity else { throw SocketFailure(errno: ENAMETOOLONG) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let descriptor = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw SocketFailure(errno: errno) }
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        var (pid, uid, gid): (pid_t, uid_t, gid_t) = (0, 0, 0)
        guard connected == 0, cvr_peer(descriptor, &pid, &uid, &gid) == 0 else {
            let failure = SocketFailure(errno: errno)
            close(descriptor)
            throw failure
        }
        // Workers run as our user: no other's process is told a camera's password.
        guard uid == geteuid() else {
            close(descriptor)
            throw SocketFailure(errno: EACCES)
        }
        self.descriptor = descriptor
        peer = pid
    }

    /// Gives the connection up unused.
    func abandon() { close(descriptor) }

    /// Sends `outgoing` in the version that the worker speaks, once that is known by its hello, and hands every message
    /// to `hear`, until either side ends or the task is cancelled.
    ///
    /// With `greets` we speak first; a worker of version 1 would hang up on it. Throws `MessageError` when the worker
    /// sends what is no message.
    func talk(
        greets: Bool, outgoing: AsyncStream<SupervisorToIngest>,
        hear: @escaping @Sendable (IngestToSupervisor, _ version: UInt8) async throws -> Void
    ) async throws {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .withConnectedSocket(descriptor) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let (version, spoken) = AsyncStream.makeStream(of: UInt8.self, bufferingPolicy: .bufferingNewest(1))
        try await channel.executeThenClose { inbound, outbound in
            try await withThrowingTaskGroup { group in
                group.addTask {
                    if greets { try await outbound.write(ByteBuffer(bytes: SupervisorToIngest.greet.frame)) }
                    var theirs = version.makeAsyncIterator()
                    guard let theirs = await theirs.next() else { return }
                    for await message in outgoing {
                        try await outbound.write(ByteBuffer(bytes: message.frame(in: theirs)))
                    }
                }
                group.addTask {
                    var received: [UInt8] = []
                    for try await chunk in inbound {
                        received.append(contentsOf: chunk.readableBytesView)
                        while let content = try Frame.next(in: &received) {
                            let message = try IngestToSupervisor(content: content)
                            let theirs = Frame.version(of: content) ?? Frame.version
                            try await hear(message, theirs)
                            spoken.yield(theirs)
                        }
                    }
                }
                defer { group.cancelAll() }
                // The reader ends with the connection, the writer when there is nothing more to say.
                try await group.next()
            }
        }
    }
}

/// Nobody listens, or the socket cannot be used.
struct SocketFailure: Error, Hashable, Sendable {
    let errno: Int32
}
