import Dispatch
import ServiceLifecycle

/// Looks every two seconds whether what the sandbox shows is still what is there; ends when it is not.
///
/// On a thread of its own, which a dead disk may hold: nothing else waits for it.
struct PlacesWatch: Service {
    let sandbox: PlaybackSandbox

    func run() async throws {
        let (moves, continuation) = AsyncStream.makeStream(of: Void.self)
        let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "places"))
        timer.schedule(deadline: .now() + 2, repeating: 2)
        timer.setEventHandler { [sandbox] in if sandbox.isMoved { continuation.yield() } }
        timer.activate()
        defer { timer.cancel() }
        let isMoved = await cancelWhenGracefulShutdown {
            for await _ in moves { return true }
            return false
        }
        guard isMoved else { return }
        throw PlaybackError(
            .outdated, "a disk or file that the sandbox has to see was replaced", nextStep: "start it again")
    }
}
