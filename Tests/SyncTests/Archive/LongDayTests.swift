import Catalog
import Foundation
import Glibc
import ObjectStore
import Recording
import Sync
import Testing

/// A day of the shortest segments there are, 43,200: alone in its process, whose memory is looked at.
@Suite(
    "The longest day", .timeLimit(.minutes(2)),
    .enabled(if: ProcessInfo.processInfo.environment["CVR_LONG_DAY"] != nil, "takes a process; contrib/test --all"))
struct LongDayTests {
    private static let segments = 43_200
    private static let length: Int64 = 600_000

    private func row(_ number: Int, _ camera: CameraName, _ day: WallTime) throws -> SegmentRow {
        let (id, start) = (SegmentID(session: 1, counter: Int64(number)), day + .seconds(Int64(number) * 2))
        let site = try #require(SiteName("plant"))
        let key = try #require(ObjectKey(site: site, asset: "archive", start: start, counter: id.counter))
        let time = Int64(number) * 180_000
        let fragments = (0..<2).map { second in
            MediaIndex.Fragment(
                offset: 1200 + Int64(second) * 250_000, isKey: second == 0, decodeTime: time + Int64(second) * 90_000)
        }
        let tracks = [
            MediaIndex.Track(codec: "avc1.640028", timescale: 90_000, baseDecodeTime: time),
            MediaIndex.Track(codec: "mp4a.40.2", timescale: 48_000, baseDecodeTime: Int64(number) * 96_000),
        ]
        return SegmentRow(
            camera: camera, id: id, key: key.text, start: start, duration: .seconds(2), bytes: Self.length,
            media: MediaIndex(
                initLength: 1200, mediaEnd: 590_000, fragments: fragments, tracks: tracks, frames: 50,
                codecs: "avc1.640028,mp4a.40.2"),
            checksum: UInt32(number), state: .verified, isLocal: false, isRead: true)
    }

    @Test("is told by one summary and rebuilt from it in 64 MiB")
    func memory() async throws {
        let rig = try Rig()
        let day = rig.clock.now.startOfDay
        try rig.sync()
        let session = SessionRow(session: 1, anchor: day, quality: .synchronised, codecs: "avc1.640028,mp4a.40.2")
        let rows = try (0..<Self.segments).map { try row($0, rig.front, day) }
        try rig.workspace().catalog.enterStored(rows.map { StoredSegment(row: $0, session: session) }, asset: "archive")
        for row in rows {
            let path = "\(rig.root)/store/\(row.key)"
            let folder = URL(filePath: path).deletingLastPathComponent().path
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            #expect(FileManager.default.createFile(atPath: path, contents: nil))
            #expect(truncate(path, off_t(Self.length)) == 0)
        }
        rig.clock.advance(.seconds(2 * 86_400))
        let written = try Memory.growth { try rig.sync() }
        let text = try rig.text(String(day.rfc3339.prefix(10)))
        #expect(text.utf8.count < StoredDocument.limit)
        try rig.loseCatalog()
        let clock = ContinuousClock()
        var rebuilt: Int64 = 0
        let catalog = try rig.workspace().catalog
        let took = try clock.measure {
            rebuilt = try Memory.growth { while try catalog.note("storeListed") == nil { try rig.sync() } }
        }
        print("summary \(text.utf8.count) bytes; written in \(written), rebuilt in \(rebuilt) bytes, \(took)")
        #expect(max(written, rebuilt) < 64 << 20)
        #expect(try rig.workspace().catalog.segments(rig.front, from: nil, to: nil, limit: 50_000) == rows)
    }
}

private enum Memory {
    /// By how many bytes the process grows at most meanwhile (proc(5)).
    static func growth(_ body: () throws -> Void) throws -> Int64 {
        // What was freed before must not serve in place of what is asked for.
        try trim()
        let before = try value("VmRSS:")
        try Data("5".utf8).write(to: URL(filePath: "/proc/self/clear_refs"))
        try body()
        return try value("VmHWM:") - before
    }

    /// malloc_trim(3), which the Glibc module does not import.
    private static func trim() throws {
        let function = try #require(dlsym(nil, "malloc_trim"))
        _ = unsafeBitCast(function, to: (@convention(c) (Int) -> Int32).self)(0)
    }

    private static func value(_ name: String) throws -> Int64 {
        let lines = try String(contentsOfFile: "/proc/self/status", encoding: .utf8).split(separator: "\n")
        let line = try #require(lines.first { $0.hasPrefix(name) }).split(whereSeparator: \.isWhitespace)
        return 1024 * (try #require(Int64(line[1])))
    }
}
