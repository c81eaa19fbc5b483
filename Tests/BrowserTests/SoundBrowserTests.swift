import Foundation
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
                try await box.settled()
                let loudness: Double = try await box.browser.value("() => loudnessOf('\(name)')")
                print("recorded G.711 of \(name) in the browser: \(loudness) of full scale")
                #expect(loudness > 0.02)
            }
        }

        @Test("live sound is heard, and goes with the picture", arguments: [1, 2])
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
