import Foundation
import Messages
import Recording
import TestSupport
import Testing

/// The page in a real Chromium, of a real box that records real RTSP: what is seen is read out of the pictures.
@Suite("Browser", .serialized, .timeLimit(.minutes(10)))
struct BrowserTests {
    static let evidence = Repository.path("var/browser")

    @Test(
        "live and recorded footage, the time line, export, keyboard and sound, all of the right moment", .showsEvidence)
    func page() async throws {
        try await withCameras(WatchedBox.cameras, settings: { $0.playback = ["listen: 127.0.0.1:0"] }) { box, rig in
            try await box.start()
            let url = try await WatchedBox.page(of: box)
            try await eventually("two cameras record", within: .seconds(30)) {
                let segments = try await box.segments(of: "front").count + box.segments(of: "yard").count
                return segments > 12 ? true : nil
            }
            let browser = try await Browser(folder: Self.evidence)
            do {
                try await browser.open(url)
                let watched = try await WatchedBox(browser, rig)
                try await live(watched)
                try await recorded(watched)
                try await steps(watched)
                try await thumbnail(watched)
                try await keyboard(watched)
                try await sound(watched)
                try await export(watched)
                try await gap(watched, box)
                try await seam(watched, box)
                try await phone(watched, url)
                #expect(!browser.complaints.contains("Content Security Policy"), "\(browser.complaints)")
                #expect(!browser.complaints.contains("uncaught "), "\(browser.complaints)")
                await browser.stop()
            } catch {
                // A picture says more than the error.
                try? await browser.shot("failed")
                await browser.stop()
                throw error
            }
        }
    }

    private func live(_ box: WatchedBox) async throws {
        try await box.settled()
        // From here on it is as late as it stays.
        try await box.browser.until("() => frameOf('front') >= 0 && frameOf('yard') >= 0")
        var latencies: [Double] = []
        for _ in 0..<20 {
            let look = try await box.look()
            for (camera, frame) in look.frames {
                latencies.append(-(try box.error(of: frame, of: camera, at: look.now)))
            }
            let _: Bool = try await box.browser.value("() => new Promise(go => setTimeout(() => go(true), 250))")
        }
        try await box.browser.shot("live")
        let worst = latencies.max() ?? .infinity
        print("live latency: \(latencies.sorted()[latencies.count / 2]) s median, \(worst) s at most")
        #expect(worst <= 2 && latencies.allSatisfy { $0 > 0 })
    }

    private func recorded(_ box: WatchedBox) async throws {
        try await box.seek(Date().timeIntervalSince1970 - 15, playing: true)
        var (errors, differences) = ([Double](), [Double]())
        for _ in 0..<40 {
            let look = try await box.look()
            let both = try look.frames.map { try box.error(of: $0.value, of: $0.key, at: look.time) }
            errors += both
            differences.append(abs((both.max() ?? 0) - (both.min() ?? 0)))
            let _: Bool = try await box.browser.value("() => new Promise(go => setTimeout(() => go(true), 90))")
        }
        try await box.browser.shot("recorded")
        print(
            "recorded: \(errors.map(abs).max() ?? 0) s off at most; two cameras \(differences.max() ?? 0) s apart at most"
        )
        #expect(errors.allSatisfy { abs($0) < 0.3 })
        // A frame, and the two cameras' clocks, which are not one.
        #expect(differences.sorted()[36] < 2 / WatchedBox.framesPerSecond)
    }

