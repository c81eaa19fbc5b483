import Catalog
import Footage
import Foundation
import Messages
import ObjectStore
import Recording
import SegmentStore
import Sync
import Testing

/// A camera behind a signal gate: each activation has an asset of its own, for that time alone.
@Suite("Activations", .timeLimit(.minutes(2)))
struct ActivationTests {
    private static let (first, second) = ("gate-20261123T200000Z", "gate-20261124T080000Z")

    /// In the evening two segments with a silence, a gap over midnight, in the morning one; nothing of it is local.
    private func box(
        _ options: SyncSettings.Camera = SyncSettings.Camera(asset: "archive", cacheBudget: 1),
        at place: Rig.Place = .file
    ) async throws -> (rig: Rig, recorder: Recorder) {
        let rig = try await Rig(options, at: place)
        rig.clock.step(ReadingTests.evening - rig.clock.now)
        let recorder = try rig.recorder()
        try recorder.start(asset: Self.first)
        try recorder.record(silence: 5)
        try recorder.record()
        try recorder.stop()
        for _ in 0..<2 { try rig.sync() }
        rig.clock.advance(.seconds(12 * 3600))
        try recorder.start(asset: Self.second)
        try recorder.record()
        try recorder.stop()
        for _ in 0..<2 { try rig.sync() }
        return (rig, recorder)
    }

    private func assets(_ keys: [String]) -> [String] { keys.map { String($0.split(separator: "/")[1]) } }

    private func summaries(_ rig: Rig) throws -> [String: String] {
        let names = try rig.there.folders(in: "plant").flatMap { asset in
            try rig.there.folders(in: "plant/\(asset)").map { "plant/\(asset)/\($0)/summary.ndjson" }
        }
        let texts = try names.compactMap { name in
            try DocumentKey(name).flatMap { try rig.there.document($0) }
                .map { (name, String(decoding: $0.bytes, as: UTF8.self)) }
        }
        return Dictionary(uniqueKeysWithValues: texts)
    }

    @Test(
        "is stored in its session's asset, whatever the camera's becomes, and listed the same when the catalog is lost")
    func keys() async throws {
        let (rig, recorder) = try await box()
        #expect(try assets(rig.objects()) == [Self.first, Self.first, Self.second])
        #expect(try rig.objects() == rig.rows().map(\.key))
        // Not stored yet: of the camera's own asset, and of an activation.
        try recorder.start()
        try recorder.record()
        try recorder.stop()
        try recorder.start(asset: "not/a name")
        try recorder.record()
        try recorder.stop()
        try recorder.start(asset: "gate-20261124T090000Z")
        try recorder.record()
        try recorder.stop()
        try rig.survey(rig.front, rig.workspace())
        rig.settings.cameras[rig.front] = SyncSettings.Camera(asset: "other")
        for _ in 0..<2 { try rig.sync() }
        let expected = [Self.first, Self.first, Self.second, "other", "other", "gate-20261124T090000Z"]
        #expect(try assets(rig.rows().map(\.key)) == expected)
        let (before, rows) = (try await rig.listing(), try rig.rows())
        try rig.loseCatalog()
        for _ in 0..<2 { try rig.sync() }
        #expect(try await rig.listing() == before)
        #expect(try rig.rows() == rows)
        #expect(try rig.workspace().catalog.sessions(ofAsset: Self.first)?.sessions == [1])
    }

