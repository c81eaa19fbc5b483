internal import CLinux
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
    /// Of 1000, which is all of the machine's memory: when that is short the kernel takes the largest process, and
    /// this makes it one of ours rather than cvrd.
    private static let memoryHandicap = 300

    /// Inherited from nobody, so that a worker started by hand has them too.
    static func apply() {
        // No core holds a password.
        limit(RLIMIT_CORE, to: 0)
        limit(RLIMIT_DATA, to: mostData)
        limit(RLIMIT_NOFILE, to: mostDescriptors)
        limit(__RLIMIT_MEMLOCK, to: 0)
        limit(__RLIMIT_MSGQUEUE, to: 0)
        nameMemoryLimit()
        offerToTheKernel()
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

    /// A process may make itself a likelier victim than it was started as, never a less likely one.
    private static func offerToTheKernel() {
        let descriptor = cvr_open("/proc/self/oom_score_adj", O_RDWR, 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var text = [UInt8](repeating: 0, count: 16)
        let count = read(descriptor, &text, text.count)
        let digits = String(decoding: text.prefix(max(count, 0)), as: UTF8.self).prefix { $0 == "-" || $0.isNumber }
        let new = Array("\(min((Int(digits) ?? 0) + memoryHandicap, 1000))".utf8)
        write(descriptor, new, new.count)
    }
}
