import Foundation
import Messages
import TestSupport
import Testing

extension BrowserTests {
    /// What real recorders recorded a day ago, an hour ago and now, in cache and store.
    ///
    /// The scenes of exports (`ExportBrowserTests.swift`) and of other players (`PlayerBrowserTests.swift`) are of it too.
    @Suite("Recorded", .shared { body in try await PastBox.shared(during: body) })
    struct Recorded {
        @Test("an hour ago comes from the cache, 9 of 10 looks at two cameras less than two frames apart")
        func hourAgo() async throws {
            let past = try PastBox.current
            try await past.watched.scene("hour-ago") { box in
                let before = try await past.server.requests(of: past.server.bucket)["GET"] ?? 0
                try await box.show("front", "yard")
                try await past.expectRight(from: past.hour.start + 1)
                #expect(try await past.server.requests(of: past.server.bucket)["GET"] ?? 0 == before)
                let differences = try await box.looks(20, every: 70).map { look in
                    let errors = try look.frames.map { try past.error(of: $0.value, of: $0.key, at: look.time) }
                    return (errors.max() ?? 0) - (errors.min() ?? 0)
                }
                print("two cameras are \(differences.max() ?? 0) s apart at most")
                // A frame, and the two cameras' clocks, which are not one.
                #expect(differences.sorted()[17] < 2 / WatchedBox.framesPerSecond)
            }
        }

        @Test("a day ago comes from the store, after the cache lost it")
        func dayAgo() async throws {
            let past = try PastBox.current
            try await past.watched.scene("day-ago") { box in
                try past.evict(past.day)
                let before = try await past.server.requests(of: past.server.bucket)["GET"] ?? 0
                try await box.show("front", "yard")
                try await past.expectRight(from: past.day.start + 1)
                #expect(try await past.server.requests(of: past.server.bucket)["GET"] ?? 0 > before + 2)
            }
        }

        @Test("a day ago comes from the store by a replica that has nothing else")
        func replica() async throws {
            let past = try PastBox.current
            try await past.withReplica { url in
                try await past.watched.scene("day-ago-replica", at: url) { box in
                    try await box.show("front", "yard")
                    let start = ContinuousClock.now
                    try await box.seek(past.day.start + 4, playing: false)
                    let took = ContinuousClock.now - start
                    print("a replica's first picture: \(took)")
                    #expect(took < .seconds(2))
                    try await past.expectRight(from: past.day.start + 2)
                }
            }
        }

        @Test("a gap is said with its reason, and playback goes on behind it")
        func gap() async throws {
            let past = try PastBox.current
            let (from, to) = (past.gap.lowerBound, past.gap.upperBound)
            try await past.watched.scene("gap") { box in
                try await box.show("front", "yard")
                try await box.seek(from - 2, playing: true)
                try await box.browser.until("() => cvr.clock.time > \(from + 1)")
                let message: String = try await box.browser.value(
                    "() => document.querySelector('[data-camera=front] .message').textContent")
                #expect(message.hasPrefix("Gap: camera offline"), "\(message)")
                // The other camera's picture runs on.
                let look = try await box.look()
                #expect(abs(try past.error(of: look.frames["yard"] ?? -1, of: "yard", at: look.time)) < 0.4)
                try await box.browser.shot("gap-reason")
                try await box.browser.until("() => cvr.clock.time > \(to + 0.5)", within: 40)
                try await past.expectRight(from: to + 0.5, looks: 10)
                // Alone it does not wait the gap out.
                try await box.show("front")
                try await box.seek(from - 1, playing: true)
                let start = try await box.look().now
                try await box.browser.until("() => cvr.clock.time > \(to)", within: 40)
                let took = try await box.look().now - start
                #expect(took < to - from, "\(took) s for a gap of \(to - from) s")
            }
        }

        @Test("playback goes on behind a gap of many hours")
        func longGap() async throws {
            let past = try PastBox.current
            try await past.watched.scene("long-gap") { box in
                try await box.show("front", "yard")
                // The key for the next recorded moment finds it, too, which the time line does not show.
                try await box.seek(past.day.start + 2, playing: false)
                try await box.browser.press("g")
                try await box.browser.until("() => Math.abs(cvr.clock.time - \(past.hour.start)) < 60")
                try await box.seek(past.day.end - 0.5, playing: true)
                try await box.browser.until("() => cvr.clock.time > \(past.hour.start - 3)", within: 30)
                try await past.expectRight(from: past.hour.start + 0.5, looks: 10)
            }
        }

        @Test("footage goes on where cache and store meet")
        func seam() async throws {
            let past = try PastBox.current
            try await past.watched.scene("seam") { box in
                let segments = try await box.recorder.segments(of: "front").filter {
                    $0.state == "verified" && ($0.from ?? 0) >= past.hour.start
                }
                for segment in segments[1..<3] {
                    let name = segment.key.split(separator: "/").suffix(3).joined(separator: "/")
                    let files = SegmentFiles.all(in: "\(box.recorder.root)/cache/front").filter {
                        $0.contains(String(name.prefix(24)))
                    }
                    #expect(files.count == 1, "\(files) of \(name)")
                    for file in files { try FileManager.default.removeItem(atPath: file) }
                }
                try await box.show("front")
                // From the cache into the store and out again.
                try await past.expectRight(from: (segments[1].from ?? 0) - 1, looks: 55)
            }
        }

