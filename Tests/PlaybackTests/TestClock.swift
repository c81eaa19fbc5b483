import Playback
import Recording
import Synchronization

/// A server's clock that a test moves.
final class TestClock: Sendable {
    private let start = ServerClock.system.monotonic()
    private let speed: Int64
    private let skipped = Mutex(TimeSpan.zero)

    /// Its seconds since the start go by `speed` times as fast; at 0 they stand.
    init(speed: Int64 = 1) { self.speed = speed }

    var now: WallTime { ServerClock.system.now() + skipped.withLock { $0 } }

    /// Since it was made.
    var passed: TimeSpan {
        TimeSpan(microseconds: (ServerClock.system.monotonic() - start).microseconds * speed)
    }

    /// Sets what time of day it is on.
    func skip(_ span: TimeSpan) { skipped.withLock { $0 = $0 + span } }

    var server: ServerClock { ServerClock(now: { self.now }, monotonic: { self.start + self.passed }) }
}
