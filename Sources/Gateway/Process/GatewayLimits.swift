import CLinux
import Confinement
import Glibc

/// What cvr-gateway may have of the machine: whatever clients do to it, no recorder misses it (I1).
enum GatewayLimits {
    /// libmosquitto reads a message whole before anybody can refuse it, twice: 256 MiB is what MQTT allows one.
    private static let mostData: rlim_t = 1 << 30
    private static let mostDescriptors: rlim_t = 1024

    /// Inherited from nobody, so that one that was started by hand has them too.
    static func apply() {
        limit(RLIMIT_CORE, to: 0)
        limit(RLIMIT_DATA, to: mostData)
        limit(RLIMIT_NOFILE, to: mostDescriptors)
        cvr_bound_heaps(2)
        OutOfMemoryRank.gateway.take()
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
