import Dispatch
import Synchronization

/// Runs blocking file work on a thread of its own; a cancelled caller stops waiting for it.
///
/// The cooperative pool has as many threads as the machine has cores: one dead disk for each would stop every camera's
/// supervision, and `status` with it. Work that a dead disk holds keeps its thread until the disk answers.
func offPool<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    let (stream, continuation) = AsyncThrowingStream.makeStream(of: Value.self)
    // A queue for each: those that wait for a disk hold no other up.
    DispatchQueue(label: "io.cvr.offpool").async {
        do {
            continuation.yield(try work())
            continuation.finish()
        } catch {
            continuation.finish(throwing: error)
        }
    }
    for try await value in stream { return value }
    throw CancellationError()
}

/// As `offPool`, for at most `limit`; nil when it takes longer or fails.
@discardableResult
func offPool<Value: Sendable>(
    atMost limit: Duration, _ work: @escaping @Sendable () throws -> Value
) async -> Value? {
    await withTaskGroup(of: Value?.self) { group in
        // Late or failed, it comes to the same for those who ask here.
        group.addTask { try? await offPool(work) }
        group.addTask {
            // Cancelled when the work is done.
            try? await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        return await group.next() ?? nil
    }
}

/// Looks at disks that may be dead, at each path one after the other: asking again and again costs no further thread.
package final class DiskLooks: Sendable {
    private let busy = Mutex<Set<String>>([])

    package init() {}

    /// What `look` finds; nil when the disk keeps it, or one before it, for longer than `limit`.
    package func look<Value: Sendable>(
        at path: String, atMost limit: Duration, _ look: @escaping @Sendable () -> Value
    ) async -> Value? {
        let deadline = ContinuousClock.now + limit
        while !busy.withLock({ $0.insert(path).inserted }) {
            guard ContinuousClock.now < deadline else { return nil }
            do { try await Task.sleep(for: .milliseconds(50)) } catch { return nil }
        }
        return await offPool(atMost: deadline - .now) { [self] in
            defer { _ = busy.withLock { $0.remove(path) } }
            return look()
        }
    }
}
