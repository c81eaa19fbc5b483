import Foundation
import TestSupport
import Testing

extension BrowserTests {
    /// Two cameras show the same moment: told from the numbers in their pictures, and from when the footage says that
    /// these frames were.
    @Suite("Step", .shared { body in try await WatchedBox.shared { _ in try await body() } })
    struct Step {
        private static let frame = 1 / WatchedBox.framesPerSecond

        @Test(
            "two cameras that play are a frame apart at most in half of all looks, two in 9 of 10",
            arguments: [1.0, 4.0])
        func playing(rate: Double) async throws {
            try await WatchedBox.current.scene("step-\(Int(rate))x") { box in
                let ties = try await box.ties()
                try await box.seek(Date().timeIntervalSince1970 - 5 - 6 * rate, playing: true)
                try await box.browser.run("cvr.setRate(\(rate));")
                try await box.settled()
                try await box.browser.until(
                    "() => cvr.players.every(tile => Math.abs(tile.video.currentTime - cvr.clock.time) < 0.05)")
                let differences = try await box.looks(40, every: 100).map { ties.difference($0) }
                try report("at \(rate)x", differences)
            }
        }

        @Test("after half of all jumps two cameras are a frame apart at most, after 9 of 10 two")
        func jumps() async throws {
            try await WatchedBox.current.scene("step-seek") { box in
                let ties = try await box.ties()
                var differences: [Double] = []
                for jump in 0..<8 {
                    try await box.seek(Date().timeIntervalSince1970 - 6 - Double(jump) * 1.37, playing: jump % 2 == 0)
                    differences.append(ties.difference(try await box.look()))
                }
                try report("after a jump", differences)
            }
        }

        @Test("a camera that is late again and again does not hold up the others again and again")
        func patience() async throws {
            try await WatchedBox.current.scene("step-late") { box in
                // Late half of the time, for two minutes of a clock of our own.
                let time: Double = try await box.browser.value(
                    """
                    async () => {
                      const { Clock } = await import('./page/clock.js'), { now } = performance;
                      let time = 0;
                      performance.now = () => time;
                      const clock = new Clock();
                      clock.time = 0;
                      clock.change({ isPlaying: true });
                      for (; time < 120000; time += 20) clock.hold(time % 4000 < 2000);
                      const shown = clock.time;
                      performance.now = now;
                      return shown;
                    }
                    """)
                print("a clock of two minutes waited \(120 - time) s for a camera that was late for 60 s")
                #expect((90..<118).contains(time))
            }
        }

        /// Frames of two cameras begin up to one apart when they are in step.
        private func report(_ what: String, _ differences: [Double]) throws {
            let frames = differences.map { abs($0) / Self.frame }.sorted()
            print("two cameras \(what): \(frames[frames.count / 2]) frames apart (median), \(frames.last ?? 0) at most")
            #expect(frames[frames.count / 2] < 1.1)
            #expect(frames[frames.count * 9 / 10] < 2)
        }
    }
}

/// For each camera a frame's number and when it was, as its footage says.
private struct Ties {
    let all: [String: (frame: Int, time: Double)]

    /// Seconds between the moments that the first two pictures show.
    func difference(_ look: WatchedBox.Look) -> Double {
        let times = look.frames.sorted { $0.key < $1.key }.map { camera, frame -> Double in
            guard frame >= 0, let tie = all[camera] else { return .infinity }
            return tie.time + WatchedBox.seconds(from: Double(tie.frame), to: Double(frame))
        }
        return times.count == 2 ? times[1] - times[0] : .infinity
    }
}

extension WatchedBox {
    /// Told while the pictures stand.
    fileprivate func ties() async throws -> Ties {
        try await seek(Date().timeIntervalSince1970 - 8, playing: false)
        try await browser.until("() => cvr.visible.every(camera => frameOf(camera.name) >= 0)")
        let ties: [String: [Double]] = try await browser.value(
            """
            () => Object.fromEntries(cvr.visible.map(camera => {
              const { player } = cvr.tiles.get(camera);
              return [camera.name, [frameOf(camera.name), player.frames[player.frameIndex(cvr.clock.time)]]];
            }))
            """)
        return Ties(all: ties.mapValues { (Int($0[0]), $0[1]) })
    }
}
