import Synchronization

/// How many are being sent footage.
package final class ViewerCount: Sendable {
    private let count = Mutex(0)

    package init() {}

    package var now: Int { count.withLock { $0 } }

    func begin() { count.withLock { $0 += 1 } }

    func end() { count.withLock { $0 -= 1 } }
}
