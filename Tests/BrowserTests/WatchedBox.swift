import Foundation
import Recording
import TestSupport

/// A box with two cameras whose frames a program can tell apart, its page in a browser, and what has to be seen there.
struct WatchedBox: Sendable {
    static let cameras: [CameraRig.Camera] = [.init("front", clip: "coded-alaw"), .init("yard", clip: "coded-aac")]
    /// Of both clips.
    static let framesPerSecond = 15.0
    static let frames = 900

    let browser: Browser
    let rig: CameraRig
    /// For each camera a moment, in UTC seconds, and the frame that it sent then.
    private let anchors: [String: (time: Double, frame: Double)]

    init(_ browser: Browser, _ rig: CameraRig) async throws {
        (self.browser, self.rig) = (browser, rig)
        var anchors: [String: (time: Double, frame: Double)] = [:]
        for camera in Self.cameras {
            let before = Date().timeIntervalSince1970
            let frame = Double(try await rig.tracks(of: camera.name)[0].last)
            // Came due within a frame's time before it was asked.
            anchors[camera.name] = ((before + Date().timeIntervalSince1970) / 2, frame + 0.5)
        }
        self.anchors = anchors
    }

    /// Where the box serves its page, once it does.
    static func page(of box: Box) async throws -> String {
        try await eventually("cvr-playback serves", within: .seconds(30)) {
            let status = try JSONDecoder().decode(Status.self, from: try await box.run(["--json", "status"]).output)
            guard let address = status.playback?.listen, !address.hasSuffix(":0") else { return nil }
            let url = "http://\(address)/"
            // Refused until it listens.
            let isServed = (try? await Web.get(url + "healthz").status) == 200
            return isServed ? url : nil
        }
    }

    private struct Status: Decodable {
        struct Playback: Decodable {
            let listen: String?
        }

        let playback: Playback?
    }

    /// Seconds from what the picture should show at `time` to what it shows: negative is late.
    func error(of frame: Int, of camera: String, at time: Double) throws -> Double {
        guard frame >= 0 else { throw Missed("the picture of \(camera) has no number") }
        guard let anchor = anchors[camera] else { throw Missed("a camera \(camera)") }
        let expected = anchor.frame + (time - anchor.time) * Self.framesPerSecond
        let length = Double(Self.frames)
        let difference = (Double(frame) + 0.5 - expected).truncatingRemainder(dividingBy: length)
        let nearest =
            difference > length / 2 ? difference - length : difference < -length / 2 ? difference + length : difference
        return nearest / Self.framesPerSecond
    }

    /// One look at the page: the moment that it says it shows, now, and the frames that are seen.
    struct Look: Decodable, Sendable {
        let time: Double
        let now: Double
        let frames: [String: Int]
    }

    func look() async throws -> Look {
        try await browser.value(
            """
            () => ({ time: cvr.time, now: Date.now() / 1000,
                     frames: Object.fromEntries(cvr.visible.map(camera => [camera.name, frameOf(camera.name)])) })
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
}
