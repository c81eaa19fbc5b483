import CLinux
import Glibc
package import HTTP
package import Recording
import Synchronization

/// The time to sign with: this box's, corrected by what the service's answers say.
///
/// A box without a battery for its clock may be years off, and a service refuses what was signed more than 15 minutes
/// before or after its own time. Nothing but signatures goes by this time: footage keeps its dates (I11).
package final class ServiceClock: Sendable {
    private static let tolerance = TimeSpan.seconds(240)

    private let local: @Sendable () -> WallTime
    private let offset = Mutex(TimeSpan.zero)

    package init(local: @escaping @Sendable () -> WallTime = { ServiceClock.systemTime }) { self.local = local }

    package var now: WallTime { local() + offset.withLock { $0 } }

    /// True when the answer's date shows that what was signed at `moment` was too far off, and that ours no longer is: for
    /// each of several requests that were under way together.
    package func learn(from response: HTTPResponse, signedAt moment: WallTime) -> Bool {
        guard let theirs = response["date"].flatMap({ WallTime(httpDate: $0) }), theirs.civil.year >= 2020 else {
            return false
        }
        guard (theirs - moment).magnitude > Self.tolerance else { return false }
        offset.withLock { $0 = theirs - local() }
        return true
    }

    package static var systemTime: WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
    }
}
