internal import CLinux
internal import Confinement
internal import Ingest
internal import Messages
internal import Recording
internal import SegmentStore

extension IngestProcess {
    static let build = Release.version

    /// The steps of a worker's start, in their order; each one's failure has its exit code.
    static func start(_ arguments: [String]) -> Worker.ExitCode {
        guard let arguments = WorkerArguments(arguments.dropFirst()) else {
            complain(usage)
            return .usage
        }
        let clocks = Clocks.system()
        limitProcess()
        do throws(SegmentStoreError) {
            let cache = try CacheDirectory(path: arguments.cachePath, camera: arguments.camera)
            let lock = try SlotLock(
                in: cache, slot: arguments.slot, build: build, protocolVersion: Int64(Frame.version))
            let journal = try Journal(in: cache, now: clocks.wall())
            let holder = LockHolder(build: build, protocolVersion: Int64(Frame.version))
            try StateFile.write(holder.line, in: arguments.runPath)
            let bootChanged = lock.predecessor.map { $0.bootID != holder.bootID } ?? false
            let socket: ControlSocket
            do throws(StartError) {
                socket = try ControlSocket(path: arguments.runPath + "/worker.sock")
            } catch {
                complain(error.description)
                return .inputOutput
            }
            let worker = confine(arguments, cache) { identity, isOutdated in
                Worker(
                    identity: identity, cache: cache, journal: journal, bootChanged: bootChanged, clocks: clocks,
                    socket: socket, isTerminating: isTerminating, isOutdated: isOutdated,
                    makeSource: { Worker.engine($0, clocks: clocks) })
            }
            return try withExtendedLifetime(lock) { () throws(SegmentStoreError) in try worker.run() }
        } catch {
            complain(error.description)
            return error.errno == EWOULDBLOCK ? .lockHeld : .inputOutput
        }
    }

    /// Shuts the process in, then makes the worker that says how well.
    private static func confine(
        _ arguments: WorkerArguments, _ cache: CacheDirectory, _ make: (WorkerIdentity, @escaping () -> Bool) -> Worker
    ) -> Worker {
        let nameService = NameService.identity()
        let sandbox = WorkerSandbox.close(arguments, cache: cache)
        let identity = WorkerIdentity(
            camera: arguments.camera, slot: arguments.slot, pid: Int64(getpid()), build: build, sandbox: sandbox.text)
        return make(identity) { sandbox.landlock.isEnforced && NameService.identity() != nameService }
    }

    /// No camera takes the box's memory, no signal but cvrd's ends us, and no name server keeps the loop from going round.
    private static func limitProcess() {
        ProcessLimits.apply()
        // What is nobody's business stays so, whatever started us.
        umask(umask(0o077) | 0o027)
        for ignored in [SIGPIPE, SIGINT, SIGHUP] { cvr_ignore_signal(ignored) }
        // Blocked and asked for: a handler would need a global.
        var terminating = terminationSet()
        sigprocmask(SIG_BLOCK, &terminating, nil)
        // Before the resolver reads it; libavformat resolves names on this thread.
        setenv("RES_OPTIONS", "timeout:2 attempts:1", 1)
    }

    private static func isTerminating() -> Bool {
        var pending = sigset_t()
        sigpending(&pending)
        return sigismember(&pending, SIGTERM) == 1
    }

    private static func terminationSet() -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        return set
    }
}
