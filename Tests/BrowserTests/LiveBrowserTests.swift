import Foundation
import Messages
import TestSupport
import Testing

extension BrowserTests {
    /// What is recorded now, seen as it comes, long before its segment is closed.
    @Suite(
        "Live",
        .shared { body in
            try await WatchedBox.shared(settings: WatchedBox.fiveMinutes, start: WatchedBox.begin) { _ in
                try await body()
            }
        })
    struct Live {
        @Test("live pictures are at most 2 s old, in segments of 5 min")
        func live() async throws {
            try await WatchedBox.current.scene("live") { box in
                try await box.settled()
                // From here on it is as late as it stays.
                try await box.browser.until("() => frameOf('front') >= 0 && frameOf('yard') >= 0")
                let latencies = try await box.latencies(seconds: 45)
                #expect(latencies.allSatisfy { (0...2).contains($0) })
                #expect(try await box.growingSeconds(of: "front") > 40)
            }
        }

        @Test("who comes a minute into a segment of 5 min sees what is now, and what was 5 s ago")
        func late() async throws {
            let watched = try WatchedBox.current
            try await eventually("a minute of a segment", within: .seconds(90)) {
                try await watched.growingSeconds(of: "front") > 60 ? true : nil
            }
            try await watched.scene("late") { box in
                try await box.settled()
                try await box.browser.until("() => frameOf('front') >= 0 && frameOf('yard') >= 0")
                let latencies = try await box.latencies(seconds: 15)
                #expect(latencies.allSatisfy { (0...2).contains($0) })
                let asked = ContinuousClock.now
                try await box.seek(Date().timeIntervalSince1970 - 5, playing: true)
                print("5 s ago, in a segment that grows: shown after \(ContinuousClock.now - asked)")
                var worst = 0.0
                for look in try await box.looks(40, every: 100) {
                    #expect((4...9).contains(look.now - look.time), "\(look.now - look.time) s ago")
                    for (camera, frame) in look.frames {
                        worst = max(worst, abs(try box.error(of: frame, of: camera, at: look.time)))
                    }
                }
                print("pictures of 5 s ago are of their moments within \(worst) s")
                #expect(worst < 0.3)
                #expect(try await box.growingSeconds(of: "front") > 60)
            }
        }

        @Test(
            "a phone shows pictures, controls and time line without scrolling sideways",
            arguments: [(390, 780), (360, 640)])
        func phone(width: Int, height: Int) async throws {
            try await WatchedBox.current.scene("phone-\(width)", width: width, height: height) { box in
                try await box.browser.until("() => frameOf('front') >= 0")
                let overflow: Int = try await box.browser.value(
                    "() => document.documentElement.scrollWidth - innerWidth")
                #expect(overflow <= 0)
                let hidden: [String] = try await box.browser.value(
                    """
                    () => [...document.querySelectorAll('.deck button, .deck select, #time, #legend, .tile')].filter(element => {
                      const { top, bottom, left, right } = element.getBoundingClientRect();
                      const isInGrid = element.matches('.tile ~ .tile');
                      return !isInGrid && (top < 0 || left < 0 || right > innerWidth || bottom > innerHeight);
                    }).map(nameOf)
                    """)
                #expect(hidden == [])
            }
        }

        @Test("a year is asked for once, and after that the end of what is seen")
        func coverage() async throws {
            try await WatchedBox.current.scene("year") { box in
                let browser = box.browser
                try await browser.run("performance.setResourceTimingBufferSize(4000); cvr.line.zoom(31622400);")
                try await browser.until(
                    "() => [...cvr.line.known.values()].every(known => known.from <= cvr.line.start)")
                let year = try await box.asked(within: 12)
                #expect(year == [], "of a year, in 12 s")
                try await browser.run("cvr.line.zoom(600, Date.now() / 1000, 0.9);")
                try await browser.until("() => cvr.line.spanAt(cvr.chosen, Date.now() / 1000 - 4)?.kind === 'recorded'")
                let minutes = try await box.asked(within: 12)
                print("coverage asked of two cameras in 12 s: \(year) s of a year, \(minutes) s of ten minutes")
                #expect((2...8).contains(minutes.count) && minutes.allSatisfy { $0 < 660 })
            }
        }
    }
}

