import Foundation
import Messages
import Recording
import TestSupport
import Testing

extension BrowserTests {
    /// Cameras whose footage changes its codec or its tracks: what a browser cannot play costs its own moments alone.
    @Suite("Changed", .shared { body in try await WatchedBox.changed { _ in try await body() } })
    struct Changed {
        private static let message = "document.querySelector('[data-camera=front] .message').textContent"

        @Test("footage of a codec that the browser has not is passed, and seen before and behind")
        func codec() async throws {
            try await WatchedBox.current.scene("changed-codec") { box in
                let browser = box.browser
                let parts = try await box.sessions(of: "front")
                try #require(parts.count == 3)
                try await box.show("front")
                // It is fetched long before its moment.
                try await box.seek(parts[0].upperBound - 3, playing: true)
                for look in try await box.looks(15, every: 100) where look.time < parts[0].upperBound - 0.2 {
                    #expect(abs(try box.error(of: look.frames["front"] ?? -1, of: "plain", at: look.time)) < 0.3)
                }
                try await browser.until("() => \(Self.message).includes('H.265')")
                #expect(try await box.look().time > parts[0].upperBound - 0.5)
                for part in [2, 0, 2] {
                    try await box.expectPlain("front", at: parts[part].lowerBound + 3)
                    #expect(try await browser.value("() => \(Self.message)") == "")
                    try await browser.run("cvr.seek(\(parts[1].lowerBound + 3));")
                    try await browser.until("() => \(Self.message).includes('H.265')")
                }
                try await browser.run("cvr.seek(\(parts[1].upperBound - 1)); cvr.play(true);")
                try await browser.until("() => cvr.clock.time > \(parts[2].lowerBound + 1)")
                try await box.settled()
                let look = try await box.look()
                #expect(abs(try box.error(of: look.frames["front"] ?? -1, of: "plain", at: look.time)) < 0.3)
            }
        }

        @Test("a camera that got a microphone is seen and heard on, and back")
        func tracks() async throws {
            try await WatchedBox.current.scene("changed-tracks") { box in
                let browser = box.browser
                let parts = try await box.sessions(of: "mic")
                try #require(parts.count == 2)
                try await box.show("mic")
                try await box.seek(parts[0].upperBound - 3, playing: true)
                try await browser.until("() => cvr.clock.time > \(parts[1].lowerBound + 1)")
                try await box.settled()
                let look = try await box.look()
                #expect(abs(try box.error(of: look.frames["mic"] ?? -1, of: "plain", at: look.time)) < 0.3)
                try await browser.until("() => cvr.tiles.get(cvr.chosen).video.webkitAudioDecodedByteCount > 0")
                try await box.seek(parts[0].lowerBound + 3, playing: false)
                let before = try await box.look()
                #expect(abs(try box.error(of: before.frames["mic"] ?? -1, of: "quiet", at: before.time)) < 0.2)
                try await box.expectPlain("mic", at: parts[1].lowerBound + 3)
            }
        }

        @Test("behind all footage it stands and says so")
        func end() async throws {
            try await WatchedBox.current.scene("end") { box in
                let browser = box.browser
                #expect(try await box.recorder.run(["camera", "stop", "mic"]).ending == .exited(0))
                try await eventually("mic stands", within: .seconds(30)) {
                    try await box.recorder.status(of: "mic").state == "stopped" ? true : nil
                }
                let end = try #require(try await box.sessions(of: "mic").last).upperBound
                // An hour later, says this browser.
                try await browser.run("const now = Date.now; Date.now = () => now() + 3_600_000;")
                try await box.show("mic")
                try await box.seek(end - 1.5, playing: true)
                try await browser.until(
                    "() => document.getElementById('notice').textContent === 'Nothing was recorded after this.'")
                let isPlaying: Bool = try await browser.value("() => cvr.clock.isPlaying")
                #expect(!isPlaying)
                #expect(abs(try await box.look().time - end) < 5)
            }
        }
    }
}

extension WatchedBox {
    /// What the cameras of the box are one after another: cameras of the rig.
    private static let changes = [
        ["front": "plain", "mic": "quiet"], ["front": "modern", "mic": "plain"], ["front": "plain"],
    ]

    fileprivate static func changed(during body: @Sendable (WatchedBox) async throws -> Void) async throws {
        let cameras: [CameraRig.Camera] = [
            .init("plain", clip: "coded-aac"), .init("modern", clip: "h265"), .init("quiet", clip: "coded-other-size"),
        ]
        try await shared(cameras, settings: { $0.cameras = [] }, start: change, during: body)
    }

    /// Starts the box and returns when each camera has some segments of all that it was.
    @Sendable private static func change(_ box: Box, _ rig: CameraRig) async throws {
        try await box.start()
        var (urls, sessions): ([String: String], [String: Int64]) = ([:], [:])
        for change in changes {
            urls.merge(try change.mapValues { try rig.url($0) }) { $1 }
            var settings = await box.settings
            settings.cameras = urls.sorted { $0.key < $1.key }.map { .init($0.key, url: $0.value) }
            try await box.configure(settings)
            let done = try await box.run(["reload"])
            guard done.ending == .exited(0) else { throw Missed("cvrctl reload: \(done.errors)") }
            for camera in change.keys {
                let known = sessions[camera] ?? 0
                let session: Int64 = try await eventually("\(camera) records", within: .seconds(60)) {
                    // Nothing is known of a camera before its first segment.
                    let found = ((try? await box.segments(of: camera)) ?? []).filter { $0.session > known }
                    return found.count > 4 ? found.last?.session : nil
                }
                sessions[camera] = session
            }
        }
    }

    /// From when to when there is footage of each of a camera's sessions, in UTC seconds.
    fileprivate func sessions(of camera: String) async throws -> [ClosedRange<Double>] {
        let all = Dictionary(grouping: try await recorder.segments(of: camera), by: \.session).sorted {
            $0.key < $1.key
        }
        return try all.map { _, segments in
            guard let first = segments.first?.from, let last = segments.last, let from = last.from else {
                throw Missed("when \(camera) recorded")
            }
            return first...max(first, from + last.duration)
        }
    }

    fileprivate func expectPlain(_ camera: String, at time: Double) async throws {
        try await seek(time, playing: false)
        let look = try await look()
        #expect(abs(try error(of: look.frames[camera] ?? -1, of: "plain", at: look.time)) < 0.2)
    }
}
