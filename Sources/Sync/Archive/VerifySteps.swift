import Dispatch
package import Messages
import Synchronization

/// The steps of a verification between the thread that makes them and the client that reads them: a few are on their way,
/// then that thread waits.
package final class VerifySteps: Sendable {
    package static let room = 16

    package let stream: AsyncThrowingStream<Listing.Verified, any Error>
    private let continuation: AsyncThrowingStream<Listing.Verified, any Error>.Continuation
    /// Ends the verification when its client has gone.
    private let limit = StopSwitch()
    private let free = DispatchSemaphore(value: 0)
    private let isLeft = Mutex(false)

    package init() {
        (stream, continuation) = AsyncThrowingStream.makeStream(of: Listing.Verified.self)
        for _ in 0..<Self.room { free.signal() }
    }

    /// Runs the verification, and ends the stream as it ends; what it tells waits for room.
    package func run(_ body: (StopSwitch, @escaping @Sendable (Listing.Verified) -> Void) async throws -> Void) async {
        do {
            try await body(limit) { self.tell($0) }
            continuation.finish()
        } catch {
            continuation.finish(throwing: error)
        }
    }

    private func tell(_ step: Listing.Verified) {
        guard !isLeft.withLock({ $0 }) else { return }
        free.wait()
        guard !isLeft.withLock({ $0 }) else { return }
        continuation.yield(step)
    }

    /// The reader is done with a step.
    package func took() { free.signal() }

    /// The reader reads no more: nobody waits for it.
    package func leave() {
        limit.set(at: .now)
        isLeft.withLock { $0 = true }
        free.signal()
    }
}
