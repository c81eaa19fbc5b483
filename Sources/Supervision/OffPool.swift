import Dispatch

/// Runs blocking file work on a thread of its own kind.
///
/// The cooperative pool has as many threads as the machine has cores: one dead disk for each would stop every camera's
/// supervision, and `status` with it.
func offPool<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: Result(catching: work)) }
    }
}
