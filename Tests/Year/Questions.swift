import Footage
import Foundation
import Recording

/// Asks an archive what viewers ask, of other cameras and other times at each try, the same in each run.
struct Questions {
    private static let tries: Int64 = 21

    private let year: Year
    private let archive: Archive

    init(_ year: Year) throws {
        guard let site = SiteName("plant") else { fatalError("plant is no site") }
        self.year = year
        archive = Archive(
            site: site, cachePath: year.folder + "/cache", statePath: year.folder, store: nil,
            cameras: year.names.map { Archive.Camera(name: $0, asset: $0.text) },
            now: { Year.start + Year.day * year.days })
    }

    /// False when an answer takes longer than it may.
    func ask() throws -> Bool {
        let length = min(year.days, 30)
        let isQuick = [
            try measure("one look for footage in a minute", limit: 20) { camera, from in
                _ = try archive.hasFootage(camera, from: from + .seconds(7200), to: from + .seconds(7260))
            },
            try measure("availableMedia of 12 months", limit: 20) { camera, _ in
                for month in 0..<Int64(12) {
                    let from = Year.start + Year.day * (month * 30)
                    _ = try archive.hasFootage(camera, from: from, to: from + Year.day * 30)
                }
            },
            try measure("availableMedia of 31 days", limit: 20, span: length) { camera, from in
                for day in 0..<length {
                    _ = try archive.hasFootage(camera, from: from + Year.day * day, to: from + Year.day * (day + 1))
                }
            },
            try measure("first and last", limit: 20) { camera, _ in _ = try archive.firstAndLast(camera) },
            try measure("spans of 30 days", limit: 50, span: length) { camera, from in
                let spans = try archive.spans(camera, from: from, to: from + Year.day * length)
                guard spans.count == Int(length) else { throw Wrong(what: "\(spans.count) spans") }
            },
            try measure("rows of 24 hours", limit: 100) { camera, from in
                let rows = try archive.rows(camera, from: from, to: from + Year.day)
                guard rows.count == Int(Year.segments), rows.allSatisfy({ $0.media.fragments.count == 30 }) else {
                    throw Wrong(what: "\(rows.count) rows")
                }
            },
        ]
        return try isQuick.allSatisfy(\.self) && isFlat(length)
    }

    struct Wrong: Error { let what: String }

    /// Prints the median and the longest of all tries, in milliseconds.
    private func measure(
        _ what: String, limit: Double, span: Int64 = 1, _ body: (Archive.Camera, WallTime) throws -> Void
    ) throws -> Bool {
        let times = try (0..<Self.tries).map { index in
            let (camera, from) = try place(index, span)
            return try ContinuousClock().measure { try body(camera, from) } / .milliseconds(1)
        }.sorted()
        let (median, most) = (times[times.count / 2], times[times.count - 1])
        let name = what.padding(toLength: 34, withPad: " ", startingAt: 0)
        print(name + String(format: "median %8.2f ms  most %8.2f ms  limit %4.0f ms", median, most, limit))
        return median <= limit
    }

    private func place(_ index: Int64, _ span: Int64) throws -> (Archive.Camera, WallTime) {
        let name = year.names[Int(index * 31 % Int64(year.names.count))]
        guard let camera = try archive.camera(named: name) else { throw Wrong(what: "no \(name)") }
        return (camera, Year.start + Year.day * (year.days > span ? index * 97 % (year.days - span) : 0))
    }

    private func isFlat(_ length: Int64) throws -> Bool {
        let before = try residentBytes()
        for index in 0..<Int64(40) {
            let (camera, from) = try place(index, length)
            _ = try archive.spans(camera, from: from, to: from + Year.day * length)
            _ = try archive.rows(camera, from: from, to: from + Year.day)
        }
        let grown = (try residentBytes() - before) >> 20
        print("memory grew by \(grown) MiB over 40 more months and days, to \(try residentBytes() >> 20) MiB")
        return grown < 32
    }

    private func residentBytes() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 12
    }
}
