import Foundation
import Messages
import Recording
import TestSupport
import Testing

/// A box that recorded a day ago, an hour ago and now, which its store, a SeaweedFS, has too.
///
/// Its workers' clocks are set back and step on twice, which leaves a gap each time; all else is at its true time. An
/// hour ago `front` was away for a while, and `yard` changed its picture's size.
struct PastBox: Sendable {
    /// The one of the running suite.
    @TaskLocal private static var shared: PastBox?

    /// What was recorded while the workers' clocks were so many seconds behind.
    ///
    /// A coded clip begins anew every 60 s: each stretch must have another remainder, so that a picture of one is wrong
    /// in another.
    struct Stretch: Sendable {
        let behind: Double
        /// UTC seconds by those clocks; of it all cameras have everything but what is said above.
        var start = 0.0
        var end = 0.0
    }

    static let cameras: [CameraRig.Camera] =
        WatchedBox.cameras + [
            .init("gate", clip: "h265"), .init("dock", clip: "h264-big-keyframe"),
        ]

    let watched: WatchedBox
    let server: SeaweedFS
    /// The store, without the site.
    let store: String
    private(set) var day = Stretch(behind: 86_407)
    private(set) var hour = Stretch(behind: 3623)
    private(set) var now = Stretch(behind: 0, start: 0, end: .infinity)
    /// When `front` was away, and when `yard` changed, by the clocks of an hour ago.
    private(set) var gap = 0.0..<1.0
    private(set) var change = 0.0

