import Synchronization

/// Whether the kernel killed for memory just now.
///
/// It tells how often, not whom: only a count that rose in the last seconds of a process says anything about its end.
package final class OutOfMemoryWatch: Sendable {
    /// Between two samples; a kill is seen for one to two of these.
    package static let period = Duration.seconds(5)

    private let count: @Sendable () -> UInt64?
    private let samples: Mutex<(older: UInt64?, newer: UInt64?)>

    package init(count: @escaping @Sendable () -> UInt64? = ProcessFacts.outOfMemoryKills) {
        self.count = count
        let now = count()
        samples = Mutex((now, now))
    }

    /// To be called once a period.
    ///
    /// What is compared with is the sample before the last: a process that was killed may take a while to be gone.
    package func sample() {
        let now = count()
        samples.withLock { $0 = ($0.newer, now) }
    }

    package var hasRisen: Bool {
        let now = count()
        return samples.withLock { $0.older != now }
    }
}
