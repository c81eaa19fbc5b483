package import Messages
import Synchronization

/// What cvrd last said of the box: for /metrics and the page; empty in a replica.
package final class ReportedStatus: Sendable {
    private let latest = Mutex<(status: Admin.Status, at: ContinuousClock.Instant)?>(nil)
    /// What is older than this is no news: cvrd is away.
    private static let validity = Duration.seconds(10)

    package init() {}

    package func take(_ status: Admin.Status) { latest.withLock { $0 = (status, .now) } }

    /// Nil when cvrd has said nothing for a while.
    package var current: Admin.Status? {
        latest.withLock { latest in
            latest.flatMap { .now - $0.at < Self.validity ? $0.status : nil }
        }
    }
}
