import Foundation
import HTTP
import Messages
import Playback
import Recording
import SegmentStore
import TestSupport
import Testing

/// Ranges, and manifests, of more segments than a process can hold for many viewers at a time.
@Suite(
    "Playback: many segments", .serialized, .timeLimit(.minutes(5)),
    .enabled(if: ProcessInfo.processInfo.environment["CVR_WHOLE_DAY"] != nil, "contrib/test --all"))
struct ManySegmentsTests {
    private struct Entry: Decodable {
        let duration: Double
        let url: String
    }

    private func list(_ served: ServedSite) async throws -> [Entry] {
        let answer = try await served.get("/list?path=front")
        return try JSONDecoder().decode([Entry].self, from: Data(answer.body))
    }

    @Test("a range is one file to the byte, however many segments it has, and whatever is listed can be had")
    func range() async throws {
        let site = try RecordedSite()
        let many = try await ManySegments(52_000, real: [43_200], in: site)
        let path = "/ranges/front.mp4?from=\(many.from)&to=\(many.to)"
        try await ServedSite.run(try site.archive(now: many.now)) { served in
            let head = try await served.get(path, method: "HEAD")
            #expect(head.status == 200 && head["content-length"] == "\(many.bytes)")
            let name = SegmentFileName(start: many.last.start, id: many.last.id)
            let file = [UInt8](try Data(contentsOf: URL(filePath: site.path(name, "front"))))
            let tail = try await served.get(path, [("Range", "bytes=-300")])
            let end = Int(many.last.media.mediaEnd)
            #expect(tail.status == 206 && tail.body == Array(file[end - 300..<end]))
            let start = try await served.get(path, [("Range", "bytes=0-99")])
            #expect(start.status == 206 && start.body == Array(file.prefix(100)))
            // What is not there is never made up of something else.
            let gone = try await served.get(path, [("Range", "bytes=\(many.bytes / 2)-\(many.bytes / 2 + 9)")])
            #expect(gone.status == 404 && ServedSite.code(gone) == "gone")
            let entries = try await list(served)
            #expect(entries.map(\.duration) == [104_000])
            for entry in entries {
                let clip = try await served.get(String(entry.url.dropFirst(served.base.count)), method: "HEAD")
                #expect(clip.status == 200 && clip["content-length"] == "\(many.bytes)")
            }
            let export = try await served.get("/export/front?from=\(many.from)&to=\(many.to)")
            let files = try JSONDecoder().decode(ExportContents.self, from: Data(export.body)).ranges
            #expect(files.map(\.bytes) == [many.bytes] && files.map(\.etag) == [head["etag"]])
            #expect(files.first?.segments.map(\.counter) == Array(0..<52_000))
        }
        var limits = ServerLimits()
        limits.range = .seconds(86_400)
        try await ServedSite.run(try site.archive(now: many.now), limits: limits) { served in
            let long = try await served.get(path)
            #expect(long.status == 400 && String(decoding: long.body, as: UTF8.self).contains("at most 1 days"))
            #expect(try await list(served).map(\.duration) == [86_400, 17_600])
            for entry in try await list(served) {
                let clip = try await served.get(String(entry.url.dropFirst(served.base.count)), method: "HEAD")
                #expect(clip.status == 200)
            }
        }
    }

    @Test("slow readers of long manifests hold what there is for them; who comes later is told when, others are served")
    func slowReaders() async throws {
        let site = try RecordedSite()
        let many = try await ManySegments(43_000, in: site)
        let path = "/assets/asset-front/manifest(format=mpd-time-cmaf,startTime=\(many.from),endTime=\(many.to))"
        var limits = ServerLimits()
        limits.memory = 128 << 20
        try await ServedSite.run(try site.archive(now: many.now), limits: limits) { served in
            #expect(try await served.get(path).body.count > 6 << 20)
            let memory = try residentBytes()
            var slow: [RawConnection] = []
            var statuses: [String] = []
            for _ in 0..<24 {
                let connection = try RawConnection(port: served.port, window: 4096)
                connection.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
                let head = String(decoding: await connection.read(2000) ?? [], as: UTF8.self)
                statuses.append(String(head.dropFirst(9).prefix(3)))
                #expect(head.contains("200 OK") || head.contains("Retry-After: 2\r\n"), "\(head.prefix(300))")
                slow.append(connection)
            }
            #expect(statuses.contains("200") && statuses.contains("503"), "\(statuses)")
            // Half of what the process may have (PlaybackProcess): what manifests are made of is freed, and kept by glibc.
            #expect(try residentBytes() - memory < 512 << 20)
            // What takes little has its place.
            #expect(try await served.get("/cameras").status == 200)
            let clip = "/ranges/front.mp4?from=\(many.from)&to=2026-03-01T10:00:02Z"
            #expect(try await served.get(clip).status == 200)
            slow = []
            try await eventually("there is room again", within: .seconds(20)) {
                try await served.get(path).status == 200 ? true : nil
            }
        }
    }
}
