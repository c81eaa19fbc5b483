import Foundation
import TestSupport
import Testing

extension BrowserTests.Recorded {
    @Test("an exported clip has the frames of its range, each once")
    func export() async throws {
        let past = try PastBox.current
        try await past.watched.scene("export") { box in
            let (from, to) = (past.hour.start + 2.3, past.hour.start + 6.8)
            let numbers = try await exported("front", from, to, box)
            // From the key at or before its beginning to the end of the fragment that holds its end.
            #expect((-1.1...0.1).contains(try past.error(of: numbers.first ?? -1, of: "front", at: from)))
            #expect((-0.1...1.1).contains(try past.error(of: numbers.last ?? -1, of: "front", at: to)))
            #expect(breaks(numbers).isEmpty, "\(numbers)")
        }
    }

    @Test("an exported clip jumps over a gap")
    func exportOverGap() async throws {
        let past = try PastBox.current
        try await past.watched.scene("export-over-gap") { box in
            let (from, to) = (past.gap.lowerBound - 3, past.gap.upperBound + 3)
            let numbers = try await exported("front", from, to, box)
            let seconds = Double(numbers.count) / WatchedBox.framesPerSecond
            // Before the gap of a camera that is away there is a short one, of the connection that broke.
            #expect((5.0...8.2).contains(seconds), "\(seconds)")
            #expect(breaks(numbers).count == 1, "\(numbers)")
            #expect((-0.1...1.1).contains(try past.error(of: numbers.last ?? -1, of: "front", at: to)))
        }
    }

    @Test("a clip of two formats is offered in parts")
    func exportOfTwoFormats() async throws {
        let past = try PastBox.current
        try await past.watched.scene("export-in-parts") { box in
            try await open("yard", past.change - 3, past.change + 3, box)
            try await box.browser.until("() => document.getElementById('export-size').textContent.includes('In parts')")
            let isOffered: Bool = try await box.browser.value("() => !document.getElementById('export-start').disabled")
            #expect(!isOffered)
        }
    }

    private func open(_ camera: String, _ from: Double, _ to: Double, _ box: WatchedBox) async throws {
        try await box.show(camera)
        try await box.browser.run("cvr.clip = [\(from), \(to)]; cvr.openExport();")
    }

    /// The numbers of the frames of the file that the page saves.
    private func exported(
        _ camera: String, _ from: Double, _ to: Double, _ box: WatchedBox
    ) async throws -> [Int] {
        try await open(camera, from, to, box)
        try await box.browser.until("() => !document.getElementById('export-start').disabled")
        let path = try await box.browser.download("#export-start")
        let numbers = try await CodedFrames.numbers(in: path)
        let probe = try await run(
            "/usr/bin/ffprobe",
            ["-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", "stream=nb_read_frames"]
                + ["-of", "csv=p=0", path])
        #expect(probe.text == "\(numbers.count)\n" && probe.errors.isEmpty, "\(probe)")
        return numbers
    }

    /// Frames that do not follow the one before.
    private func breaks(_ numbers: [Int]) -> [Int] {
        zip(numbers, numbers.dropFirst()).filter { ($0 + 1) % WatchedBox.frames != $1 }.map(\.1)
    }
}
