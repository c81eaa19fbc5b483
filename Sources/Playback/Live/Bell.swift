import Recording
import Synchronization

/// Wakes one who waits for news of several things, and says of which: rings that come before the wait are kept.
final class Bell: Sendable {
    /// Rings when the wait was long enough.
    private static let timer = -1

    private struct State {
        var rung: Set<Int> = []
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// `rope` says what there is news of.
    func ring(_ rope: Int = 0) {
        state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.rung.insert(rope)
            return state.waiting.take()
        }?
        .resume()
    }

    /// The ropes that were pulled since the last wait, as soon as there is one; none after `limit` or when the task is
    /// cancelled.
    func wait(atMost limit: TimeSpan) async -> Set<Int> {
        let timer = Task { [self] in
            do { try await Task.sleep(for: .microseconds(limit.microseconds)) } catch { return }
            ring(Self.timer)
        }
        defer { timer.cancel() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isRung = state.withLock { state in
                    guard state.rung.isEmpty, !Task.isCancelled else { return true }
                    state.waiting = continuation
                    return false
                }
                if isRung { continuation.resume() }
            }
        } onCancel: {
            ring(Self.timer)
        }
        return state.withLock { state in
            defer { state.rung = [] }
            return state.rung.subtracting([Self.timer])
        }
    }
}