    private func steps(_ box: WatchedBox) async throws {
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
            let before = try await box.look()
            let _: Bool = try await box.browser.value("() => new Promise(go => setTimeout(() => go(true), 500))")
            let after = try await box.look()
            #expect(abs((after.time - before.time) / (after.now - before.now) - rate) < rate * 0.4)
        }
        try await box.browser.run("cvr.setRate(1);")
    }

    /// The picture under the pointer is of the second that the pointer is at.
    private func thumbnail(_ box: WatchedBox) async throws {
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
                    return [frameIn(picture, picture.naturalWidth), cvr.line.timeAt(\(place[0]))]; }
            """)
        try await box.browser.shot("thumbnail")
        let error = try box.error(of: Int(seen[0]), of: "front", at: seen[1])
        // The keyframe at or before it, at a whole second.
        #expect((-2.3...0.3).contains(error), "\(error)")
    }

    private func keyboard(_ box: WatchedBox) async throws {
        try await box.browser.press("l")
        try await box.browser.until("() => cvr.isLive")
        try await box.browser.press("j", " ")
        try await box.browser.until("() => !cvr.isLive && !cvr.clock.isPlaying")
        try await box.browser.press("2", "Enter")
        try await box.browser.until("() => document.querySelectorAll('.tile').length === 1 && frameOf('yard') >= 0")
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
        try await box.browser.press("u")
    }

    /// G.711 comes out of the speaker: the samples that the browser decoded are not silent.
    private func sound(_ box: WatchedBox) async throws {
        try await box.seek(Date().timeIntervalSince1970 - 20, playing: true)
        try await box.browser.press("1", "m")
        try await box.settled()
        let loudness: Double = try await box.browser.value("() => loudnessOf('front')")
        print("G.711 in the browser: \(loudness) of full scale")
        #expect(loudness > 0.02)
        try await box.browser.press("m")
    }

    /// The file has the frames of the range that was asked for.
    private func export(_ box: WatchedBox) async throws {
        let end = Date().timeIntervalSince1970 - 6
        try await box.browser.run("cvr.clip = [\(end - 8), \(end)]; cvr.openExport();")
        try await box.browser.until("() => !document.getElementById('export-start').disabled")
        let path = try await box.browser.download("#export-start")
        try await box.browser.shot("export")
        try await box.browser.press("Escape")
        let probe = try await run(
            "/usr/bin/ffprobe",
            [
                "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", "stream=nb_read_frames", "-of",
                "csv=p=0", path,
            ])
        let frames = try #require(Int(probe.text.trimmingCharacters(in: .whitespacesAndNewlines)), "\(probe.errors)")
        // From a keyframe to the end of a fragment: up to a second more at both ends.
        #expect((8 * 15 - 1...10 * 15 + 15).contains(frames), "\(frames)")
    }

    /// A gap is said with its reason, and playback goes on behind it.
    private func gap(_ box: WatchedBox, _ recorder: Box) async throws {
        try await box.rig.tell("vanish front")
        let lost = Date().timeIntervalSince1970
        let _: Bool = try await box.browser.value("() => new Promise(go => setTimeout(() => go(true), 6000))")
        try await box.rig.tell("resume front")
        try await eventually("front records again", within: .seconds(60)) {
            try await recorder.gaps(of: "front").contains { $0.to != nil } ? true : nil
        }
        let gap = try #require(try await recorder.gaps(of: "front").first { $0.to != nil })
        let back = try #require(gap.to.flatMap { WallTime(rfc3339: $0) })
        let end = Double(back.microseconds) / 1e6
        try await box.browser.until("() => Date.now() / 1000 > \(end + 5)", within: 30)
        try await box.seek(lost - 3, playing: true)
        try await box.browser.until(
            "() => document.querySelector('[data-camera=front] .message').textContent.startsWith('Gap')")
        try await box.browser.shot("gap")
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
        try await box.browser.press("Enter")
    }

    /// Footage whose local copies are gone comes from the store, and the picture goes on where the two meet.
    private func seam(_ box: WatchedBox, _ recorder: Box) async throws {
        let stored = try await eventually("segments are stored", within: .seconds(60)) {
            let verified = try await recorder.segments(of: "yard").filter { $0.state == "verified" }
            return verified.count > 12 ? verified : nil
        }
        let border = try #require(WallTime(rfc3339: stored[8].start))
        for segment in stored[4..<8] {
            let name = try #require(
                segment.key.split(separator: "/").suffix(3).joined(separator: "/").split(separator: ".").first)
            try removeLocal("\(recorder.root)/cache/yard", String(name))
        }
        let time = Double(border.microseconds) / 1e6
        try await box.browser.press("2")
        try await box.seek(time - 3, playing: true)
        for _ in 0..<30 {
            let look = try await box.look()
            let error = try box.error(of: look.frames["yard"] ?? -1, of: "yard", at: look.time)
            #expect(abs(error) < 0.4, "\(look.time - time) s from the seam: \(error)")
            let _: Bool = try await box.browser.value("() => new Promise(go => setTimeout(() => go(true), 200))")
        }
        try await box.browser.shot("seam")
    }

    private func removeLocal(_ cache: String, _ name: String) throws {
        let folder = (cache + "/" + name).split(separator: "/").dropLast().joined(separator: "/")
        let start = name.split(separator: "/").last.map(String.init) ?? name
        for file in try FileManager.default.contentsOfDirectory(atPath: "/" + folder) where file.hasPrefix(start) {
            try FileManager.default.removeItem(atPath: "/\(folder)/\(file)")
        }
    }

    private func phone(_ box: WatchedBox, _ url: String) async throws {
        try await box.browser.open(url, width: 390, height: 780)
        try await box.browser.until("() => window.cvr && frameOf('front') >= 0")
        let overflow: Int = try await box.browser.value("() => document.documentElement.scrollWidth - innerWidth")
        #expect(overflow <= 0)
        try await box.browser.shot("phone")
    }
}
