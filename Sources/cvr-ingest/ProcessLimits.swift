internal import CLinux
internal import Confinement
internal import Glibc
internal import Ingest

/// What a worker may have of the machine: whatever a camera does to it, it fails alone (I1).
///
/// No limit on the size of files: the journal outgrows any that a segment would need, after years.
enum ProcessLimits {
    /// Far above what any camera makes us hold.
    private static let mostData: rlim_t = 512 << 20
    /// A worker has some 10 open, 20 with RTSP over UDP.
    private static let mostDescriptors: rlim_t = 128

    /// Inherited from nobody, so that a worker started by hand has them too.
    static func apply() {
        // No core holds a password.
        limit(RLIMIT_CORE, to: 0)
        limit(RLIMIT_DATA, to: mostData)
        limit(RLIMIT_NOFILE, to: mostDescriptors)
        limit(__RLIMIT_MEMLOCK, to: 0)
        limit(__RLIMIT_MSGQUEUE, to: 0)
        nameMemoryLimit()
        OutOfMemoryRank.worker.take()
    }

    private static func limit(_ resource: __rlimit_resource, to most: rlim_t) {
        var now = rlimit()
        let resource = __rlimit_resource_t(resource.rawValue)
        // A lower hard limit stays: to raise it takes a privilege.
        if getrlimit(resource, &now) == 0, now.rlim_max < most { return }
        var new = rlimit(rlim_cur: most, rlim_max: most)
        setrlimit(resource, &new)
    }

    /// Swift aborts when it gets no memory: cvrd is told by the exit code.
    ///
    /// The handler is two system calls. Less than a quarter left tells an abort for want of memory from another one;
    /// that goes on to die of its signal.
    private static func nameMemoryLimit() {
        signal(SIGABRT) { _ in
            let probe = mmap(nil, 128 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            if Int(bitPattern: probe) == -1 { _exit(Worker.ExitCode.memoryLimit.rawValue) }
        }
    }
}
