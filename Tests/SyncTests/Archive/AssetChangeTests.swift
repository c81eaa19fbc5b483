import Footage
import Foundation
import ObjectStore
import Recording
import Sync
import Testing

/// A camera whose `assetNamePattern` was changed is one camera, with one time line.
@Suite("Reading footage back: a camera of several assets", .timeLimit(.minutes(2)))
struct AssetChangeTests {
    /// Two segments in the asset `front`, a gap of an hour, and two in `gate-front`.
    private func moved() async throws -> (rig: Rig, recorder: Recorder) {
        let rig = try await Rig(SyncSettings.Camera(asset: "front"), at: .file)
        rig.clock.step(ReadingTests.evening - rig.clock.now)
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<2 { try recorder.record(seconds: 3) }
        try recorder.stop()
        for _ in 0..<2 { try rig.sync() }
        rig.clock.advance(.seconds(3600))
        rig.settings.cameras[rig.front] = SyncSettings.Camera(asset: "gate-front")
        try recorder.start()
        for _ in 0..<2 { try recorder.record(seconds: 2) }
        for _ in 0..<2 { try rig.sync() }
        return (rig, recorder)
    }

    private func check(_ archive: Archive, _ camera: Archive.Camera) async throws {
        let start = ReadingTests.evening
        let rows = try archive.rows(camera, from: .earliest, to: .latest)
        #expect(rows.map(\.duration.seconds) == [3, 3, 2, 2], "\(camera)")
        #expect(rows.map { $0.key.split(separator: "/")[1] } == ["front", "front", "gate-front", "gate-front"])
        for row in rows { #expect(try archive.read(row, at: 0, count: 100).count == 100, "\(row.key)") }
        for (from, to, count) in [(0.0, 6.0, 2), (1, 3600, 2), (3606, 3609, 2), (4, 3607, 2)] {
            let part = try archive.rows(
                camera, from: start + TimeSpan(seconds: from), to: start + TimeSpan(seconds: to))
            #expect(part.count == count, "\(from) to \(to)")
            #expect(
                try archive.hasFootage(camera, from: start + TimeSpan(seconds: from), to: start + TimeSpan(seconds: to))
            )
        }
        let spans = try archive.spans(camera, from: .earliest, to: .latest)
        #expect(spans.map { ($0.end - $0.start).seconds } == [6, 4])
        let ends = try #require(try archive.firstAndLast(camera))
        #expect(ends.first == start && ends.last == spans.last?.end)
        let gaps = try await archive.answers(camera).gaps(from: start, to: ends.last)
        #expect(
            gaps.map { ($0.reason, ($0.to ?? .latest) - $0.from) }.elementsEqual([(.stopped, .seconds(3600))], by: ==))
    }

    @Test("a store alone tells all of it, by the camera's name and by each asset's")
    func replica() async throws {
        let (rig, _) = try await moved()
        let current = Archive.Camera(name: rig.front, asset: "gate-front")
        #expect(try rig.storeArchive().cameras() == [current])
        for find: (Archive) throws -> Archive.Camera? in [
            { try $0.camera(named: rig.front) }, { try $0.camera(ofAsset: "front") },
            { try $0.camera(ofAsset: "gate-front") },
        ] {
            let archive = rig.storeArchive()
            try await check(archive, try #require(try find(archive)))
        }
        // Nobody records into the first one any more.
        rig.clock.advance(.seconds(5 * 86_400))
        let later = rig.storeArchive()
        #expect(try later.camera(named: rig.front) == current)
        try await check(later, current)
    }

    @Test("so does a box without a catalog whose cache has let go of the older asset's")
    func withoutCatalog() async throws {
        let (rig, _) = try await moved()
        for name in try rig.cached().prefix(2) {
            try FileManager.default.removeItem(atPath: "\(rig.root)/cache/front/\(name)")
        }
        try rig.loseCatalog()
        let camera = Archive.Camera(name: rig.front, asset: "gate-front")
        let archive = Archive(
            site: rig.settings.site, cachePath: rig.settings.cachePath, statePath: rig.settings.statePath,
            store: rig.there, cameras: [camera], now: { [clock = rig.clock] in clock.now })
        try await check(archive, camera)
    }

    @Test("an older asset that retention has emptied hides nothing")
    func emptied() async throws {
        let (rig, recorder) = try await moved()
        rig.clock.advance(.seconds(2 * 86_400))
        try recorder.start()
        try recorder.record(seconds: 2)
        for _ in 0..<2 { try rig.sync() }
        for key in try rig.objects() where key.hasPrefix("plant/front/") { try rig.removeObject(key) }
        let archive = rig.storeArchive()
        let camera = try #require(try archive.camera(named: rig.front))
        #expect(camera.asset == "gate-front")
        #expect(try archive.cameras() == [camera])
        #expect(try archive.rows(camera, from: rig.clock.now - .seconds(60), to: rig.clock.now).count == 1)
    }
}