    static var current: PastBox { get throws { try #require(shared, "a suite that has a past") } }

    /// Runs `body` with such a box and its open page.
    static func shared(during body: Shared.Body) async throws {
        let server = try await SeaweedFS.shared.value
        let store = "s3://\(server.bucket)/boxes?endpoint=\(server.endpoint)"
        let folder = FileManager.default.temporaryDirectory.appending(path: "past-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let clock = try await FakeTime(path: folder + "/clock", offset: "-86407")
        let programs = try await clock.programs(in: folder + "/bin", isVouchedFor: true)
        try await WatchedBox.shared(
            cameras, settings: { $0.service = (store, server.credential) },
            start: { box, _ in
                try await box.start(programs: programs)
                // cvr-sync's clock is the true one: it would take the day for over, and write its summary, half-way.
                try await box.sync("pause")
            }
        ) { watched in
            let past = try await PastBox(watched, server, store, clock)
            try await $shared.withValue(past) { try await body() }
        }
        try await clock.end()
        try FileManager.default.removeItem(atPath: folder)
    }

    private init(_ watched: WatchedBox, _ server: SeaweedFS, _ store: String, _ clock: FakeTime) async throws {
        (self.server, self.store) = (server, store)
        var watched = watched
        let (box, rig) = (watched.recorder, watched.rig)
        day = try await Self.recorded(day, 8, states: ["closed"], in: box)
        let dayEnd = day.end
        try clock.set("-3623")
        try await eventually("the day is over", within: .seconds(30)) {
            try await box.segments(of: "front").contains { ($0.from ?? 0) > dayEnd + 3600 } ? true : nil
        }
        try await box.sync("resume")
        hour = try await Self.recorded(hour, 5, in: box)
        try await rig.tell("vanish front")
        try await eventually("front is missed", within: .seconds(60)) { try await Self.absence(in: box) }
        try await rig.tell("format yard coded-other-size")
        try await eventually("yard has another size", within: .seconds(30), every: .milliseconds(100)) {
            try await box.status(of: "yard").width == 480 ? true : nil
        }
        change = try await watched.newClip(of: "yard") - hour.behind
        // Long enough that nobody who waits for it would be taken for one who jumps.
        try await eventually("front was away for long", within: .seconds(30)) {
            let from = try await Self.absence(in: box)?.lowerBound ?? .infinity
            return from + 8 < Date().timeIntervalSince1970 - 3623 ? true : nil
        }
        try await rig.tell("resume front")
        gap = try await eventually("front is back", within: .seconds(60)) {
            let gap = try await Self.absence(in: box)
            return gap?.upperBound == .infinity ? nil : gap
        }
        hour.end = try await Self.recorded(Stretch(behind: hour.behind), 6, after: gap.upperBound, in: box).end
        try clock.set("+0")
        now.start = try await Self.recorded(now, 6, in: box).start
        self.watched = watched
    }

    /// When `front` was away; until infinity while it is.
    private static func absence(in box: Box) async throws -> Range<Double>? {
        guard let gap = try await box.gaps(of: "front").first(where: { $0.reason == "cameraOffline" }),
            let from = WallTime(rfc3339: gap.from)
        else { return nil }
        return from.seconds..<(gap.to.flatMap { WallTime(rfc3339: $0) }?.seconds ?? .infinity)
    }

    /// Waits until each camera has so many segments of a stretch in one of the states, and says what all of them have.
    private static func recorded(
        _ stretch: Stretch, _ count: Int, after time: Double? = nil, states: Set<String> = ["verified"], in box: Box
    ) async throws -> Stretch {
        let since = time ?? Date().timeIntervalSince1970 - stretch.behind
        var (start, end) = (since, Double.infinity)
        for camera in cameras {
            let found = try await eventually("\(camera.name) records", within: .seconds(90)) {
                // Nothing is known of a camera before its first segment.
                let all = (try? await box.segments(of: camera.name)) ?? []
                let found = all.filter { states.contains($0.state) && ($0.from ?? 0) >= since }
                return found.count >= count ? found : nil
            }
            start = max(start, found.first?.from ?? .infinity)
            end = min(end, found.last?.from ?? 0)
        }
        return Stretch(behind: stretch.behind, start: start, end: end)
    }

    /// Seconds from what a camera's picture should be at a moment, by the clock of that moment, to what it is.
    func error(of frame: Int, of camera: String, at time: Double) throws -> Double {
        let stretch = [now, hour].first { time >= $0.start } ?? day
        return try watched.error(of: frame, of: camera, at: time + stretch.behind)
    }

    /// Plays from a moment and looks: each picture is of its moment, and comes from the cameras that are shown.
    func expectRight(from time: Double, looks: Int = 25, within tolerance: Double = 0.3) async throws {
        try await watched.seek(time, playing: true)
        var worst = 0.0
        for look in try await watched.looks(looks, every: 100) {
            for (camera, frame) in look.frames {
                let error = try error(of: frame, of: camera, at: look.time)
                worst = max(worst, abs(error))
                #expect(abs(error) < tolerance, "\(camera) at \(look.time - time) s")
            }
            #expect(look.time >= time - 0.1)
        }
        print("pictures are of their moments within \(worst) s")
    }

    /// Removes what the cache holds of a stretch: from now on it is in the store alone.
    func evict(_ stretch: Stretch) throws {
        for camera in Self.cameras {
            for time in stride(from: stretch.start - 30, through: stretch.end + 30, by: 60) {
                let hour = WallTime(microseconds: Int64(time * 1e6)).rfc3339.prefix(13).replacing("T", with: "/")
                let folder = "\(watched.recorder.root)/cache/\(camera.name)/\(hour)"
                guard FileManager.default.fileExists(atPath: folder) else { continue }
                try FileManager.default.removeItem(atPath: folder)
            }
        }
    }
}

extension Box {
    /// Lets the store wait, or no longer.
    fileprivate func sync(_ verb: String) async throws {
        var refusal = ""
        do {
            // A box that has just started has no cvr-sync for a moment.
            try await eventually("cvrctl sync \(verb)", within: .seconds(20)) {
                let done = try await run(["sync", verb])
                refusal = done.errors
                return done.ending == .exited(0) ? true : nil
            }
        } catch {
            throw Missed("\(error): \(refusal)")
        }
    }
}

extension WallTime {
    var seconds: Double { Double(microseconds) / 1e6 }
}

extension Listing.Segment {
    /// UTC seconds.
    var from: Double? { WallTime(rfc3339: start)?.seconds }
}
