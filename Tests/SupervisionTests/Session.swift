import Messages
import Recording
import Supervision
import Testing

/// A supervisor at work on a box of scripted workers.
struct Session {
    let supervisor: Supervisor
    let run: Task<Void, Never>
    var events: EventReader

    init(_ box: TemporaryBox, ratePatience: TimeSpan = .seconds(10)) throws {
        let supervisor = try box.supervisor(ratePatience: ratePatience)
        self.supervisor = supervisor
        events = EventReader(supervisor.events)
        run = Task { await supervisor.run() }
    }

    func end() async {
        await supervisor.stop()
        await run.value
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
