import Foundation
import FragmentedMP4
import Messages
import Recording
import TestSupport

/// One long recording of many cameras that many checks share: undisturbed first, then with one worker killed again
/// and again.
struct EightCameras: Sendable {
    /// How long, how many, how often.
    struct Plan: Sendable {
        var segments = 12
        var segmentLength = 10
        var cameras = 8
        var kills = 8
    }

    /// One SIGKILL of the victim's worker.
    struct Kill: Sendable {
        let session: Int64
        /// From the signal to the start of the next process, as the kernel dates it (10 ms steps).
        let respawn: Duration
        /// Index in the clip of the last frame that the camera had sent before the signal.
        let sent: Int
        var lost = 0
    }

    static let clips = [
        ("front", "h264-aac"), ("yard", "h264-aac-slow"), ("gate", "h265"), ("dock", "h265-aac"),
        ("hall", "h264-alaw"), ("roof", "h264-ulaw"), ("lane", "h264-gop10"), ("pond", "h264-opus"),
    ]
    /// Frames come fast and keyframes each second: the loss is that of the open fragment alone.
    static let victim = "front"
    static let framesPerSecond = 25
    /// Known to two cameras, cvrd's credential files and nobody else.
    static let canary = "canary-\(UUID())"

    private(set) var plan: Plan
    /// At the end of the undisturbed part.
    var undisturbed: [RecordedCamera] = []
    /// Open descriptors per process, early and late in the undisturbed part.
    var descriptors: [(process: BoxProcess, early: Int, late: Int)] = []
    var secretTraces: [String] = []
    var kills: [Kill] = []
    /// After the kills.
    var disturbed: [RecordedCamera] = []
    var ending: Ending?
    var leftovers: [String] = []
    /// Per camera: its first session.
    var footage: [String: Footage] = [:]
    /// Files that our own reader finds fault with.
    var unreadable: [String] = []
    /// Objects in the store, and those that are not their segment byte for byte.
    var objects = 0
    var differing: [String] = []

    /// The run that `contrib/test` does once.
    static let shared = Task { try await Machine.shared.place { try await EightCameras(Plan()) } }

    init(_ plan: Plan) async throws {
        self.plan = plan
        let names = (0..<plan.cameras).map { $0 < 8 ? Self.clips[$0].0 : "\(Self.clips[$0 % 8].0)-\($0)" }
        let clipNames = Dictionary(uniqueKeysWithValues: names.indices.map { (names[$0], Self.clips[$0 % 8].1) })
        let guarded = Set(names.prefix(2))
        let rig = try await CameraRig(
            names.map { name in
                var camera = CameraRig.Camera(name, clip: clipNames[name] ?? "")
                if guarded.contains(name) { camera.options = ["user=viewer", "password=none"] }
                return camera
            })
        for name in guarded { try await rig.tell("password \(name) \(Self.canary)") }
        var settings = BoxSettings(
            try names.map { name in
                let isGuarded = guarded.contains(name)
                return BoxSettings.Camera(
                    name, url: try rig.url(name), username: isGuarded ? "viewer" : "",
                    password: isGuarded ? Self.canary : "")
            })
        settings.segmentLength = "PT\(plan.segmentLength)S"
        self = try await withBox(settings) { box in
            var run = self
            try await run.record(names, in: box)
            try await run.disturb(names, in: box, rig)
            run.ending = try await box.stop()
            try await run.examine(names, clipNames, in: box)
            return run
        }
        await rig.stop()
    }

    private mutating func record(_ names: [String], in box: Box) async throws {
        try await box.start()
        try await box.until(names, are: "recording")
        let recorders = box.processes()
        try await box.untilStored(1, of: names[0], within: limit(1))
        let early = recorders.map(\.openDescriptors)
        for name in names { try await box.untilStored(plan.segments, of: name, within: limit(plan.segments)) }
        for (process, count) in zip(recorders, early) { descriptors.append((process, count, process.openDescriptors)) }
        for name in names { undisturbed.append(try await RecordedCamera(name, in: box)) }
        try await searchSecrets(names, in: box)
    }

    /// How long so many segments may take to be stored: keyframes come late, and so may a pass.
    private func limit(_ segments: Int) -> Duration { .seconds((segments + 6) * plan.segmentLength) }