        @Test("a picture of another size goes on in its place, forwards and back")
        func anotherFormat() async throws {
            let past = try PastBox.current
            try await past.watched.scene("another-format") { box in
                try await box.show("yard")
                try await past.expectRight(from: past.change - 2.5, looks: 20)
                try await box.browser.until("() => cvr.clock.time > \(past.change + 0.5)")
                try await box.settled()
                for look in try await box.looks(15, every: 100) {
                    #expect(abs(try past.error(of: look.frames["yard"] ?? -1, of: "yard", at: look.time)) < 0.3)
                }
                for (offset, width) in [(1.5, 480), (-1.5, 320), (2.5, 480)] {
                    try await box.seek(past.change + offset, playing: false)
                    let look = try await box.look()
                    #expect(abs(try past.error(of: look.frames["yard"] ?? -1, of: "yard", at: look.time)) < 0.15)
                    let seen: Int = try await box.browser.value(
                        "() => document.querySelector('[data-camera=yard] video').videoWidth")
                    #expect(seen == width)
                }
            }
        }

        @Test("a codec that the browser has not is said so, with the download")
        func unplayable() async throws {
            let past = try PastBox.current
            try await past.watched.scene("h265") { box in
                try await box.show("gate")
                try await box.browser.until(
                    "() => document.querySelector('[data-camera=gate] .message').textContent.includes('H.265')")
                try await box.browser.run("cvr.seek(\(past.hour.start + 3));")
                try await box.browser.until("() => document.querySelector('[data-camera=gate] .message a')")
                let link: String = try await box.browser.value(
                    "() => document.querySelector('[data-camera=gate] .message a').href")
                let file = "\(BrowserTests.evidence)/h265.mp4"
                try Data(try await Web.get(link).body).write(to: URL(filePath: file))
                let probe = try await run(
                    "/usr/bin/ffprobe", ["-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0", file])
                #expect(probe.text.hasPrefix("hevc"), "\(probe)")
            }
        }

        @Test("a finger on the ruler goes through the pictures, and at its end there")
        func touch() async throws {
            let past = try PastBox.current
            try await past.watched.scene("touch", width: 390, height: 780) { box in
                try await box.show("front")
                // A live page goes along with now.
                try await box.seek(past.hour.start + 2, playing: false)
                try await box.browser.run("cvr.line.zoom(40, \(past.hour.start + 5), 0.5)")
                let place: [Int] = try await box.browser.value(
                    """
                    () => { const ruler = cvr.line.ruler.getBoundingClientRect();
                            return [Math.round(ruler.left + ruler.width / 2), Math.round(ruler.top + ruler.height / 2)]; }
                    """)
                try await box.browser.touch("touchStart", at: [place[0] + 60, place[1]])
                for x in [40, 20, 0] { try await box.browser.touch("touchMove", at: [place[0] + x, place[1]]) }
                let time: Double = try await box.browser.value("() => cvr.line.timeAt(\(place[0]))")
                try await box.browser.until(
                    "() => !document.getElementById('peek').hidden && document.getElementById('peek-picture').naturalWidth"
                )
                try await box.browser.shot("touch-scrub")
                try await box.browser.touch("touchEnd")
                try await box.browser.until("() => !cvr.isLive && document.getElementById('peek').hidden")
                try await box.browser.run("cvr.play(false)")
                try await box.settled()
                #expect(abs(try await box.look().time - time) < 2)
                // The times stay where they are.
                let start: Double = try await box.browser.value("() => cvr.line.start")
                #expect(abs(start - (past.hour.start + 5 - 20)) < 0.1)
            }
        }

        @Test("the picture under the pointer is of its second")
        func thumbnails() async throws {
            let past = try PastBox.current
            try await past.watched.scene("thumbnail") { box in
                for time in [past.day.start + 5, past.hour.start + 4, past.hour.start + 7, past.now.start + 4] {
                    try await box.browser.run("cvr.line.zoom(40, \(time), 0.5)")
                    let place: [Int] = try await box.browser.value(
                        """
                        () => { const row = cvr.line.rows.find(row => row.camera.name === 'front').canvas.getBoundingClientRect();
                                return [Math.round(row.left + row.width / 2), Math.round(row.top + row.height / 2)]; }
                        """)
                    try await box.browser.move(x: place[0] + 3, y: place[1])
                    try await box.browser.move(x: place[0], y: place[1])
                    let second = "new Date(Math.floor(cvr.line.timeAt(\(place[0]))) * 1000).toISOString()"
                    try await box.browser.until(
                        """
                        () => { const picture = document.getElementById('peek-picture');
                                return decodeURIComponent(picture.src).includes(\(second)) && picture.complete && picture.naturalWidth; }
                        """)
                    let seen: [Double] = try await box.browser.value(
                        """
                        () => { const picture = document.getElementById('peek-picture');
                                return [frameIn(picture, picture.naturalWidth, picture.naturalHeight), cvr.line.timeAt(\(place[0]))]; }
                        """)
                    // The keyframe at or before its whole second.
                    let error = try past.error(of: Int(seen[0]), of: "front", at: seen[1].rounded(.down))
                    #expect((-1.1...0.1).contains(error), "\(error)")
                }
            }
        }
    }
}
