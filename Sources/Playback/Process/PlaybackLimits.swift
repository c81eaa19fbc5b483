import CLinux
import Confinement
import Glibc

/// What cvr-playback may have of the machine: whatever viewers do to it, no recorder misses it (I1).
enum PlaybackLimits {
    /// Far above what its bounds on viewers and caches add up to.
    private static let mostData: rlim_t = 1 << 30
    /// A connection and a file for each of some thousand viewers.
    private static let mostDescriptors: rlim_t = 4096

    /// Inherited from nobody, so that one that was started by hand has them too; cvr-preview's are lower still.
    static func apply() {
        limit(RLIMIT_CORE, to: 0)
        limit(RLIMIT_DATA, to: mostData)
        limit(RLIMIT_NOFILE, to: mostDescriptors)
        // What an answer gave back is the next one's, whatever thread that is on.
        cvr_bound_heaps(2)
        OutOfMemoryRank.playback.take()
    }

    private static func limit(_ resource: __rlimit_resource, to most: rlim_t) {
        var now = rlimit()
        let resource = __rlimit_resource_t(resource.rawValue)
        guard getrlimit(resource, &now) == 0 else { return }
        // A lower hard limit stays: to raise it takes a privilege.
        let allowed = min(most, now.rlim_max)
        var new = rlimit(rlim_cur: allowed, rlim_max: allowed)
        setrlimit(resource, &new)
    }
}
