import Foundation
import FragmentedMP4
import Messages
import TestSupport

/// One box with a camera for each oddity of a stream that goes on, shared by the checks of each.
struct OddStreams: Sendable {
    static let clips = [
        "resized": "h264-aac", "late-audio": "h264-aac", "forward": "h264-aac", "back": "h264-aac",
        "frozen": "h264-aac", "huge": "h264-big-keyframe", "long": "h264-gop10", "reordered": "h264-bframes",
        "sound": "aac-only", "resized-h265": "h265", "paused": "h264-aac",
        "lossy": "h264-opus",
    ]
    /// What a camera goes on with.
    static let replacements = ["resized": "h264-other-size", "resized-h265": "h265-other-size"]
    static let delay = 6

    var cameras: [String: RecordedCamera] = [:]
    /// Per camera and session, in order.
    var footage: [String: [Footage]] = [:]
    /// Of the cameras that change their clip: what is as large as the first one's, and what is not.
    var halves: [String: (before: Footage, after: Footage)] = [:]
    /// In status after a camera's timestamps jumped, once it said so.
    var jumped: [String: Admin.Camera] = [:]
    /// Width and height of each closed segment, in order.
    var sizes: [String: [[Int64]]] = [:]
    /// Longest fragment of each camera, in seconds.
    var longestFragment: [String: Double] = [:]
    /// Farthest that one track of a segment ends before another, in seconds.
    var unevenness: [String: Double] = [:]

    static let evidence = Evidence()
    static let shared = Task { try await Machine.shared.place(.oneForLong) { try await OddStreams() } }

    private init() async throws {
        let names = Self.clips.keys.sorted()
        let lossy = names.firstIndex(of: "lossy") ?? 0
        self = try await withCameras(
            names.map { .init($0, clip: Self.clips[$0] ?? "") }, sharedBy: Self.evidence,
            settings: { $0.cameras[lossy].options = ["transport: udp"] }
        ) { box, rig in
            var run = self
            try await rig.tell("audio late-audio late \(Self.delay)")
            try await rig.tell("loss lossy 3")
            try await box.start()
            try await box.untilStored(2, of: "back")
            try await rig.tell("stall paused")
            try await eventually("the pause is seen") {
                try await box.status(of: "paused").state == "recording" ? nil : true
            }
            try await rig.tell("resume paused")
            for (name, clip) in Self.replacements { try await rig.tell("format \(name) \(clip)") }
            for command in ["forward +3600", "back -3600", "frozen freeze"] {
                try await rig.tell("timestamps \(command)")
            }
            try await run.observe(["forward", "back"], in: box)
            let frozen = try await box.segments(of: "back").count
            try await box.untilStored(frozen + 3, of: "back")
            try await rig.tell("timestamps frozen run")
            let done = try await box.segments(of: "frozen").count
            try await box.untilStored(done + 3, of: "frozen")
            // Two keyframes, ten seconds apart, end the first segment of the long one.
            try await box.untilStored(2, of: "long")
            for name in names { run.cameras[name] = try await RecordedCamera(name, in: box) }
            _ = try await box.stop()
            try await run.examine(names, in: box)
            return run
        }
    }

    /// Waits until status names the jump; a camera whose never does is found missing by its test.
    private mutating func observe(_ names: [String], in box: Box) async throws {
        let deadline = ContinuousClock.now + .seconds(15)
        try await eventually("the jumps are seen") {
            for camera in try await box.status().cameras where names.contains(camera.name) {
                if camera.lastError?.code == "timestampJump" { jumped[camera.name] = camera }
            }
            return jumped.count == names.count || ContinuousClock.now > deadline ? true : nil
        }
    }

    private mutating func examine(_ names: [String], in box: Box) async throws {
        try await withThrowingTaskGroup(of: (String, [Footage]).self) { group in
            for (name, camera) in cameras {
                group.addTask {
                    let clip = try await SourceClip(Self.clips[name] ?? "")
                    var sessions: [Footage] = []
                    for session in camera.sessions {
                        sessions.append(
                            try await Footage(TestBox.cached(name, session: session, in: box.root), of: clip))
                    }
                    return (name, sessions)
                }
            }
            for try await (name, found) in group { footage[name] = found }
        }
        for name in names { try measure(name, in: box) }
        for (name, replacement) in Self.replacements { try await split(name, replacement, in: box) }
    }

    private mutating func split(_ name: String, _ replacement: String, in box: Box) async throws {
        let files = SegmentFiles.all(in: "\(box.root)/cache/\(name)", endings: [".mp4"])
        let first = sizes[name]?.first
        let isFirst = zip(files, sizes[name] ?? []).map { ($0, $1 == first) }
        let before = try await Footage(
            isFirst.filter { $1 }.map(\.0), of: try await SourceClip(Self.clips[name] ?? ""))
        let after = try await Footage(isFirst.filter { !$1 }.map(\.0), of: try await SourceClip(replacement))
        halves[name] = (before, after)
    }

    private mutating func measure(_ name: String, in box: Box) throws {
        for file in SegmentFiles.all(in: "\(box.root)/cache/\(name)", endings: [".mp4"]) {
            let segment = try SegmentFiles.read(file)
            sizes[name, default: []].append(segment.tracks.prefix(1).flatMap { [Int64($0.width), Int64($0.height)] })
            for run in segment.fragments.flatMap(\.perTrack) {
                let seconds = Double(run.duration) / Double(segment.tracks[run.track].timescale)
                longestFragment[name] = max(longestFragment[name] ?? 0, seconds)
            }
            var ends: [Int: Double] = [:]
            for run in segment.fragments.flatMap(\.perTrack) {
                let end = run.baseDecodeTime + run.duration
                ends[run.track] = Double(end) / Double(segment.tracks[run.track].timescale)
            }
            let uneven = (ends.values.max() ?? 0) - (ends.values.min() ?? 0)
            unevenness[name] = max(unevenness[name] ?? 0, uneven)
        }
    }
}