extension BrowserTests {
    /// More cameras than a browser has connections for a server.
    @Suite(
        "Wall",
        .shared { body in
            try await WatchedBox.shared(
                WatchedBox.wall, settings: WatchedBox.fiveMinutes, start: WatchedBox.begin
            ) { _ in try await body() }
        })
    struct Wall {
        @Test("sixteen cameras are live at a time over one connection, 19 of 20 looks at most 2 s behind")
        func wall() async throws {
            let box = try WatchedBox.current
            let names = WatchedBox.wall.map(\.name).joined(separator: ",")
            try await box.scene("wall", at: "\(box.url)#cameras=\(names)", width: 1600, height: 1000) { box in
                try await box.browser.until("() => cvr.visible.every(camera => frameOf(camera.name) >= 0)", within: 60)
                let streams = try await box.browser.underWay().filter { $0.contains("/live/") }
                #expect(streams.count == 1 && streams[0].components(separatedBy: "camera=").count == 17, "\(streams)")
                // Two cores that record, send and draw sixteen cameras stumble at times.
                let latencies = try await box.latencies(seconds: 30).sorted()
                #expect(latencies[latencies.count * 95 / 100] <= 2)
                let moved: [String: Set<Int>] = try await box.looks(8, every: 300).reduce(into: [:]) { moved, look in
                    for (camera, frame) in look.frames { moved[camera, default: []].insert(frame) }
                }
                #expect(moved.count == 16 && moved.values.allSatisfy { $0.count > 4 })
                // More rows than there is room for: what they show stands below its time all the same.
                let offsets: [Double] = try await box.browser.value(
                    """
                    () => { const rows = document.getElementById('rows'), ruler = cvr.line.ruler.getBoundingClientRect();
                            return [rows.offsetWidth - rows.clientWidth, ...cvr.line.rows.map(row => row.canvas.getBoundingClientRect())
                              .map(row => Math.abs(row.left - ruler.left) + Math.abs(row.right - ruler.right))]; }
                    """)
                #expect(offsets.count == 17 && offsets[0] > 0 && offsets[1...].allSatisfy { $0 < 0.5 }, "\(offsets)")
            }
        }
    }
}

extension BrowserTests.Wall {
    @Test("rows out of sight are not asked for, and are when they come into it")
    func rows() async throws {
        let box = try WatchedBox.current
        try await box.scene("rows", width: 1000, height: 560) { box in
            let browser = box.browser
            let known = "[...cvr.line.known].filter(([, known]) => known.to > 0).map(([camera]) => camera.name)"
            try await browser.until("() => cvr.visible.every(camera => \(known).includes(camera.name))")
            _ = try await box.asked(within: 3)
            let names: [String] = try await browser.value("() => \(known)")
            #expect((4...10).contains(names.count), "\(names)")
            try await browser.run("document.getElementById('rows').scrollTop = 1e6;")
            try await browser.until("() => \(known).includes(cvr.cameras.at(-1).name)")
        }
    }
}

extension WatchedBox {
    /// Lengths of what the page asks coverage of in the next seconds, in seconds.
    fileprivate func asked(within seconds: Int) async throws -> [Double] {
        try await browser.run("performance.clearResourceTimings(); window.since = performance.now();")
        try await browser.until("() => performance.now() - since > \(seconds * 1000)", within: seconds + 20)
        return try await browser.value(
            """
            () => performance.getEntriesByType('resource').map(entry => new URL(entry.name)).filter(url => url.pathname === '/coverage')
              .map(url => (Date.parse(url.searchParams.get('to')) - Date.parse(url.searchParams.get('from'))) / 1000)
            """)
    }

    fileprivate static let wall = (1...16).map { CameraRig.Camera("camera-\($0)", clip: "coded-aac") }

    /// As a box is installed: nothing that is watched here is closed yet, still less stored.
    @Sendable fileprivate static func fiveMinutes(_ settings: inout BoxSettings) { settings.segmentLength = "PT5M" }

    /// Starts the box and returns when each of its cameras is recorded.
    @Sendable fileprivate static func begin(_ box: Box, _ rig: CameraRig) async throws {
        try await box.start()
        try await box.until(Array(rig.urls.keys), are: "recording", within: .seconds(60))
    }

    /// How much the segment has that a camera's worker writes.
    fileprivate func growingSeconds(of camera: String) async throws -> Double {
        let answer = try await Web.get("\(url)segments?camera=\(camera)")
        let segments = try JSONDecoder().decode([Listing.Segment].self, from: Data(answer.body))
        return segments.last { $0.state == "recording" }?.duration ?? 0
    }

    /// How old the pictures are, twice a second, in seconds.
    ///
    /// Prints the median and the worst.
    func latencies(seconds: Int) async throws -> [Double] {
        var found: [Double] = []
        for _ in 0..<max(1, seconds / 15) {
            for look in try await looks(30, every: 500) {
                for (camera, frame) in look.frames { found.append(-(try error(of: frame, of: camera, at: look.now))) }
            }
        }
        let sorted = found.sorted()
        print(
            "live: \(sorted.count) looks at \(rig.urls.count) cameras, \(sorted[sorted.count / 2]) s behind (median), "
                + "\(sorted[sorted.count * 95 / 100]) s (95 %), \(sorted.last ?? 0) s (most)")
        return found
    }
}