    /// Everything that cvrctl can say is written down first, so that it is searched too.
    private mutating func searchSecrets(_ names: [String], in box: Box) async throws {
        var said = Data()
        for words in [["status"], ["cameras"], ["events"], ["sync", "status"]] {
            for format in [[], ["--json"]] { said += try await box.run(format + words).output }
        }
        try said.write(to: URL(filePath: "\(box.root)/log/said"))
        secretTraces = try Secrets.traces(
            of: Self.canary, in: [box.root],
            except: Set(names.map { "\(box.root)/state/credentials/\($0)" }))
    }

    private mutating func disturb(_ names: [String], in box: Box, _ rig: CameraRig) async throws {
        for _ in 0..<plan.kills {
            let before = try box.worker(of: Self.victim)
            let session = try await box.status(of: Self.victim).session
            // A worker that lived for 5 s is replaced at once; where in a fragment it dies is left to chance.
            let moment = Duration.milliseconds(Int.random(in: 5500...7500))
            try await eventually("the moment to kill", within: .seconds(20), every: .milliseconds(7)) {
                before.age >= moment ? true : nil
            }
            let sent = try await rig.tracks(of: Self.victim)[0].last
            let killedAt = BoxProcess.bootTime
            kill(before.pid, SIGKILL)
            let after = try await eventually("the next worker", within: .seconds(10), every: .milliseconds(10)) {
                box.processes().first { $0.camera == Self.victim && $0 != before }
            }
            kills.append(Kill(session: session, respawn: after.started - killedAt, sent: sent))
            try await eventually("the next session", within: .seconds(20)) {
                try await box.status(of: Self.victim).session > session ? true : nil
            }
        }
        let stored =
            disturbedSegments + (try await box.segments(of: Self.victim).filter { $0.state == "verified" }.count)
        try await box.untilStored(stored, of: Self.victim, within: limit(disturbedSegments))
        for name in names { disturbed.append(try await RecordedCamera(name, in: box)) }
    }

    /// Segments of the last session that are waited for.
    private var disturbedSegments: Int { plan.kills == 0 ? 0 : 2 }

    private mutating func examine(_ names: [String], _ clips: [String: String], in box: Box) async throws {
        leftovers = SegmentFiles.all(in: "\(box.root)/cache", endings: [".partial", ".suspect"])
        try await withThrowingTaskGroup(of: (String, Footage).self) { group in
            for camera in undisturbed {
                group.addTask {
                    let clip = try await SourceClip(clips[camera.name] ?? "")
                    let files = TestBox.cached(camera.name, session: camera.sessions.first ?? 0, in: box.root)
                    return (camera.name, try await Footage(files, of: clip))
                }
            }
            for try await (name, found) in group { footage[name] = found }
        }
        try await count(try await SourceClip(clips[Self.victim] ?? ""), in: box)
        for segment in disturbed.flatMap(\.stored) {
            objects += 1
            let local = disturbed.first { $0.segments.contains(segment) }.flatMap { camera in
                TestBox.cached(camera.name, session: segment.session, in: box.root)
                    .first { $0.hasSuffix(".\(segment.session).\(segment.counter).mp4") }
            }
            let object = TestBox.object(segment, in: box.root)
            if !FileManager.default.contentsEqual(atPath: object, andPath: local ?? "") { differing.append(object) }
        }
        for file in SegmentFiles.all(in: "\(box.root)/cache") {
            do {
                let segment = try SegmentFiles.read(file)
                if !segment.isComplete { unreadable.append("\(file) is not complete") }
            } catch {
                unreadable.append("\(file): \(error)")
            }
        }
    }

    /// Counts, per kill, the frames that were sent and are not on disk.
    private mutating func count(_ clip: SourceClip, in box: Box) async throws {
        for index in kills.indices {
            let session = TestBox.cached(Self.victim, session: kills[index].session, in: box.root)
            guard let last = try await Footage(session, of: clip).tracks.first?.last else {
                kills[index].lost = .max
                continue
            }
            let frames = clip.hashes[0].count
            let ahead = (kills[index].sent - last + frames) % frames
            // The frame on its way to the worker when the camera was asked may be on disk: then the disk is ahead.
            kills[index].lost = ahead > frames / 2 ? 0 : ahead
        }
    }
}
