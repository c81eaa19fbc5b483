import Foundation
import Messages
import TestSupport
import Testing

/// Every way in which a worker or its camera may fail, each in a camera of its own and all at once, beside two that
/// are well.
struct Containment: Sendable {
    /// What is done to a camera, and what is then to be seen of it.
    struct Failure: Sendable, CustomTestStringConvertible {
        let camera: String
        let cause: Cause
        /// The counter in `status`.
        let code: String
        /// The fault's code, where it is another.
        var fault: String?
        /// The event's type.
        let event: String
        /// Of the gap that it leaves.
        let reasons: Set<String>
        var endsWorker = true
        /// Its camera may wait with it, and then has every frame.
        var mayLoseNothing = false

        var testDescription: String { camera }
    }

    enum Cause: Sendable {
        case signal(Int32)
        /// `CVR_FAILPOINT` of its first worker.
        case failpoint(String)
        case vanish
        /// Its disk freezes.
        case freeze
    }

    static let failures: [Failure] = [
        ended("killed", .signal(SIGKILL), "workerKilled"),
        ended("aborting", .failpoint("append.written:8=abort"), "workerCrash"),
        ended("leaving", .failpoint("append.written:8=exit"), "workerStopped"),
        ended("hungry", .failpoint("append.written:8=allocate"), "memoryLimit"),
        ended("leaking", .failpoint("create.directories:4=open"), "descriptorLimit"),
        hung("frozen", .signal(SIGSTOP), "workerFrozen"),
        hung("spinning", .failpoint("append.written:8=spin"), "workerLiveLocked"),
        hung("sleeping", .failpoint("append.written:8=sleep"), "workerHung"),
        Failure(
            camera: "dead", cause: .vanish, code: "networkLoss", fault: "connectionRefused", event: "disconnected",
            reasons: ["networkLoss", "cameraOffline"], endsWorker: false),
        Failure(
            camera: "stuck", cause: .freeze, code: "diskStalled", event: "diskStalled", reasons: ["diskError"],
            endsWorker: false, mayLoseNothing: true),
    ]
    /// These must notice nothing.
    static let well = ["front", "yard"]
    static let clip = "h264-video"
    static var cameras: [String] { well + failures.map(\.camera) }

    private static func ended(_ camera: String, _ cause: Cause, _ code: String) -> Failure {
        Failure(camera: camera, cause: cause, code: code, event: "workerExited", reasons: ["workerCrash"])
    }

    private static func hung(_ camera: String, _ cause: Cause, _ code: String) -> Failure {
        Failure(camera: camera, cause: cause, code: code, event: code, reasons: ["workerHang"])
    }

    static let evidence = Evidence()
    static let shared = Task { try await Machine.shared.place(.half) { try await Containment() } }

    private(set) var workers: [String: BoxProcess] = [:]
    private(set) var successors: [String: BoxProcess] = [:]
    /// Status of each failed camera when its failure was counted and named.
    private(set) var during: [String: Admin.Camera] = [:]
    private(set) var after: [String: RecordedCamera] = [:]
    private(set) var events: [EventLine] = []
    private(set) var ending: Ending?
    /// Of the cameras that are well, and of those that may have lost nothing.
    private(set) var footage: [String: Footage] = [:]

    private init() async throws {
        let cameras = Self.cameras.map { CameraRig.Camera($0, clip: Self.clip) }
        self = try await withCameras(cameras, sharedBy: Self.evidence) { box, rig in
            var run = self
            let disk = try await FreezingDisk(at: "\(box.root)/cache/stuck", image: "\(box.root)/stuck.image")
            do {
                try await run.fail(in: box, rig, disk)
                try await run.recover(in: box, rig, disk)
                run.ending = try await box.stop()
                try await run.examine(box)
            } catch {
                await disk.remove()
                throw error
            }
            await disk.remove()
            return run
        }
    }

    private mutating func fail(in box: Box, _ rig: CameraRig, _ disk: FreezingDisk) async throws {
        let failpoints = Self.failures.compactMap { failure in
            if case .failpoint(let text) = failure.cause { (failure.camera, text) } else { nil }
        }
        try await box.start(programs: try await FirstWorkers.programs(in: "\(box.root)/bin", failpoints: failpoints))
        for camera in Self.cameras {
            workers[camera] = try await eventually("a worker of \(camera)") { try? box.worker(of: camera) }
        }
        for camera in Self.well { try await box.untilStored(2, of: camera) }
        for failure in Self.failures {
            switch failure.cause {
            case .signal(let number): if let worker = workers[failure.camera] { kill(worker.pid, number) }
            case .vanish: try await rig.tell("vanish \(failure.camera)")
            case .freeze: try await disk.freeze()
            case .failpoint: break
            }
        }
        try await observe(box)
    }

    /// Waits until every failure is counted and named; of one that never is, the last that status said is kept.
    private mutating func observe(_ box: Box) async throws {
        let deadline = ContinuousClock.now + .seconds(45)
        try await eventually("every failure is counted", within: .seconds(60)) {
            for camera in try await box.status().cameras {
                guard let failure = Self.failures.first(where: { $0.camera == camera.name }),
                    camera.troubles[failure.code] != nil, !isNamed(failure)
                else { continue }
                during[camera.name] = camera
            }
            return Self.failures.allSatisfy(isNamed) || ContinuousClock.now > deadline ? true : nil
        }
    }

    private func isNamed(_ failure: Failure) -> Bool {
        during[failure.camera]?.lastError?.code == failure.fault ?? failure.code
    }

    private mutating func recover(in box: Box, _ rig: CameraRig, _ disk: FreezingDisk) async throws {
        try await disk.thaw()
        try await rig.tell("resume dead")
        try await box.until(Self.cameras, are: "recording", within: .seconds(60))
        for camera in Self.cameras {
            try await box.untilStored(try await box.segments(of: camera).count + 1, of: camera)
            successors[camera] = try box.worker(of: camera)
            after[camera] = try await RecordedCamera(camera, in: box)
        }
        events = try await box.events.lines.map { try JSONDecoder().decode(EventLine.self, from: Data($0.utf8)) }
    }

    private mutating func examine(_ box: Box) async throws {
        let clip = try await SourceClip(Self.clip)
        for camera in Self.well + Self.failures.filter(\.mayLoseNothing).map(\.camera) {
            let session = after[camera]?.sessions.first ?? 0
            footage[camera] = try await Footage(TestBox.cached(camera, session: session, in: box.root), of: clip)
        }
    }
}

/// A worker that has a failpoint of its own the first time that its camera is recorded.
enum FirstWorkers {
    static func programs(in folder: String, failpoints: [(camera: String, text: String)]) async throws -> String {
        let worker = """
            #!/bin/sh
            failpoint=\(folder)/failpoint.$2
            if [ -f "$failpoint" ]; then
                export CVR_FAILPOINT=$(cat "$failpoint")
                rm "$failpoint"
            fi
            exec \(Repository.binaries)/cvr-ingest "$@"
            """
        let programs = try await ProgramFolder(folder, replacing: ["cvr-ingest": worker])
        for (camera, text) in failpoints {
            try Data(text.utf8).write(to: URL(filePath: "\(folder)/failpoint.\(camera)"))
        }
        return programs.path
    }
}
