internal import CLinux
internal import Confinement
internal import Ingest
internal import Messages
internal import Recording
internal import SegmentStore

extension IngestProcess {
    /// The steps of a worker's start, in their order; each one's failure has its exit code.
    static func start(_ arguments: [String]) -> Worker.ExitCode {
        guard let arguments = WorkerArguments(arguments.dropFirst()) else {
            complain(usage)
            return .usage
        }
        limitProcess()
        let holder = LockHolder(
            build: BuildIdentity.own(version: Release.version), protocolVersion: Int64(Frame.version))
        var code = Worker.ExitCode.inputOutput
        var words = ""
        do throws(SegmentStoreError) {
            (code, words) = try record(arguments, as: holder)
        } catch {
            words = error.description
            complain(words)
            code = error.errno == EWOULDBLOCK ? .lockHeld : .inputOutput
        }
        // Where another worker holds the lock, the directory is its own.
        if code != .lockHeld {
            // A process that cannot say why it ends does so all the same.
            try? RunFiles.write(lastWords: code.rawValue, why: words, by: holder, in: arguments.runPath)
        }
        return code
    }

    /// From the lock to the end; how it ended, and in words.
    private static func record(
        _ arguments: WorkerArguments, as holder: LockHolder
    ) throws(SegmentStoreError) -> (Worker.ExitCode, String) {
        let clocks = Clocks.system()
        let cache = try CacheDirectory(path: arguments.cachePath, camera: arguments.camera)
        let isAfterBoot = try wasLastHeldBeforeBoot(cache)
        let lock = try takeCamera(arguments, in: cache, as: holder)
        var journal: Journal?
        if !arguments.isSuccessor { journal = try Journal(in: cache, now: clocks.wall()) }
        try RunFiles.write(state: holder.line, in: arguments.runPath)
        let socket: ControlSocket
        do throws(StartError) {
            socket = try ControlSocket(
                path: arguments.runPath + "/worker.sock", supervisorLock: arguments.supervisorLock)
        } catch {
            complain(error.description)
            return (.inputOutput, error.description)
        }
        let worker = confine(arguments, cache, build: holder.build) { identity, isOutdated in
            Worker(
                identity: identity, cache: cache, journal: journal, bootChanged: isAfterBoot, clocks: clocks,
                socket: socket, isTerminating: isTerminating, isOutdated: isOutdated,
                makeSource: { Worker.engine($0, clocks: clocks) })
        }
        return try withExtendedLifetime(lock) { () throws(SegmentStoreError) in (try worker.run(), worker.lastWords) }
    }

    /// The right to the camera's slot, held as long as the process lives; throws `EWOULDBLOCK` when it is another's.
    private static func takeCamera(
        _ arguments: WorkerArguments, in cache: CacheDirectory, as holder: LockHolder
    ) throws(SegmentStoreError) -> SlotLock {
        let lock = try SlotLock(
            in: cache, slot: arguments.slot, build: holder.build, protocolVersion: holder.protocolVersion)
        // Two are only possible when one waits for the other to end.
        if arguments.isSuccessor { return lock }
        guard try !SlotLock.isHeld(in: cache, slot: arguments.slot.other) else {
            throw SegmentStoreError(
                operation: "record beside another worker in", path: arguments.cachePath, errno: EWOULDBLOCK,
                nextStep: "stop the worker whose pid is in the camera's lock files")
        }
        return lock
    }

    /// True when whoever recorded last did so before the box was started.
    private static func wasLastHeldBeforeBoot(_ cache: CacheDirectory) throws(SegmentStoreError) -> Bool {
        let current = LockHolder.currentBootID
        var found = false
        for slot in Slot.allCases {
            guard let last = try SlotLock.lastHolder(in: cache, slot: slot) else { continue }
            if last.bootID == current { return false }
            found = true
        }
        return found
    }

    /// Shuts the process in, then makes the worker that says how well.
    private static func confine(
        _ arguments: WorkerArguments, _ cache: CacheDirectory, build: String,
        _ make: (WorkerIdentity, @escaping () -> Bool) -> Worker
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
