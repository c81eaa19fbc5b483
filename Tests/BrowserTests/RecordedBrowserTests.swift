import Foundation
import Messages
import Recording
import TestSupport
import Testing

extension BrowserTests {
    @Suite("Recorded", .shared { body in try await WatchedBox.shared { _ in try await body() } })
    struct Recorded {
        @Test("recorded pictures are of the moment, two cameras in step")
        func recorded() async throws {
            try await WatchedBox.current.scene("recorded") { box in
                try await box.seek(Date().timeIntervalSince1970 - 15, playing: true)
                var (errors, differences) = ([Double](), [Double]())
                for look in try await box.looks(40, every: 90) {
                    let both = try look.frames.map { try box.error(of: $0.value, of: $0.key, at: look.time) }
                    errors += both
                    differences.append(abs((both.max() ?? 0) - (both.min() ?? 0)))
                }
                print(
                    "recorded: \(errors.map(abs).max() ?? 0) s off at most; two cameras \(differences.max() ?? 0) s apart at most"
                )
                #expect(errors.allSatisfy { abs($0) < 0.3 })
                // A frame, and the two cameras' clocks, which are not one.
                #expect(differences.sorted()[36] < 2 / WatchedBox.framesPerSecond)
            }
        }

        @Test("steps of a frame, and speeds")
        func steps() async throws {
            try await WatchedBox.current.scene("steps") { box in
                try await box.seek(Date().timeIntervalSince1970 - 12.3, playing: false)
                var last = try await box.look().frames["front"] ?? -1
                for (key, change) in [(".", 1), (".", 1), (",", -1), (".", 1)] {
                    try await box.browser.press(key)
                    let wanted = (last + change + WatchedBox.frames) % WatchedBox.frames
                    try await box.browser.until("() => frameOf('front') === \(wanted)", within: 5)
                    last = wanted
                }
                for rate in [0.5, 16.0] {
                    try await box.seek(Date().timeIntervalSince1970 - 20, playing: true)
                    try await box.browser.run("cvr.setRate(\(rate));")
                    let looks = try await box.looks(2, every: 500)
                    let (time, now) = (looks[1].time - looks[0].time, looks[1].now - looks[0].now)
                    #expect(abs(time / now - rate) < rate * 0.4)
                }
            }
        }

        @Test("the picture under the pointer is of its second")
        func thumbnail() async throws {
            try await WatchedBox.current.scene("thumbnail") { box in
                try await box.browser.run("cvr.line.zoom(60, Date.now() / 1000 - 20, 0.5)")
                let place: [Int] = try await box.browser.value(
                    """
                    () => { const row = cvr.line.rows[0].canvas.getBoundingClientRect();
                            return [Math.round(row.left + row.width * 0.45), Math.round(row.top + row.height / 2)]; }
                    """)
                try await box.browser.move(x: place[0], y: place[1])
                try await box.browser.until("() => document.getElementById('peek-picture').naturalWidth > 0")
                let seen: [Double] = try await box.browser.value(
                    """
                    () => { const picture = document.getElementById('peek-picture');
                            return [frameIn(picture, picture.naturalWidth, picture.naturalHeight), cvr.line.timeAt(\(place[0]))]; }
                    """)
                let error = try box.error(of: Int(seen[0]), of: "front", at: seen[1])
                // The keyframe at or before it, at a whole second.
                #expect((-2.3...0.3).contains(error), "\(error)")
            }
        }

        @Test("an exported clip has the frames of its range")
        func export() async throws {
            try await WatchedBox.current.scene("export") { box in
                let end = Date().timeIntervalSince1970 - 6
                try await box.browser.run("cvr.clip = [\(end - 8), \(end)]; cvr.openExport();")
                try await box.browser.until("() => !document.getElementById('export-start').disabled")
                let path = try await box.browser.download("#export-start")
                let probe = try await run(
                    "/usr/bin/ffprobe",
                    [
                        "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries",
                        "stream=nb_read_frames", "-of",
                        "csv=p=0", path,
                    ])
                let frames = try #require(
                    Int(probe.text.trimmingCharacters(in: .whitespacesAndNewlines)), "\(probe.errors)")
                // From a keyframe to the end of a fragment: up to a second more at both ends.
                #expect((8 * 15 - 1...10 * 15 + 15).contains(frames), "\(frames)")
            }
        }

        @Test("a gap is said with its reason, and playback goes on behind it")
        func gap() async throws {
            try await WatchedBox.current.scene("gap") { box in
                try await box.rig.tell("vanish front")
                let lost = Date().timeIntervalSince1970
                try await eventually("front is missed", within: .seconds(60)) {
                    try await box.recorder.gaps(of: "front").contains { $0.to == nil } ? true : nil
                }
                try await box.rig.tell("resume front")
                try await eventually("front records again", within: .seconds(60)) {
                    try await box.recorder.gaps(of: "front").contains { $0.to != nil } ? true : nil
                }
                let gap = try #require(try await box.recorder.gaps(of: "front").first { $0.to != nil })
                let back = try #require(gap.to.flatMap { WallTime(rfc3339: $0) })
                let end = Double(back.microseconds) / 1e6
                try await box.browser.until("() => Date.now() / 1000 > \(end + 5)", within: 30)
                try await box.seek(lost - 3, playing: true)
                try await box.browser.until(
                    "() => document.querySelector('[data-camera=front] .message').textContent.startsWith('Gap')")
                try await box.browser.until("() => cvr.clock.time > \(end + 1) && frameOf('front') >= 0", within: 40)
                try await box.settled()
                let look = try await box.look()
                #expect(abs(try box.error(of: look.frames["front"] ?? -1, of: "front", at: look.time)) < 0.4)
                // Alone it does not wait the gap out.
                try await box.browser.press("1", "Enter")
                try await box.seek(lost - 1, playing: true)
                let start = try await box.look().now
                try await box.browser.until("() => cvr.clock.time > \(end)", within: 40)
                let took = try await box.look().now - start
                #expect(took < end - lost + 1, "\(took) s for a gap of \(end - lost) s")
            }
        }

        @Test("footage goes on where cache and store meet")
        func seam() async throws {
            try await WatchedBox.current.scene("seam") { box in
                let stored = try await eventually("segments are stored", within: .seconds(60)) {
                    let verified = try await box.recorder.segments(of: "yard").filter { $0.state == "verified" }
                    return verified.count > 12 ? verified : nil
                }
                let border = try #require(WallTime(rfc3339: stored[8].start))
                for segment in stored[4..<8] {
                    let name = try #require(
                        segment.key.split(separator: "/").suffix(3).joined(separator: "/").split(separator: ".").first)
                    try removeLocal("\(box.recorder.root)/cache/yard", String(name))
                }
                let time = Double(border.microseconds) / 1e6
                try await box.browser.press("2")
                try await box.seek(time - 3, playing: true)
                for look in try await box.looks(30, every: 200) {
                    let error = try box.error(of: look.frames["yard"] ?? -1, of: "yard", at: look.time)
                    #expect(abs(error) < 0.4, "\(look.time - time) s from the seam: \(error)")
                }
            }
        }

        private func removeLocal(_ cache: String, _ name: String) throws {
            let folder = (cache + "/" + name).split(separator: "/").dropLast().joined(separator: "/")
            let start = name.split(separator: "/").last.map(String.init) ?? name
            for file in try FileManager.default.contentsOfDirectory(atPath: "/" + folder) where file.hasPrefix(start) {
                try FileManager.default.removeItem(atPath: "/\(folder)/\(file)")
            }
        }
    }
}
