import Foundation
import Messages
import Recording
import TestSupport
import Testing

/// A box whose cameras' frames a program can tell apart, its page in a browser, and what has to be seen there.
struct WatchedBox: Sendable {
    /// The one of the running suite.
    @TaskLocal private static var shared: WatchedBox?

    static let cameras: [CameraRig.Camera] = [.init("front", clip: "coded-alaw"), .init("yard", clip: "coded-aac")]
    /// Of every coded clip.
    static let framesPerSecond = 15.0
    static let frames = 900

    let recorder: Box
    let rig: CameraRig
    let browser: Browser
    /// Of the page.
    let url: String
    /// For each camera, ascending: a moment, in UTC seconds, the frame that it sent then, and since when it counts so.
    private var anchors: [String: [(since: Double, time: Double, frame: Double)]] = [:]

    static var current: WatchedBox { get throws { try #require(shared, "a suite that has a box") } }

    /// Runs `body` with a box that records and its open page; whatever happens, nothing of it runs afterwards.
    ///
    /// `settings` changes the box's; `start` starts it, and returns when it has recorded what `body` needs.
    static func shared(
        _ cameras: [CameraRig.Camera] = cameras, settings change: (inout BoxSettings) throws -> Void = { _ in },
        start: @Sendable (Box, CameraRig) async throws -> Void = record,
        during body: @Sendable (WatchedBox) async throws -> Void
    ) async throws {
        try await withCameras(
            cameras,
            settings: {
                $0.playback = ["listen: 127.0.0.1:0"]
                try change(&$0)
            }
        ) { box, rig in
            try await start(box, rig)
            let browser = try await Browser(folder: BrowserTests.evidence)
            do {
                let watched = try await WatchedBox(box, rig, browser, cameras)
                try await $shared.withValue(watched) { try await body(watched) }
                await browser.stop()
            } catch {
                await browser.stop()
                throw error
            }
        }
    }

    private init(_ recorder: Box, _ rig: CameraRig, _ browser: Browser, _ cameras: [CameraRig.Camera]) async throws {
        (self.recorder, self.rig, self.browser) = (recorder, rig, browser)
        url = try await Self.page(of: recorder)
        for camera in cameras { try await anchor(camera.name, since: 0) }
    }

    /// Starts the box and returns when each of its cameras has some closed segments.
    @Sendable static func record(_ box: Box, _ rig: CameraRig) async throws {
        try await box.start()
        for camera in rig.urls.keys {
            try await eventually("\(camera) records", within: .seconds(60)) {
                // Nothing is known of a camera before its first segment.
                let count = (try? await box.segments(of: camera).count) ?? 0
                return count > 6 ? true : nil
            }
        }
    }

    /// Asks a camera where it is in its clip: since a moment, when it changed its clip, it counts so.
    mutating func anchor(_ camera: String, since: Double) async throws {
        let (time, frame) = try await Self.place(of: camera, in: rig)
        anchors[camera, default: []].append((since, time, frame))
    }

    /// From the first frame of the clip that a camera went over to a moment ago its frames count anew; says when that was.
    mutating func newClip(of camera: String) async throws -> Double {
        let (time, frame) = try await Self.place(of: camera, in: rig)
        let start = time - frame / Self.framesPerSecond
        anchors[camera, default: []].append((start, time, frame))
        return start
    }

    /// A moment and the frame of its clip that a camera is to send then.
    private static func place(of camera: String, in rig: CameraRig) async throws -> (time: Double, frame: Double) {
        var newest: (time: Double, frame: Double)?
        // On a busy machine a camera is late to send, never early: the answer that is furthest on counts.
        for _ in 0..<8 {
            let before = Date().timeIntervalSince1970
            // Came due within a frame's time before it was asked.
            let frame = Double(try await rig.tracks(of: camera)[0].last) + 0.5
            let now = (before + Date().timeIntervalSince1970) / 2
            if let newest, Self.seconds(from: newest.frame, to: frame) < now - newest.time { continue }
            newest = (now, frame)
        }
        guard let newest else { throw Missed("\(camera) does not say where it is") }
        return newest
    }

    /// Between two frames of a clip that goes round: at most half of it, either way.
    static func seconds(from: Double, to frame: Double) -> Double {
        let length = Double(frames)
        let difference = (frame - from).truncatingRemainder(dividingBy: length)
        let nearest =
            difference > length / 2 ? difference - length : difference < -length / 2 ? difference + length : difference
        return nearest / framesPerSecond
    }

    /// Where the box serves its page, once it does.
    private static func page(of box: Box) async throws -> String {
        try await eventually("cvr-playback serves", within: .seconds(30)) {
            guard let address = try await box.status().playback?.listen, !address.hasSuffix(":0") else { return nil }
            let url = "http://\(address)/"
            // Refused until it listens.
            let isServed = (try? await Web.get(url + "healthz").status) == 200
            return isServed ? url : nil
        }
    }

    /// Seconds from what the picture should show at `time` to what it shows: negative is late.
    func error(of frame: Int, of camera: String, at time: Double) throws -> Double {
        guard frame >= 0 else { throw Missed("the picture of \(camera) has no number") }
        guard let anchor = anchors[camera]?.last(where: { $0.since <= time }) else {
            throw Missed("a camera \(camera)")
        }
        let expected = anchor.frame + (time - anchor.time) * Self.framesPerSecond
        return Self.seconds(from: expected, to: Double(frame) + 0.5)
    }

    /// Plays a scene on a newly opened page, which is live, and keeps a picture of its end: NAME.png, or
    /// NAME-failed.png, which says more than the error.
    func scene(
        _ name: String, at page: String? = nil, width: Int = 1280, height: Int = 800, zone: String = "UTC",
        _ play: (WatchedBox) async throws -> Void
    ) async throws {
        _ = await browser.newComplaints()
        do {
            try await browser.open(page ?? url, width: width, height: height, zone: zone)
            try await browser.until("() => window.cvr")
            try await play(self)
            try await browser.shot(name)
        } catch {
            // The page may be what failed.
            try? await browser.shot("\(name)-failed")
            throw error
        }
        let complaints = await browser.newComplaints()
        #expect(!complaints.contains("Content Security Policy") && !complaints.contains("uncaught "), "\(complaints)")
    }

    /// One look at the page: the moment that it says it shows, now, and the frames that are seen.
    struct Look: Decodable, Sendable {
        let time: Double
        let now: Double
        let frames: [String: Int]
    }

    func look() async throws -> Look { try await looks(1)[0] }

    /// So many looks at the page, so many milliseconds after each other.
    func looks(_ count: Int, every milliseconds: Int = 0) async throws -> [Look] {
        try await browser.value(
            """
            async () => {
              const looks = [];
              while (looks.length < \(count)) {
                if (looks.length) await new Promise(resolve => setTimeout(resolve, \(milliseconds)));
                looks.push({ time: cvr.time, now: Date.now() / 1000,
                  frames: Object.fromEntries(cvr.visible.map(camera => [camera.name, frameOf(camera.name)])) });
              }
              return looks;
            }
            """)
    }

    /// Goes to a moment and waits until every picture is there.
    func seek(_ time: Double, playing: Bool) async throws {
        try await browser.run("cvr.seek(\(time)); cvr.play(\(playing));")
        try await settled()
    }

    func settled(within seconds: Int = 20) async throws {
        try await browser.until(
            "() => !cvr.clock.isHeld && cvr.players.every(tile => tile.state === 'playing' && tile.video && !tile.video.seeking)",
            within: seconds)
    }

    /// Shows these cameras and no others, in their order.
    func show(_ cameras: String...) async throws {
        let names = cameras.map { "'\($0)'" }.joined(separator: ",")
        try await browser.run(
            """
            cvr.alone = false;
            cvr.shown = cvr.cameras.filter(camera => [\(names)].includes(camera.name));
            cvr.chosen = cvr.shown[0];
            cvr.layout();
            """)
    }
}
