import Foundation
import TestSupport
import Testing

extension BrowserTests {
    /// What is recorded now, seen as it comes, by eye, ear and keyboard.
    @Suite("Live", .shared { body in try await WatchedBox.shared { _ in try await body() } })
    struct Live {
        @Test("live pictures are at most 2 s old")
        func live() async throws {
            try await WatchedBox.current.scene("live") { box in
                try await box.settled()
                // From here on it is as late as it stays.
                try await box.browser.until("() => frameOf('front') >= 0 && frameOf('yard') >= 0")
                let latencies = try await box.looks(20, every: 250).flatMap { look in
                    try look.frames.map { -(try box.error(of: $0.value, of: $0.key, at: look.now)) }
                }
                let worst = latencies.max() ?? .infinity
                print("live latency: \(latencies.sorted()[latencies.count / 2]) s median, \(worst) s at most")
                #expect(worst <= 2 && latencies.allSatisfy { $0 > 0 })
            }
        }

        @Test("G.711 is heard: the samples that the browser decoded are not silent")
        func sound() async throws {
            try await WatchedBox.current.scene("sound") { box in
                try await box.seek(Date().timeIntervalSince1970 - 20, playing: true)
                try await box.browser.press("1", "m")
                try await box.settled()
                let loudness: Double = try await box.browser.value("() => loudnessOf('front')")
                print("G.711 in the browser: \(loudness) of full scale")
                #expect(loudness > 0.02)
            }
        }

        @Test("the keyboard does what the pointer does")
        func keyboard() async throws {
            try await WatchedBox.current.scene("keyboard") { box in
                // A step of the time line is a second.
                try await box.browser.run("cvr.line.zoom(60, Date.now() / 1000 - 20, 0.5);")
                try await box.browser.press("l")
                try await box.browser.until("() => cvr.isLive")
                try await box.browser.press("j", " ")
                try await box.browser.until("() => !cvr.isLive && !cvr.clock.isPlaying")
                try await box.browser.press("2", "Enter")
                try await box.browser.until(
                    "() => document.querySelectorAll('.tile').length === 1 && frameOf('yard') >= 0")
                try await box.browser.press("Enter", "1", "u", "-", "+", "ArrowLeft", "?", "Escape")
                try await box.browser.until("() => document.querySelectorAll('.tile').length === 2")
                let spoken: String = try await box.browser.value(
                    "() => document.getElementById('time').getAttribute('aria-valuetext')")
                #expect(spoken.contains("recorded"), "\(spoken)")
                // Each control can be reached, and says what it is.
                let nameless: Int = try await box.browser.value(
                    """
                    () => [...document.querySelectorAll('button, select, input, [role=slider]')]
                      .filter(control => !(control.ariaLabel || control.textContent.trim() || control.labels?.length)).length
                    """)
                #expect(nameless == 0)
            }
        }

        @Test("a phone shows it without scrolling sideways")
        func phone() async throws {
            try await WatchedBox.current.scene("phone", width: 390, height: 780) { box in
                try await box.browser.until("() => frameOf('front') >= 0")
                let overflow: Int = try await box.browser.value(
                    "() => document.documentElement.scrollWidth - innerWidth")
                #expect(overflow <= 0)
            }
        }
    }
}
