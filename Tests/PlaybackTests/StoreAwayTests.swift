import Footage
import Foundation
import HTTP
import ObjectStore
import Recording
import TestSupport
import Testing

/// A box that lost its catalog, and whose store does not answer.
@Suite("Playback: without a catalog, the store away", .serialized) struct StoreAwayTests {
    private static let start = "2026-03-01T10:00:00.000Z"
    private static let field = "Cvr-Unknown-Before"

    private func withBox(_ body: @Sendable (ServedSite) async throws -> Void) async throws {
        let site = try RecordedSite()
        try site.record(try await EncodedClip(), segments: 3, length: 4)
        let camera = Archive.Camera(name: try RecordedSite.name("front"), asset: "asset-front")
        let archive = Archive(
            site: site.site, cachePath: site.cachePath, statePath: site.folder + "/lost",
            store: FileStore(root: site.folder + "/not-mounted"), cameras: [camera],
            now: { RecordedSite.start + .seconds(7200) })
        try await ServedSite.run(archive, body)
    }

    @Test("what the cache holds is told, and from when on")
    func told() async throws {
        try await withBox { served in
            struct Cameras: Decodable {
                struct Camera: Decodable { let from: String, to: String, unknownBefore: String, codecs: String }
                let cameras: [Camera]
            }
            let cameras = try JSONDecoder().decode(
                Cameras.self, from: Data(try await served.get("/cameras").body)
            ).cameras
            #expect(cameras.map(\.from) == [Self.start] && cameras.map(\.to) == ["2026-03-01T10:00:12.000Z"])
            #expect(cameras.map(\.unknownBefore) == [Self.start] && cameras.first?.codecs.isEmpty == false)
            let day = "startTime=2026-03-01T00:00:00Z&endTime=2026-03-02T00:00:00Z"
            for path in [
                "/coverage?camera=front", "/coverage?camera=front&from=2026-02-01T00:00:00Z", "/gaps?camera=front",
                "/segments?camera=front", "/list?path=front", "/assets/asset-front/availableMedia?precision=year",
                "/assets/asset-front/availableMedia?precision=full&\(day)",
                "/assets/asset-front/manifest(format=mpd-time-cmaf)",
            ] {
                let answer = try await served.get(path)
                let text = String(decoding: answer.body, as: UTF8.self)
                #expect(answer.status == 200 && answer[Self.field] == Self.start, "\(path): \(text)")
                #expect(
                    text.contains("2026") || path.contains("mpd") && text.contains("<SegmentURL"), "\(path): \(text)")
            }
            let coverage = String(decoding: try await served.get("/coverage?camera=front").body, as: UTF8.self)
            #expect(coverage.contains("\"from\":\"\(Self.start)\""), "\(coverage)")
        }
    }

    @Test("what the cache holds is played; of what was before nobody says that there is nothing")
    func played() async throws {
        try await withBox { served in
            let asset = "/assets/asset-front/manifest(format=m3u8-cmaf"
            for times in ["", ",startTime=2026-03-01T09:00:00Z,endTime=2026-03-01T11:00:00Z"] {
                #expect(try await Player.frames(served.base + asset + times + ")") == 12 * 25)
            }
            let clip = "/ranges/front.mp4?to=2026-03-01T10:00:12Z&from="
            #expect(try await Player.frames(served.base + clip + "2026-03-01T10:00:00Z") == 12 * 25)
            let before = "from=2026-03-01T08:00:00Z&to=2026-03-01T09:00:00Z"
            for path in [
                clip + "2026-03-01T09:59:59Z", "/coverage?camera=front&\(before)", "/gaps?camera=front&\(before)",
                "/segments?camera=front&\(before)", "/export/front?\(before)",
                "/list?path=front&start=2026-03-01T08:00:00Z&end=2026-03-01T09:00:00Z",
                asset + ",startTime=2026-03-01T08:00:00Z,endTime=2026-03-01T09:00:00Z)",
                "/assets/asset-front/availableMedia?precision=month&startTime=2026-01&endTime=2026-02",
            ] {
                let answer = try await served.get(path)
                #expect(answer.status == 503 && ServedSite.code(answer) == "unavailable", "\(path): \(answer.status)")
            }
        }
    }
}
