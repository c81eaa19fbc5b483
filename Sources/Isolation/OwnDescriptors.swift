import Glibc

/// How many files this process may open.
package enum OwnDescriptors {
    private static let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    /// Enough for thousands of cameras; no table grows to the millions that some systems allow.
    private static let most: rlim_t = 65_536

    /// Takes all that the service manager allows: the soft limit is for programs that cannot count beyond 1024.
    package static func raise() {
        var now = rlimit()
        guard getrlimit(files, &now) == 0 else { return }
        now.rlim_cur = max(now.rlim_cur, min(now.rlim_max, most))
        setrlimit(files, &now)
    }

    package static func limit() -> Int {
        var now = rlimit()
        return getrlimit(files, &now) == 0 ? Int(clamping: now.rlim_cur) : 0
    }
}
