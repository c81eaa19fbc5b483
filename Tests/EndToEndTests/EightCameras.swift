import Foundation
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
        /// Of a worker that has settled.
        var kills = 5
        /// Of a worker in its first seconds: connecting, recovering, before its first keyframe.
        var earlyKills = 2
        var cacheMiB = 256
        /// Who watch live while it records.
        var viewers = 0

        /// Two minutes if those were asked for, else as long as shows the same once.
        static var asked: Plan {
            let isLong = ProcessInfo.processInfo.environment["CVR_LONG_RUN"] != nil
            return isLong ? Plan() : Plan(segments: 3, segmentLength: 4, kills: 2, earlyKills: 1)
        }
    }

    /// One SIGKILL of the victim's worker after it had settled.
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
    /// Known to two cameras, cvrd's credential files and nobody else; a URL would have to encode it.
    static let canary = "canary-\(UUID())@home"
    static let user = "viewer"

    private(set) var plan: Plan
    private(set) var names: [String]
    /// At the end of the undisturbed part.
    var undisturbed: [RecordedCamera] = []
    /// Open descriptors per process, early and late in the undisturbed part.
    var descriptors: [(process: BoxProcess, early: Int, late: Int)] = []
    var crowd: Crowd.Report?
    var kills: [Kill] = []
    /// After the kills.
    var disturbed: [RecordedCamera] = []
    var secretTraces: [String] = []
    var ending: Ending?
    var leftovers: [String] = []
    /// Per camera and session.
    var footage: [String: [Int64: Footage]] = [:]
    /// Files that our own reader finds fault with.
    var unreadable: [String] = []
    /// Objects in the store, and those that are not their segment byte for byte.
    var objects = 0
    var differing: [String] = []

    static let evidence = Evidence()
    /// The run that `contrib/test` does once, with half of the machine to itself.
    static let shared = Task { try await Machine.shared.place(.half) { try await EightCameras(Plan.asked) } }

    init(_ plan: Plan) async throws {
        self.plan = plan
        names = (0..<plan.cameras).map { $0 < 8 ? Self.clips[$0].0 : "\(Self.clips[$0 % 8].0)-\($0)" }
        let cameras = names.map { name in
            var camera = CameraRig.Camera(name, clip: clip(of: name))
            if isGuarded(name) { camera.options = ["user=\(Self.user)", "password=none"] }
            return camera
        }
        self = try await withCameras(cameras, sharedBy: Self.evidence, settings: adapt) { box, rig in
            for name in names where isGuarded(name) { try await rig.tell("password \(name) \(Self.canary)") }
            var run = self
            try await run.record(in: box)
            try await run.disturb(box, rig)
            run.secretTraces = try await box.traces(
                of: Self.canary, user: Self.user, cameras: names,
                except: Set(names.map { "\(box.root)/state/credentials/\($0)" }))
            run.ending = try await box.stop()
            try await run.examine(box)
            return run
        }
    }

    func clip(of name: String) -> String { Self.clips[(names.firstIndex(of: name) ?? 0) % Self.clips.count].1 }

    private func isGuarded(_ name: String) -> Bool { names.prefix(2).contains(name) }

    private func adapt(_ settings: inout BoxSettings) {
        for index in settings.cameras.indices where isGuarded(settings.cameras[index].name) {
            (settings.cameras[index].username, settings.cameras[index].password) = (Self.user, Self.canary)
        }
        settings.segmentLength = "PT\(plan.segmentLength)S"
        settings.cacheMiB = plan.cacheMiB
        if plan.viewers > 0 { settings.playback = ["listen: 127.0.0.1:0"] }
    }

    private mutating func record(in box: Box) async throws {
        try await box.start()
        try await box.until(names, are: "recording")
        let recorders = box.processes()
        try await box.untilStored(1, of: names[0], within: limit(1))
        let early = recorders.map(\.openDescriptors)
        let watching = plan.viewers > 0 ? try await Crowd(of: plan.viewers, watching: names, in: box) : nil
        for name in names { try await box.untilStored(plan.segments, of: name, within: limit(plan.segments)) }
        crowd = try await watching?.leave()
        if let end = crowd?.end {
            for name in names {
                try await eventually("\(name)'s segments of that time are closed", within: limit(1)) {
                    TestBox.closed(try await box.segments(of: name)).contains { $0.span.upperBound > end } ? true : nil
                }
            }
        }
        for (process, count) in zip(recorders, early) { descriptors.append((process, count, process.openDescriptors)) }
        for name in names { undisturbed.append(try await RecordedCamera(name, in: box)) }
    }

    /// How long so many segments may take to be stored: keyframes come late, and so may a pass.
    func limit(_ segments: Int) -> Duration { .seconds((segments + 6) * plan.segmentLength) }
}
