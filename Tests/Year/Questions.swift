import Foundation
import HTTP
import Recording

/// Asks a server what viewers ask, of other cameras and other times at each try, the same in each run: whole answers over
/// HTTP, whose contents are looked at too.
struct Questions {
    private static let tries: Int64 = 21
    /// Of 6 s, each with its key, in a segment of 30 s.
    private static let chunks = Int(Year.segments) * 5
    /// Between a day's gaps.
    private static let stretches = Year.silences + 1

    let served: ServedYear

    private var year: Year { served.year }
    /// In days.
    private var month: Int64 { min(year.days - 1, 30) }

    /// Throws when an answer is a wrong one or memory grows, and is false when one takes longer than it may.
    func ask() throws -> Bool {
        let isQuick = [
            try measure("availableMedia, 12 months", limit: 20, months),
            try measure("availableMedia, a month of days", limit: 20, span: month, days),
            try measure("/list of a month", limit: 50, span: month, list),
            try measure("HLS manifest of 24 hours", limit: 100) { manifest("m3u8-cmaf", "#EXTINF", 1, $0, $1) },
            // Each track has its own list.
            try measure("DASH manifest of 24 hours", limit: 100) {
                manifest("mpd-time-cmaf", "<SegmentURL", 2, $0, $1)
            },
            try measure("first byte of 24 hours", limit: 100, firstByte),
            try measure("coverage of a month", limit: 1000, span: month, coverage),
            try measure("/cameras", limit: 1000) { _, _ in Question("/cameras", "\"name\"", year.names.count) },
        ]
        try expectFlatMemory()
        return isQuick.allSatisfy(\.self)
    }

    private func months(_ camera: CameraName, _: WallTime) -> Question {
        Question(
            "/assets/\(camera)/availableMedia?precision=month&startTime=2025-12&endTime=2026-11", "\"start\"", 1)
    }

    private func days(_ camera: CameraName, _ from: WallTime) -> Question {
        let (first, last) = (from.rfc3339.prefix(10), (from + Year.day * (month - 1)).rfc3339.prefix(10))
        return Question(
            "/assets/\(camera)/availableMedia?precision=day&startTime=\(first)&endTime=\(last)",
            "{\"end\":\"\(last)\",\"start\":\"\(first)\"}", 1)
    }

    private func list(_ camera: CameraName, _ from: WallTime) -> Question {
        let range = "start=\(from.rfc3339)&end=\((from + Year.day * month).rfc3339)"
        return Question("/list?path=\(camera)&\(range)", "\"duration\"", Int(month * Self.stretches))
    }

    private func coverage(_ camera: CameraName, _ from: WallTime) -> Question {
        let range = "from=\(from.rfc3339)&to=\((from + Year.day * month).rfc3339)"
        return Question("/coverage?camera=\(camera)&\(range)", "\"kind\":\"recorded\"", Int(month * Self.stretches))
    }

    private func manifest(
        _ format: String, _ word: String, _ each: Int, _ camera: CameraName, _ from: WallTime
    ) -> Question {
        let times = "startTime=\(from.rfc3339),endTime=\((from + Year.day).rfc3339)"
        return Question("/assets/\(camera)/manifest(format=\(format),\(times))", word, Self.chunks * each)
    }

    private func firstByte(_ camera: CameraName, _: WallTime) -> Question {
        let range = "from=\(year.lastWholeDay.rfc3339)&to=\((year.lastWholeDay + Year.day).rfc3339)"
        var question = Question("/ranges/\(camera).mp4?\(range)", "", 0)
        question.isFirstByte = true
        return question
    }

    /// Prints the median and the longest of all tries, in milliseconds.
    private func measure(
        _ what: String, limit: Double, span: Int64 = 1, _ question: (CameraName, WallTime) -> Question
    ) throws -> Bool {
        let times = try (0..<Self.tries).map { index in
            let (camera, from) = place(index, span)
            return try question(camera, from).ask(served) / .milliseconds(1)
        }.sorted()
        let (median, most) = (times[times.count / 2], times[times.count - 1])
        let name = what.padding(toLength: 34, withPad: " ", startingAt: 0)
        print(name + String(format: "median %8.2f ms  most %8.2f ms  limit %4.0f ms", median, most, limit))
        return median <= limit
    }

    private func place(_ index: Int64, _ span: Int64) -> (CameraName, WallTime) {
        let name = year.names[Int(index * 31 % Int64(year.names.count))]
        return (name, Year.start + Year.day * (year.days > span ? index * 97 % (year.days - span) : 0))
    }

    private func expectFlatMemory() throws {
        let before = try residentBytes()
        for index in 0..<Int64(40) {
            let (camera, from) = place(index, month)
            for question in [
                list(camera, from), manifest("m3u8-cmaf", "#EXTINF", 1, camera, from), firstByte(camera, from),
            ] {
                _ = try question.ask(served)
            }
        }
        let grown = (try residentBytes() - before) >> 20
        print("memory grew by \(grown) MiB over 40 more months and days, to \(try residentBytes() >> 20) MiB")
        guard grown < 32 else { throw ServedYear.Wrong(what: "memory grew") }
    }

    private func residentBytes() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 12
    }
}

/// A request, and what its answer must hold.
struct Question {
    private let path: String
    private let word: String
    private let count: Int
    /// Only the first byte of a file of tens of gigabytes is wanted.
    var isFirstByte = false

    /// The answer has `word` so many times.
    init(_ path: String, _ word: String, _ count: Int) {
        (self.path, self.word, self.count) = (path, word, count)
    }

    /// How long the whole answer took; throws when it is a wrong one.
    func ask(_ served: ServedYear) throws -> Duration {
        let start = ContinuousClock.now
        let answer = try served.get(path, isFirstByte ? [("Range", "bytes=0-0")] : [])
        let duration = ContinuousClock.now - start
        if isFirstByte {
            let length = answer["content-range"].flatMap { $0.split(separator: "/").last }.flatMap { Int64($0) } ?? 0
            guard answer.body.count == 1, length > 20 << 30 else { throw ServedYear.Wrong(what: "\(length) bytes") }
        } else {
            let found = occurrences(in: answer.body)
            guard found == count else {
                let text = String(decoding: answer.body.prefix(400), as: UTF8.self)
                throw ServedYear.Wrong(what: "\(found) times \(word), not \(count): \(text)")
            }
        }
        return duration
    }

    /// Of `word` in an answer of megabytes, which Foundation's strings would take longer to search than the server to write.
    private func occurrences(in body: [UInt8]) -> Int {
        (body + [0]).withUnsafeBytes { body in
            var found = 0
            var rest = body.assumingMemoryBound(to: CChar.self).baseAddress
            while let from = rest, let start = strstr(from, word) {
                found += 1
                rest = UnsafePointer(start + word.utf8.count)
            }
            return found
        }
    }
}
