import Foundation
import Messages
import Recording
import TestSupport

/// One recording of sixteen cameras by the shipped units under real systemd, with cvrd killed, hung, restarted and
/// stopped in every way: what many checks share.
struct ServedBox: Sendable {
    /// A new cvrd taking over the workers of the one before.
    struct Adoption: Sendable {
        let cause: String
        /// From the exec of cvrd to the last camera's adoption, as its events date them.
        let slowest: Duration
        /// From what ended the one before to the exec of the next.
        let away: Duration
        let workers: [BoxProcess]
    }

    /// An end of the service.
    struct Stop: Sendable {
        let state: String
        /// Until nothing of the box runs.
        let took: Duration
        let leftovers: [String]
    }

    static let kills = 20
    static let restarts = 10
    static let clip = "h264-video"
    static let names = (1...16).map { "cam\($0)" }
    static let shared = Task { try await ServedBox() }

    /// Before anything happened.
    private(set) var workers: [BoxProcess] = []
    private(set) var adoptions: [Adoption] = []
    private(set) var status = ""
    /// Reloads: of a right configuration, of a wrong one.
    private(set) var reloads: [Ending] = []
    /// After all of it, before the workers themselves were killed.
    private(set) var undisturbed: [RecordedCamera] = []
    private(set) var footage: [String: Footage] = [:]
    /// After the kill -9 of everything.
    private(set) var recovered: [RecordedCamera] = []
    private(set) var stops: [Stop] = []

    init() async throws {
        // The password takes systemd's way to cvrd (LoadCredential=).
        let (user, password) = ("viewer", "canary-in-the-credentials")
        let access = ["user=\(user)", "password=\(password)"]
        let rig = try await CameraRig(
            Self.names.map { name in
                var camera = CameraRig.Camera(name, clip: Self.clip)
                if name == Self.names[0] { camera.options = access }
                return camera
            })
        var settings = BoxSettings(try Self.names.map { .init($0, url: try rig.url($0)) })
        (settings.cameras[0].username, settings.cameras[0].password) = (user, password)
        settings.segmentLength = "PT10S"
        self = try await withSystemMachine(settings) { machine in
            var run = self
            try await run.record(on: machine)
            try await run.endSupervisor(on: machine)
            try await run.reload(on: machine)
            try await run.settle(on: machine)
            try await run.killEverything(on: machine)
            try await run.stop(machine)
            try await run.examine(machine)
            return run
        }
        await rig.stop()
    }

    private mutating func record(on machine: SystemMachine) async throws {
        try await machine.systemctl("start", "cvrd")
        try await machine.until(Self.names, are: "recording")
        workers = Self.workers(on: machine)
    }

    // MARK: cvrd ends, the workers do not

    private mutating func endSupervisor(on machine: SystemMachine) async throws {
        for _ in 0..<Self.kills {
            try await takeOver("SIGKILL", on: machine) { kill(try machine.supervisor().pid, SIGKILL) }
        }
        try await takeOver("SIGSTOP", on: machine) { kill(try machine.supervisor().pid, SIGSTOP) }
        for _ in 0..<Self.restarts {
            try await takeOver("restart", on: machine) { try await machine.systemctl("restart", "cvrd") }
        }
    }

    /// Ends cvrd and waits for the next one to have every worker.
    private mutating func takeOver(
        _ cause: String, on machine: SystemMachine, _ end: () async throws -> Void
    ) async throws {
        let before = try machine.supervisor()
        let ended = BoxProcess.bootTime
        try await end()
        let next = try await eventually("the next cvrd", within: .seconds(40), every: .milliseconds(50)) {
            machine.processes(of: "cvrd").first { $0 != before }
        }
        let events = try await eventually("all are taken over", within: .seconds(20), every: .milliseconds(100)) {
            // It does not answer yet.
            let events = (try? await Self.events(of: machine)) ?? []
            let known = Set(events.filter { $0.type.hasPrefix("worker") }.compactMap(\.camera))
            return known.count == Self.names.count ? events : nil
        }
        let adopted = events.filter { $0.type == "workerAdopted" }.compactMap { WallTime(rfc3339: $0.time) }
        // Both clocks are read now; neither is set meanwhile.
        let exec = Self.now - TimeSpan.milliseconds(Int64(next.age.seconds * 1000))
        let slowest = adopted.max().map { Duration.milliseconds(($0 - exec).microseconds / 1000) }
        adoptions.append(
            Adoption(
                cause: cause, slowest: adopted.count == Self.names.count ? slowest ?? .seconds(60) : .seconds(60),
                away: next.started - ended, workers: Self.workers(on: machine)))
    }