    @Test("has a summary of its own each day, the time between them is told by the camera's, and none is written twice")
    func summaries() async throws {
        let (rig, _) = try await box()
        rig.clock.advance(.seconds(2 * 86_400))
        for _ in 0..<2 { try rig.sync() }
        let told = try summaries(rig)
        #expect(
            told.keys.sorted() == [
                "plant/archive/2026-11-23/summary.ndjson", "plant/archive/2026-11-24/summary.ndjson",
                "plant/archive/2026-11-25/summary.ndjson", "plant/\(Self.first)/2026-11-23/summary.ndjson",
                "plant/\(Self.second)/2026-11-24/summary.ndjson",
            ])
        func kinds(_ name: String) throws -> [String] {
            try #require(told[name]).split(separator: "\n").map { line in
                let read = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                return read?["kind"] as? String ?? ""
            }
        }
        #expect(
            try kinds("plant/\(Self.first)/2026-11-23/summary.ndjson")
                == ["session", "segment", "segment", "gap", "summary"])
        #expect(try kinds("plant/archive/2026-11-23/summary.ndjson") == ["gap", "summary"])
        #expect(try kinds("plant/\(Self.second)/2026-11-24/summary.ndjson") == ["session", "segment", "summary"])
        let (before, rows) = (try await rig.listing(), try rig.rows())
        // From the store alone, and nothing of it is written again but what changed.
        try rig.loseCache()
        try rig.loseCatalog()
        for _ in 0..<3 { try rig.sync() }
        #expect(try rig.rows() == rows)
        #expect(try await rig.listing() == before)
        rig.clock.advance(.seconds(86_400))
        for _ in 0..<2 { try rig.sync() }
        let later = try summaries(rig)
        for (name, text) in told { #expect(later[name] == text, "\(name)") }
    }

    @Test("is under its camera's retention, holds and audit")
    func kept() async throws {
        let options = SyncSettings.Camera(asset: "archive", retention: .seconds(86_400), cacheBudget: 1)
        let (rig, _) = try await box(options)
        let rows = try rig.rows()
        let hold = try await HoldKeeper().add(
            rig.workspace(), rig.front, from: rows[1].start, to: rows[1].end, reason: "case 7")
        rig.clock.advance(.seconds(86_400))
        for _ in 0..<2 { try rig.sync() }
        #expect(try rig.rows().map(\.state) == [.evicted, .verified, .verified])
        #expect(try rig.objects() == rows[1...].map(\.key))
        try rig.loseCatalog()
        try rig.loseCache()
        for _ in 0..<2 { try rig.sync() }
        #expect(try await HoldKeeper().list(rig.workspace(), rig.front).map(\.id) == [hold.id])
        #expect(try rig.rows().map(\.state) == [.evicted, .verified, .verified])
        try rig.removeObject(rows[2].key)
        let found = try await AuditTests().verify(rig)
        #expect(found.checked == 3 && found.findings.map(\.key) == [rows[2].key])
        #expect(found.findings.map(\.kind) == ["missing"])
    }

    @Test("is played by its asset alone, and as a part of its camera: on its box, without a catalog, from the store")
    func played() async throws {
        let (rig, recorder) = try await box(SyncSettings.Camera(asset: "archive"))
        try recorder.start(asset: "gate-20261124T090000Z")
        try recorder.record(closing: false)
        let now = { @Sendable [clock = rig.clock] in clock.now }
        let configured = [Archive.Camera(name: rig.front, asset: "archive")]
        let box = Archive(
            site: rig.settings.site, cachePath: rig.settings.cachePath, statePath: rig.settings.statePath,
            store: rig.there, cameras: configured, now: now)
        let store = Archive(site: rig.settings.site, store: rig.there, now: now)
        func check(_ archive: Archive, _ what: String, count: Int) throws {
            let activation = try #require(try archive.camera(ofAsset: Self.first), "\(what)")
            #expect(activation == Archive.Camera(name: rig.front, asset: Self.first), "\(what)")
            let rows = try archive.rows(activation, from: .earliest, to: .latest)
            #expect(assets(rows.map(\.key)) == [Self.first, Self.first], "\(what)")
            for row in rows { #expect(try archive.read(row, at: 0, count: 100).count == 100, "\(what)") }
            #expect(try !archive.hasFootage(activation, from: rig.clock.now - .seconds(7200), to: .latest), "\(what)")
            let ends = try #require(try archive.firstAndLast(activation), "\(what)")
            #expect(ends.first == rows.first?.start && ends.last == rows.last?.end, "\(what)")
            #expect(try archive.spans(activation, from: .earliest, to: .latest).count == 2, "\(what)")
            let camera = try #require(try archive.camera(named: rig.front), "\(what)")
            let all = try archive.rows(camera, from: .earliest, to: .latest)
            #expect(all.count == count, "\(what)")
        }
        try check(box, "box", count: 4)
        let growing = try #require(try box.growing(configured[0])?.row)
        #expect(assets([growing.key]) == ["gate-20261124T090000Z"])
        let over = try #require(try box.camera(ofAsset: Self.first))
        #expect(try box.growing(over) == nil)
        try check(store, "store", count: 3)
        try rig.loseCatalog()
        let cache = Archive(
            site: rig.settings.site, cachePath: rig.settings.cachePath, statePath: rig.settings.statePath,
            store: rig.there, cameras: configured, now: now)
        let camera = Archive.Camera(name: rig.front, asset: Self.second)
        #expect(try assets(cache.rows(camera, from: .earliest, to: .latest).map(\.key)) == [Self.second])
        #expect(try cache.rows(configured[0], from: .earliest, to: .latest).count == 4)
    }

    @Test("a store tells its camera by the asset without activations, by its name where there is none")
    func cameras() async throws {
        let (rig, _) = try await box()
        let store = rig.storeArchive()
        #expect(try store.cameras() == [Archive.Camera(name: rig.front, asset: "archive")])
        // Without any day of its own it goes by its name.
        try FileManager.default.removeItem(atPath: rig.root + "/store/plant/archive")
        let bare = rig.storeArchive()
        #expect(try bare.cameras() == [Archive.Camera(name: rig.front, asset: "front")])
        #expect(try bare.camera(ofAsset: "front")?.name == rig.front)
        #expect(try bare.rows(Archive.Camera(name: rig.front, asset: "front"), from: .earliest, to: .latest).count == 3)
    }
}
