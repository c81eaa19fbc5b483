import CLinux
import Glibc
import Isolation
import Messages
import ServiceLifecycle
package import UnixSignals
import Varlink
import YAMLConfiguration

/// The table of workers as a service: the first to begin to end, and the reason for the others to end.
package struct SupervisorService: Service {
    private let supervisor: Supervisor
    private let admin: AdminService

    package init(_ supervisor: Supervisor, after admin: AdminService) {
        self.supervisor = supervisor
        self.admin = admin
    }

    /// A socket that cannot be bound ends cvrd before anything is started: nobody would look after it.
    package func run() async throws {
        for await _ in admin.listening {}
        guard !Task.isCancelled else { return }
        await supervisor.run()
    }
}

/// `io.cvr.Admin` on `<runtime>/admin.sock`: reachable until everything else has stopped.
package struct AdminService: Service {
    private let server: VarlinkServer
    /// Ends once clients can connect.
    let listening: AsyncStream<Void>
    private let isListening: AsyncStream<Void>.Continuation

    package init(_ supervisor: Supervisor, version: String) {
        (listening, isListening) = AsyncStream.makeStream()
        // 0660 and the group cvr, where there is one: whoever may administer the box is in it.
        var group: UInt32?
        if let entry = getgrnam("cvr") { group = entry.pointee.gr_gid }
        let interface = AdminInterface(supervisor)
        server = VarlinkServer(
            socketPath: supervisor.places.adminSocket, mode: 0o660, group: geteuid() == 0 ? group : nil,
            info: VarlinkServiceInfo(vendor: "CVR", product: "cvrd", version: version, url: ""),
            interfaces: [Admin.interface: VarlinkInterface.admin], handler: interface.answer)
    }

    package func run() async throws {
        let (server, isListening) = (server, isListening)
        do {
            try await cancelWhenGracefulShutdown { try await server.run { isListening.finish() } }
        } catch is CancellationError {
            // Everything else has stopped.
        }
    }
}

/// What signals mean to cvrd: stop, hurry, reload, leave.
package struct SignalService: Service {
    private let supervisor: Supervisor
    private let signals: UnixSignalsSequence

    package init(_ supervisor: Supervisor, signals: UnixSignalsSequence) {
        self.supervisor = supervisor
        self.signals = signals
    }

    /// The signals to trap before anything is started.
    package static let trapped: [UnixSignal] = [.sigterm, .sigint, .sighup, .sigusr2]

    package func run() async throws {
        let supervisor = supervisor
        try await cancelWhenGracefulShutdown {
            try await withThrowingDiscardingTaskGroup { group in
                for await signal in signals {
                    switch signal {
                    case .sighup:
                        group.addTask {
                            // Refusals are events; nobody waits for an answer here.
                            _ = try? await supervisor.change(.reload)
                        }
                    case .sigusr2: group.addTask { await supervisor.leave() }
                    default: group.addTask { await supervisor.stop() }
                    }
                }
            }
        }
    }
}

/// The lock that keeps a second cvrd from driving the same workers.
package enum InstanceLock {
    /// Takes the lock until the process ends, however it ends, and writes who holds it; false when another process does.
    package static func take(_ places: Places) throws -> Bool {
        let path = places.instanceLock
        try SmallFile.makeDirectory(places.runtime, mode: 0o755)
        var descriptor = cvr_open(path, O_RDWR | O_CREAT, 0o600)
        // A sweep takes it where nothing may be written, and names nobody there.
        if descriptor < 0, errno == EROFS { descriptor = cvr_open(path, O_RDONLY, 0) }
        guard descriptor >= 0 else {
            throw FileError("open", path, errno, nextStep: "make its directory writable for cvrd")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return false
        }
        // On a full disk it names who is gone, as if it named nobody.
        let line = line
        pwrite(descriptor, line, line.count, 0)
        return true
    }

    /// Always of the same length, so that it replaces the last one's whole.
    private static var line: [UInt8] {
        let (pid, length) = (getpid(), 512)
        let text =
            "{\"pid\": \(pid), \"startTime\": \(ProcessFacts.startTime(of: pid) ?? 0), "
            + "\"bootID\": \"\(ProcessFacts.bootID())\", \"build\": \"\(Release.version)\", "
            + "\"protocol\": \(Frame.version)}"
        let bytes = Array(text.utf8.prefix(length - 1))
        return bytes + repeatElement(UInt8(ascii: " "), count: length - 1 - bytes.count) + [10]
    }
}
