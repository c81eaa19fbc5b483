import Foundation

/// Wakes threads that block, whatever their number; one that was about to wait misses no ring.
final class Bell: @unchecked Sendable {
    private let condition = NSCondition()
    private var count: UInt64 = 0

    /// How often it was rung: taken before what may have to be waited for is looked at.
    var rings: UInt64 { condition.withLock { count } }

    func ring() {
        condition.withLock { count &+= 1 }
        condition.broadcast()
    }

    /// Returns once it was rung more often than `rings` says.
    func wait(past rings: UInt64) { condition.withLock { while count == rings { condition.wait() } } }
}
