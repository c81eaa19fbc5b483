internal import CLinux
package import Confinement
internal import Recording
package import SegmentStore

/// How a worker shuts itself in before it hears the first byte from its camera (design §5).
package enum WorkerSandbox {
    /// What the worker may reach from then on: its cache, its run directory, the name service's files.
    ///
    /// Its listener, journal and locks are open by then. `stat` is restricted by nothing: cvr-sync's heartbeat is seen
    /// without a rule.
    package static func close(_ arguments: WorkerArguments, cache: CacheDirectory) -> Sandbox {
        // What kind of disk it is stands in sysfs, which is out of reach afterwards.
        _ = cache.diskKind
        return Sandbox.close(files: files(arguments), calls: .worker(pid: getpid()))
    }

    static func files(_ arguments: WorkerArguments) -> FileRules {
        // Both slots' directories: one camera's workers need no protection from each other.
        let run = "/\(arguments.slot.rawValue)"
        let own = arguments.runPath.hasSuffix(run) ? String(arguments.runPath.dropLast(run.count)) : arguments.runPath
        return FileRules([.init(arguments.cachePath, .own), .init(own, .own)] + NameService.rules())
    }
}
