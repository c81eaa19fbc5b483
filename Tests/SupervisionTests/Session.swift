import Messages
import Recording
import Supervision
import Testing

/// A supervisor at work on a box of scripted workers.
struct Session {
    let box: TemporaryBox
    let supervisor: Supervisor
    var events: EventReader
    private let run: Task<Void, Never>
    private var isOver = false

    fileprivate init(
        _ box: TemporaryBox, ratePatience: TimeSpan = .seconds(10), graphPatience: TimeSpan = .seconds(10),
        windowPatience: TimeSpan = .seconds(30), lastWrites: TimeSpan = .seconds(5),
        messagePatience: TimeSpan = .seconds(8), playback: String = TemporaryBox.noPlayback
    ) throws {
        self.box = box
        let supervisor = try box.supervisor(
            ratePatience: ratePatience, graphPatience: graphPatience, windowPatience: windowPatience,
            lastWrites: lastWrites, messagePatience: messagePatience, playback: playback)
        self.supervisor = supervisor
        events = EventReader(supervisor.events)
        run = Task { await supervisor.run() }
    }

    /// Stops the workers, then itself.
    mutating func end() async {
        guard !isOver else { return }
        isOver = true
        await supervisor.stop()
        await run.value
    }

    /// Leaves the workers to the next one.
    mutating func leave() async {
        guard !isOver else { return }
        isOver = true
        await supervisor.leave()
        await run.value
    }

    /// Waits for the end that somebody else asked for.
    mutating func ended() async {
        isOver = true
        await run.value
    }

    /// The next cvrd, with the configuration as it is now.
    mutating func begin(
        ratePatience: TimeSpan = .seconds(10), graphPatience: TimeSpan = .seconds(10),
        windowPatience: TimeSpan = .seconds(30), playback: String = TemporaryBox.noPlayback
    ) async throws {
        await leave()
        self = try Session(
            box, ratePatience: ratePatience, graphPatience: graphPatience, windowPatience: windowPatience,
            playback: playback)
    }

    func camera(_ name: String) async throws -> Admin.Camera {
        try #require(await supervisor.status().cameras.first { $0.name == name })
    }

    /// The settings that the worker heard next.
    mutating func configured(_ camera: String) async throws -> CameraSettings {
        while true {
            let message = try ScriptedWorker.message(try await events.next("heard", camera: camera))
            if case .configure(let settings) = message { return settings }
        }
    }

    struct Unexpected: Error {}
}

/// Runs `body` with a supervisor at work on a box; whatever happens, it has ended afterwards, and its workers go with the
/// box.
func withSession<Result: Sendable>(
    _ box: TemporaryBox, lastWrites: TimeSpan = .seconds(5), messagePatience: TimeSpan = .seconds(8),
    playback: String = TemporaryBox.noPlayback,
    isolation: isolated (any Actor)? = #isolation,
    _ body: (inout Session) async throws -> Result
) async throws -> Result {
    var session = try Session(
        box, lastWrites: lastWrites, messagePatience: messagePatience, playback: playback)
    do {
        let result = try await body(&session)
        await session.end()
        return result
    } catch {
        // A worker that stands still would keep a stop waiting.
        await session.leave()
        throw error
    }
}
