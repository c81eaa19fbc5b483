import Dispatch
import ServiceLifecycle

/// Looks every two seconds whether what the sandbox shows is still what is there; ends when it is not.
///
/// On a thread of its own, which a dead disk may hold: nothing else waits for it.
package struct ReplacementWatch: Service {
    private let isReplaced: @Sendable () -> Bool

    package init(_ isReplaced: @escaping @Sendable () -> Bool) { self.isReplaced = isReplaced }

    package func run() async throws {
        let (moves, continuation) = AsyncStream.makeStream(of: Void.self)
        let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "places"))
        timer.schedule(deadline: .now() + 2, repeating: 2)
        timer.setEventHandler { [isReplaced] in if isReplaced() { continuation.yield() } }
        timer.activate()
        defer { timer.cancel() }
        let isMoved = await cancelWhenGracefulShutdown {
            for await _ in moves { return true }
            return false
        }
        guard isMoved else { return }
        throw ServingError(
            .outdated, "a disk or file that the sandbox has to see was replaced", nextStep: "start it again")
    }
}
