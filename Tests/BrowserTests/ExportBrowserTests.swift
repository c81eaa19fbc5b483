import Foundation
import Recording
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

    /// Of all that is fetched in a page.
    private static let breaking = """
        window.whole = fetch;
        window.broken = 0;
        const cut = response => new Response(response.body.pipeThrough(new TransformStream({
          transform(bytes, out) {
            if (this.isCut) return;
            this.isCut = true;
            out.enqueue(bytes.slice(0, 30000));
            setTimeout(() => { broken += 1; out.error(new TypeError('cut')); }, 300);
          },
          flush: () => new Promise(() => {}),
          })), response);
        let late = new Promise(resolve => { window.release = resolve; });
        window.fetch = async (url, options = {}) => {
          const response = await whole(url, options);
          if (!String(url).includes('/ranges/')) return response;
          if (late) { const first = late; late = null; await first; return response; }
          return options.headers && !options.headers.Range ? cut(response) : response;
        };
        window.shares = [];
        new MutationObserver(() => shares.push(document.getElementById('export-progress').value))
          .observe(document.getElementById('export-size'), { childList: true });
        """

    @Test("an export is of the choice that was made last, goes on where its connection broke, and says how far it is")
    func brokenExport() async throws {
        let past = try PastBox.current
        try await past.watched.scene("export-broken") { box in
            let browser = box.browser
            // The first answer comes last; of a file's first answer only a part comes.
            try await browser.run(Self.breaking)
            let (from, to) = (past.hour.start + 1.3, past.hour.start + 7.8)
            try await open("front", from, from + 1.5, box)
            try await browser.fill("#export-to", Self.field(to))
            try await browser.run("document.getElementById('export-to').dispatchEvent(new Event('change'));")
            try await browser.until("() => !document.getElementById('export-start').disabled")
            let text: String = try await browser.value("() => document.getElementById('export-size').textContent")
            try await browser.run("release();")
            let numbers = try await CodedFrames.numbers(in: try await browser.download("#export-start"))
            #expect(
                breaks(numbers).isEmpty && Double(numbers.count) / WatchedBox.framesPerSecond > to - from - 0.2,
                "\(numbers)")
            #expect(text.hasPrefix("6 s"), "\(text)")
            #expect(try await browser.value("() => broken") == 1)
            let shares: [Double] = try await browser.value("() => shares")
            #expect(shares.contains { $0 > 0 && $0 < 1 } && shares.last == 1, "\(shares)")
        }
    }

    /// What the field for a time holds of UTC seconds.
    private static func field(_ time: Double) -> String {
        String(WallTime(microseconds: Int64(time * 1e6)).rfc3339.prefix(23))
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
