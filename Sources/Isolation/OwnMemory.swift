import CLinux
import Glibc

/// What this process holds in memory stays there: passwords are in it (I10).
package enum OwnMemory {
    /// No core of this process is written or piped to a handler, and no other process of the same user may read it.
    ///
    /// Children inherit the limit; whether they may be dumped is theirs to say.
    package static func seal() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        // A core that goes to a pipe (core(5)) ignores the limit.
        _ = cvr_forbid_dumps()
    }
}
