import Foundation
import Messages
import Recording
import TestSupport
import Testing

extension BrowserTests {
    /// G.711, which no browser decodes: the server makes AAC of what is recorded, the page itself plays what is live.
    @Suite("Sound", .shared { body in try await WatchedBox.shared(WatchedBox.speaking) { _ in try await body() } })
    struct Sound {
        @Test("recorded sound is heard: the samples that the browser decoded are not silent", arguments: [1, 2])
        func recorded(camera: Int) async throws {
            let name = WatchedBox.speaking[camera - 1].name
            try await WatchedBox.current.scene("sound-\(name)") { box in
                try await box.seek(Date().timeIntervalSince1970 - 15, playing: true)
                try await box.browser.press("\(camera)", "m")
                // It is fetched anew, with its sound.
                try await box.browser.until(
                    "() => cvr.tiles.get(cvr.chosen).player.source?.buffers.sound?.buffered.length")
                try await box.settled()
                let loudness: Double = try await box.browser.value("() => loudnessOf('\(name)')")
                print("recorded G.711 of \(name) in the browser: \(loudness) of full scale")
                #expect(loudness > 0.02)
            }
        }

        @Test("another player shows the picture and is heard: its HLS has AAC beside it", arguments: [1, 2])
        func another(camera: Int) async throws {
            struct Played: Decodable, Sendable {
                let decoded: Int
                let loudness: Double
                let error: String
            }
            let (name, box) = (WatchedBox.speaking[camera - 1].name, try WatchedBox.current)
            let segments = try await box.recorder.segments(of: name).filter { $0.state == "verified" }.prefix(3)
            let (first, last) = try (#require(segments.first), #require(segments.last))
            let to = try #require(last.from) + last.duration
            let range = "startTime=\(first.start),endTime=\(WallTime(microseconds: Int64(to * 1e6)).rfc3339)"
            let url = "\(box.url)assets/\(name)/manifest(format=m3u8-cmaf,\(range)).m3u8"
            try await box.browser.open(box.url + "healthz", scripts: try BrowserTests.otherPlayer())
            let played: Played = try await box.browser.value("() => playManifest('\(url)', 'm3u8', true)")
            try await box.browser.shot("other-player-\(name)")
            let frames = segments.reduce(0) { $0 + Int($1.frames) }
            print("\(name) in video.js: \(played.decoded) of \(frames) frames, \(played.loudness) of full scale")
            #expect(played.error == "" && played.loudness > 0.02)
            // ffmpeg holds every frame to account (`SoundManifestTests`): this one may skip some on a busy machine.
            #expect(played.decoded > frames / 2 && played.decoded <= frames)
        }

        @Test("players of others hear what is live", arguments: [1, 2])
        func followed(camera: Int) async throws {
            let (name, box) = (WatchedBox.speaking[camera - 1].name, try WatchedBox.current)
            let done = try await run(
                "/usr/bin/ffmpeg",
                ["-nostdin", "-xerror", "-i", "\(box.url)live/\(name)/index.m3u8", "-t", "8"]
                    + ["-map", "0:v", "-map", "0:a", "-af", "volumedetect", "-f", "null", "-"], within: .seconds(60))
            #expect(done.ending == .exited(0), "\(done.errors)")
            let found = try #require(done.errors.firstMatch(of: /max_volume: (-?[\d.]+) dB/), "\(done.errors)")
            #expect(try #require(Double(found.output.1)) > -30)
        }

        @Test("where the server refuses sound, the picture goes on without, and says so")
        func refused() async throws {
            try await WatchedBox.current.scene("sound-refused") { box in
                let browser = box.browser
                // Asked for without its end, which a server refuses.
                try await browser.run(
                    "window.whole = fetch; window.fetch = (url, options) => whole(String(url).includes('/sound/') ? url.replace('to=', 'until=') : url, options);"
                )
                try await box.show("alaw")
                try await box.seek(Date().timeIntervalSince1970 - 15, playing: true)
                try await browser.press("m")
                try await browser.until("() => document.getElementById('notice').textContent.includes('without sound')")
                let time: Double = try await browser.value("() => cvr.clock.time")
                try await browser.until("() => cvr.clock.time > \(time + 3) || cvr.isLive")
                let shown: Double = try await browser.value("() => cvr.tiles.get(cvr.chosen).video.currentTime")
                #expect(shown > time + 2)
                // Before the refused moment it is tried again.
                try await browser.run("window.fetch = whole;")
                try await box.seek(time - 8, playing: true)
                let loudness: Double = try await browser.value("() => loudnessOf('alaw')")
                #expect(loudness > 0.02)
            }
        }

        @Test("live sound is heard, and no more when it is switched off", arguments: [1, 2])
        func live(camera: Int) async throws {
            let name = WatchedBox.speaking[camera - 1].name
            try await WatchedBox.current.scene("sound-live-\(name)") { box in
                try await box.settled()
                try await box.browser.press("\(camera)", "m")
                let player = "cvr.tiles.get(cvr.chosen).player"
                try await box.browser.until("() => cvr.isLive && \(player).speaker?.playing.size > 0")
                let loudness: Double = try await box.browser.value(
                    """
                    async () => {
                      const { context, output } = \(player).speaker;
                      const analyser = context.createAnalyser(), samples = new Float32Array(analyser.fftSize);
                      output.connect(analyser);
                      let loudest = 0;
                      for (let look = 0; look < 40; look++) {
                        await new Promise(resolve => setTimeout(resolve, 50));
                        analyser.getFloatTimeDomainData(samples);
                        loudest = Math.max(loudest, Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length));
                      }
                      return loudest;
                    }
                    """)
                print("live G.711 of \(name) in the browser: \(loudness) of full scale")
                #expect(loudness > 0.02)
                try await box.browser.press("m")
                try await box.browser.until("() => !\(player).speaker")
            }
        }
    }
}

extension WatchedBox {
    /// One of each law.
    fileprivate static let speaking = [CameraRig.Camera("alaw", clip: "h264-alaw"), .init("ulaw", clip: "h264-ulaw")]
}
