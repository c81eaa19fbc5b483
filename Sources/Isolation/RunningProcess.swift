import CLinux
import Dispatch
import Glibc
import Synchronization

/// How a process ended.
package enum ExitStatus: Hashable, Sendable {
    case exited(Int32)
    case signalled(Int32)
    /// Gone; whose child it was knows how.
    case unknown
}

/// A process that lives, or did: the only way to watch and to signal one.
///
/// Everything goes through its pidfd, so that no signal ever reaches another process that got its number. A child is
/// reaped as soon as it ends. Forgetting the value leaves the process alone.
package final class RunningProcess: Sendable {
    package let pid: Int32
    /// Field 22 of `/proc/<pid>/stat`.
    package let startTime: UInt64
    private let descriptor: Int32
    private let state: Mutex<State>

    private enum State {
        case alive(waiters: [AsyncStream<ExitStatus>.Continuation])
        case ended(ExitStatus)
    }

    private init(pid: Int32, startTime: UInt64, descriptor: Int32, isChild: Bool) {
        self.pid = pid
        self.startTime = startTime
        self.descriptor = descriptor
        state = Mutex(.alive(waiters: []))
        watch(isChild: isChild)
    }

    /// Starts a program with nothing of ours but its standard output and error: default signal actions, an empty
    /// signal mask (a thread of the Swift runtime has SIGTERM blocked), its own process group, no descriptors.
    ///
    /// With `streams` these become its standard input and output; they stay open here, and are the caller's to close.
    package static func spawn(
        _ launch: Launch, streams: (input: Int32, output: Int32)? = nil
    ) throws(IsolationError) -> RunningProcess {
        var pid: pid_t = 0
        let failure = withSpawnSettings(streams) { attributes, actions in
            withCStrings([launch.executable] + launch.arguments) { arguments in
                withCStrings(launch.environment) { environment in
                    posix_spawn(&pid, launch.executable, actions, attributes, arguments, environment)
                }
            }
        }
        guard failure == 0 else {
            throw IsolationError(
                operation: "start", subject: launch.executable, errno: failure,
                nextStep: Self.nextStep(failure))
        }
        let descriptor = cvr_pidfd_open(pid)
        guard descriptor >= 0 else {
            // Nothing could ever watch or stop it: it must not stay.
            let reason = errno
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
            throw IsolationError(
                operation: "watch", subject: launch.executable, errno: reason,
                nextStep: "raise the limit of open files (LimitNOFILE=)")
        }
        // An unreaped child keeps its number and its /proc entry.
        return RunningProcess(
            pid: pid, startTime: ProcessFacts.startTime(of: pid) ?? 0, descriptor: descriptor, isChild: true)
    }

    private static func nextStep(_ failure: Int32) -> String {
        switch failure {
        case ENOENT, ENOTDIR: "install it next to cvrd or in /usr/libexec/cvr"
        case EACCES, EPERM: "make it executable for cvrd's user"
        case EAGAIN: "raise the limit of processes (TasksMax=, LimitNPROC=)"
        case ENOMEM: "add memory or record fewer cameras"
        case EMFILE, ENFILE: "raise the limit of open files (LimitNOFILE=)"
        default: "reinstall the package"
        }
    }

    /// Takes over a process that somebody else started; nil when it is gone.
    ///
    /// With a start time, one that got the number since counts as gone.
    package static func adopt(pid: Int32, startTime: UInt64? = nil) throws(IsolationError) -> RunningProcess? {
        guard pid > 1, pid != getpid() else { return nil }
        let descriptor = cvr_pidfd_open(pid)
        guard descriptor >= 0 else {
            if errno == ESRCH || errno == EINVAL { return nil }
            throw IsolationError(
                operation: "watch", subject: "process \(pid)", errno: errno,
                nextStep: "raise the limit of open files (LimitNOFILE=)")
        }
        guard let found = ProcessFacts.startTime(of: pid), startTime == nil || startTime == found else {
            close(descriptor)
            return nil
        }
        return RunningProcess(pid: pid, startTime: found, descriptor: descriptor, isChild: false)
    }

    /// Sends a signal; false when the process has ended.
    @discardableResult
    package func signal(_ number: Int32) -> Bool {
        state.withLock { state in
            guard case .alive = state else { return false }
            return cvr_pidfd_send_signal(descriptor, number) == 0
        }
    }

    package var hasEnded: Bool {
        state.withLock { state in if case .ended = state { true } else { false } }
    }

    /// How it ended, once it has; nil when the caller is cancelled first.
    package func exit() async -> ExitStatus? {
        let (stream, continuation) = AsyncStream.makeStream(of: ExitStatus.self)
        let known: ExitStatus? = state.withLock { state in
            switch state {
            case .ended(let status): return status
            case .alive(let waiters):
                state = .alive(waiters: waiters + [continuation])
                return nil
            }
        }
        if let known { return known }
        return await stream.first { _ in true }
    }

    /// As `exit`; nil also when it still lives after `limit`.
    package func exit(within limit: Duration) async -> ExitStatus? {
        await withTaskGroup(of: ExitStatus?.self) { group in
            group.addTask { await self.exit() }
            group.addTask {
                // Cancelled when the process has ended.
                try? await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }

    /// A pidfd turns readable when its process ends.
    ///
    /// The source keeps itself, and closes the descriptor.
    private func watch(isChild: Bool) {
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .global())
        source.setEventHandler { [self] in
            guard let status = isChild ? Self.reap(descriptor) : .unknown else { return }
            let waiters = state.withLock { state in
                guard case .alive(let waiters) = state else { return [AsyncStream<ExitStatus>.Continuation]() }
                state = .ended(status)
                return waiters
            }
            source.cancel()
            for waiter in waiters {
                waiter.yield(status)
                waiter.finish()
            }
        }
        source.setCancelHandler { [descriptor] in close(descriptor) }
        source.resume()
    }

    /// Nil while the child lives.
    private static func reap(_ descriptor: Int32) -> ExitStatus? {
        var info = siginfo_t()
        guard cvr_waitid_pidfd(descriptor, &info, WEXITED | WNOHANG) == 0 else {
            return errno == EINTR ? nil : .unknown
        }
        guard cvr_siginfo_pid(&info) != 0 else { return nil }
        let status = cvr_siginfo_status(&info)
        return cvr_siginfo_code(&info) == 1 /* CLD_EXITED */ ? .exited(status) : .signalled(status)
    }
}

private func withSpawnSettings<Result>(
    _ streams: (input: Int32, output: Int32)?,
    _ body: (UnsafePointer<posix_spawnattr_t>, UnsafePointer<posix_spawn_file_actions_t>) -> Result
) -> Result {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
        &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let streams {
        posix_spawn_file_actions_adddup2(&actions, streams.input, 0)
        posix_spawn_file_actions_adddup2(&actions, streams.output, 1)
    } else {
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    posix_spawn_file_actions_addclosefrom_np(&actions, 3)
    return body(&attributes, &actions)
}

/// `argv` and `environ` as exec(3) wants them; a text ends at its first NUL.
private func withCStrings<Result>(
    _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers = texts.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return body(&pointers)
}