    private mutating func reload(on machine: SystemMachine) async throws {
        let right = try await machine.execute("/bin/cat", ["/etc/cvr/cvr.yaml"]).text
        let text = right.replacing("minimumFree: 0%", with: "minimumFree: 1%")
        for yaml in [text, text + "nonsense: 1\n", text] {
            try Data(yaml.utf8).write(to: URL(filePath: "\(machine.root)/root/etc/cvr/cvr.yaml"))
            reloads.append(try await machine.execute("/usr/bin/systemctl", ["reload", "cvrd"]).ending)
        }
    }

    /// Waits for all to have segments since; their content is held against the clip to the last frame.
    private mutating func settle(on machine: SystemMachine) async throws {
        for name in Self.names { try await machine.untilStored(2, of: name) }
        status = try await eventually("a status line of them all") {
            let line = try await machine.property("StatusText")
            return line.contains("\(Self.names.count) recording") ? line : nil
        }
        for name in Self.names { undisturbed.append(try await RecordedCamera(name, in: machine)) }
    }

    private mutating func killEverything(on machine: SystemMachine) async throws {
        for process in machine.processes() { kill(process.pid, SIGSTOP) }
        for process in machine.processes() { kill(process.pid, SIGKILL) }
        try await eventually("they record again", within: .seconds(40)) {
            // cvrd is not there yet.
            let cameras = (try? await machine.status().cameras) ?? []
            let recording = cameras.count { $0.state == "recording" && $0.session == 2 }
            return recording == Self.names.count ? true : nil
        }
        for name in Self.names { recovered.append(try await RecordedCamera(name, in: machine)) }
    }

    private mutating func examine(_ machine: SystemMachine) async throws {
        let clip = try await SourceClip(Self.clip)
        let data = machine.data
        footage = try await withThrowingTaskGroup(of: (String, Footage).self) { group in
            for name in Self.names {
                group.addTask {
                    (name, try await Footage(TestBox.cached(name, session: 1, in: data), of: clip))
                }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    // MARK: All ends

    private mutating func stop(_ machine: SystemMachine) async throws {
        stops.append(try await stop(machine, "running"))
        try await start(machine)
        kill(try machine.supervisor().pid, SIGSTOP)
        stops.append(try await stop(machine, "SIGSTOPped"))
        try await start(machine)
        kill(try machine.supervisor().pid, SIGKILL)
        try await eventually("auto-restart", within: .seconds(5), every: .milliseconds(5)) {
            try await machine.property("SubState") == "auto-restart" ? true : nil
        }
        stops.append(try await stop(machine, "auto-restart"))
    }

    private func start(_ machine: SystemMachine) async throws {
        try await machine.systemctl("start", "cvrd")
        try await machine.until(Self.names, are: "recording")
    }

    private func stop(_ machine: SystemMachine, _ state: String) async throws -> Stop {
        let began = BoxProcess.bootTime
        try await machine.systemctl("stop", "cvrd")
        try await eventually("nothing runs", within: .seconds(50), every: .milliseconds(20)) {
            machine.processes().isEmpty ? true : nil
        }
        let took = BoxProcess.bootTime - began
        for unit in ["cvrd.service", "cvr-workers.service"] {
            try await eventually("\(unit) is inactive") {
                try await machine.property("ActiveState", of: unit) == "inactive" ? true : nil
            }
        }
        return Stop(
            state: state, took: took,
            leftovers: SegmentFiles.all(in: "\(machine.data)/cache", endings: [".partial", ".suspect"]))
    }

    // MARK: What is seen

    private static var now: WallTime { WallTime(microseconds: Int64(Date().timeIntervalSince1970 * 1e6)) }

    private static func workers(on machine: SystemMachine) -> [BoxProcess] {
        machine.processes(of: "cvr-ingest").sorted { $0.pid < $1.pid }
    }

    private static func events(of machine: SystemMachine) async throws -> [EventLine] {
        try await machine.ask("events", as: [EventLine].self)
    }
}
