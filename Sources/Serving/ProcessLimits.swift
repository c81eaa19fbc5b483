import CLinux
package import Confinement
import Glibc

/// What a server may have of the machine: whatever its clients do to it, no recorder misses it (I1).
package struct ProcessLimits: Sendable {
    private let data: UInt64
    private let descriptors: UInt64
    private let rank: OutOfMemoryRank

    package init(data: UInt64, descriptors: UInt64, rank: OutOfMemoryRank) {
        self.data = data
        self.descriptors = descriptors
        self.rank = rank
    }

    /// Inherited from nobody, so that one that was started by hand has them too.
    package func apply() {
        Self.limit(RLIMIT_CORE, to: 0)
        Self.limit(RLIMIT_DATA, to: rlim_t(data))
        Self.limit(RLIMIT_NOFILE, to: rlim_t(descriptors))
        // What an answer gave back is the next one's, whatever thread that is on.
        cvr_bound_heaps(2)
        rank.take()
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
