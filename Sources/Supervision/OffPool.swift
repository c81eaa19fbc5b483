import Dispatch

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
