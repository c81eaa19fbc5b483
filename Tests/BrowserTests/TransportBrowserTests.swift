import Foundation
import TestSupport
import Testing

extension BrowserTests.Recorded {
    @Test("each step is a frame, over the borders of segments, forwards and back")
    func steps() async throws {
        let past = try PastBox.current
        try await past.watched.scene("steps") { box in
            try await box.show("front")
            try await box.seek(past.hour.start + 1.2, playing: false)
            var last = try await box.look().frames["front"] ?? -1
            for change in Array(repeating: 1, count: 35) + Array(repeating: -1, count: 35) {
                try await box.browser.press(change > 0 ? "." : ",")
                let wanted = (last + change + WatchedBox.frames) % WatchedBox.frames
                try await box.browser.until("() => frameOf('front') === \(wanted)", within: 5)
                last = wanted
            }
            let look = try await box.look()
            #expect(abs(try past.error(of: last, of: "front", at: look.time)) < 0.15)
        }
    }

    @Test("half to sixteen times as fast, it is as fast as that and shows what it says", arguments: [0.5, 2, 4, 8, 16])
    func speed(rate: Double) async throws {
        let past = try PastBox.current
        try await past.watched.scene("speed-\(rate)") { box in
            try await box.show("front", "yard")
            // Enough lies ahead for three seconds.
            try await box.browser.until("() => Date.now() / 1000 > \(past.now.start + 10 + 4 * rate)", within: 90)
            try await box.seek(past.now.start + 1, playing: true)
            try await box.browser.run("cvr.setRate(\(rate));")
            try await box.browser.until("() => cvr.clock.time > \(past.now.start + 1 + rate * 0.5)")
            let looks = try await box.looks(20, every: 100)
            let (time, now) = (looks[19].time - looks[0].time, looks[19].now - looks[0].now)
            let errors = try looks.flatMap { look in
                try look.frames.map { abs(try past.error(of: $0.value, of: $0.key, at: look.time)) }
            }
            print("\(rate)x: \(time / now)x, pictures within \(errors.max() ?? 0) s of footage")
            #expect(abs(time / now - rate) < rate * 0.25)
            // From 0.3 s of the viewer's time on it jumps, which takes a moment.
            #expect(errors.allSatisfy { $0 < 0.4 * max(1, rate) })
        }
    }

    @Test("times are shown and taken in UTC or in the viewer's own")
    func zone() async throws {
        let past = try PastBox.current
        // Half an hour off the whole hours.
        try await past.watched.scene("local-time", zone: "Asia/Kolkata") { box in
            try await box.show("front")
            let time = (past.hour.start + 3).rounded()
            try await box.seek(time, playing: false)
            let utc = Self.text(of: time)
            let local = Self.text(of: time + 5.5 * 3600)
            try await box.browser.until("() => document.getElementById('clock').textContent === '\(utc).0Z'", within: 5)
            try await box.browser.click("#zone")
            try await box.browser.until(
                "() => document.getElementById('clock').textContent === '\(local).0'", within: 5)
            let wanted = (past.day.start + 4).rounded()
            let field = Self.text(of: wanted + 5.5 * 3600).replacing(" ", with: "T")
            try await box.browser.fill("#goto", field)
            try await box.browser.until("() => cvr.clock.time === \(wanted)", within: 5)
            try await box.settled()
            let look = try await box.look()
            #expect(abs(try past.error(of: look.frames["front"] ?? -1, of: "front", at: wanted)) < 0.15)
            // It is remembered.
            try await box.browser.run("location.reload();")
            try await box.browser.until("() => document.getElementById('zone').textContent === 'Local'")
        }
    }

    /// `YYYY-MM-DD hh:mm:ss` of UTC seconds.
    private static func text(of time: Double) -> String {
        String(Date(timeIntervalSince1970: time).ISO8601Format().prefix(19)).replacing("T", with: " ")
    }
}
