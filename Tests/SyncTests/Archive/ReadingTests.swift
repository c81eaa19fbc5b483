import Footage
import Foundation
import FragmentedMP4
import Messages
import ObjectStore
import Recording
import SegmentStore
import Sync
import TestSupport
import Testing

/// What playback reads is what was recorded, whoever tells of it: the catalog, caches and journals, or the store alone.
@Suite("Reading footage back", .timeLimit(.minutes(4)))
struct ReadingTests {
    /// 2026-11-23T20:00:00Z.
    static let evening = WallTime(microseconds: 1_795_464_000_000_000)

    /// What must be the same from every source.
    struct Told: Hashable, CustomStringConvertible {
        let id: SegmentID
        let start: WallTime
        let duration: TimeSpan
        let media: MediaIndex
        let key: String
        let bytes: [UInt8]

        var description: String { "\(key) \(start.rfc3339Microseconds) +\(duration.seconds) \(bytes.count) bytes" }
    }

    func told(_ archive: Archive, _ from: WallTime = .earliest, _ to: WallTime = .latest) throws -> [Told] {
        let camera = try #require(try archive.camera(ofAsset: "archive"))
        #expect(camera.name.text == "front")
        return try archive.rows(camera, from: from, to: to).map { row in
            var bytes: [UInt8] = []
            while let next = try piece(archive, row, Int64(bytes.count)) { bytes += next }
            return Told(
                id: row.id, start: row.start, duration: row.duration, media: row.media, key: row.key, bytes: bytes)
        }
    }

    /// An odd length, so that pieces end anywhere.
    private func piece(_ archive: Archive, _ row: SegmentRow, _ offset: Int64) throws -> [UInt8]? {
        let bytes = try archive.read(row, at: offset, count: Int(min(7_001, row.bytes - offset)))
        return bytes.isEmpty ? nil : bytes
    }

    /// The evening's two segments, a gap over midnight, and three in the morning, of which the last is growing.
    func box(at place: Rig.Place) async throws -> (rig: Rig, recorder: Recorder) {
        let rig = try await Rig(at: place)
        rig.clock.step(Self.evening - rig.clock.now)
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<2 { try recorder.record(seconds: 3) }
        try recorder.stop(.networkLoss)
        try rig.sync()
        rig.clock.advance(.seconds(8 * 3600))
        try recorder.start()
        for _ in 0..<2 { try recorder.record() }
        try rig.sync()
        try rig.sync()
        return (rig, recorder)
    }

    @Test(
        "catalog, cache and journal, and store tell the same segments, bytes and gaps",
        arguments: [Rig.Place.file, .s3])
    func sources(_ place: Rig.Place) async throws {
        let (rig, recorder) = try await box(at: place)
        let byCatalog = try told(rig.archive())
        #expect(byCatalog.count == 4)
        #expect(byCatalog.map(\.bytes) == (try rig.cached().map { try rig.cachedBytes($0) }))
        // The evening's summary is there, the morning is listed.
        #expect(try rig.summaries().count == 1)
        #expect(try told(rig.storeArchive()) == byCatalog)
        let gaps = try await rig.archive().gapsTold()
        #expect(gaps.map(\.reason) == ["networkLoss"] && gaps.allSatisfy { $0.to != nil })
        #expect(try await rig.storeArchive().gapsTold().map(\.reason) == ["networkLoss"])
        try recorder.record(closing: false)
        let growing = try told(rig.archive())
        #expect(growing.count == 5 && Array(growing.dropLast()) == byCatalog)
        #expect(try #require(growing.last).bytes.count == Int(growing.last?.media.mediaEnd ?? 0))
        try rig.loseCatalog()
        #expect(try told(rig.archive()) == growing)
        #expect(try await rig.archive().gapsTold() == gaps)
    }

    @Test("an older catalog's gaps and segments are completed by what the cache has closed since")
    func news() async throws {
        let (rig, recorder) = try await box(at: .file)
        let archive = rig.archive()
        #expect(try told(archive).count == 4)
        try recorder.record(seconds: 5)
        try recorder.record(seconds: 1, closing: false)
        let fresh = try told(rig.archive())
        #expect(fresh.map(\.duration.seconds) == [3, 3, 2, 2, 5, 1])
        try rig.sync()
        #expect(Array(try told(rig.archive()).prefix(5)) == Array(fresh.prefix(5)))
    }

    @Test("what is read goes on over the seam between cache and store, and over the close of the growing segment")
    func seam() async throws {
        let (rig, recorder) = try await box(at: .file)
        try recorder.record(seconds: 4, closing: false)
        let archive = rig.archive()
        let camera = try #require(try archive.camera(named: rig.front))
        let rows = try archive.rows(camera, from: .earliest, to: .latest)
        let whole = try told(archive).map(\.bytes)
        // Between two reads the cache lets go of all that it has, and the growing segment gets its final name.
        let partial = try #require(rows.last)
        let cache = "\(rig.root)/cache/front"
        for name in try rig.cached() { try FileManager.default.removeItem(atPath: "\(cache)/\(name)") }
        let name = SegmentFileName(start: partial.start, id: partial.id, stage: .partial).relativePath
        try FileManager.default.moveItem(atPath: "\(cache)/\(name)", toPath: "\(cache)/\(name.dropLast(8))")
        for (row, bytes) in zip(rows, whole) {
            #expect(try archive.read(row, at: 100, count: 500) == Array(bytes[100..<600]))
        }
        // Neither has it any more.
        let first = try #require(rows.first)
        try rig.removeObject(first.key)
        #expect { try archive.read(first, at: 0, count: 10) } throws: { ($0 as? ArchiveError)?.code == .gone }
    }

    @Test("without a catalog the store tells what the cache does not have any more; while it is away, the cache alone")
    func beyondTheCache() async throws {
        let (rig, _) = try await box(at: .file)
        let all = try told(rig.archive())
        let evening = try rig.cached().prefix(2)
        for name in evening { try FileManager.default.removeItem(atPath: "\(rig.root)/cache/front/\(name)") }
        try rig.loseCatalog()
        #expect(try told(rig.archive()) == all)
        try FileManager.default.moveItem(atPath: "\(rig.root)/store", toPath: "\(rig.root)/away")
        let morning = all[2].start
        #expect(try told(rig.archive(), morning) == Array(all.suffix(2)))
        try await cacheAlone(rig.archive(), from: morning, end: rig.clock.now)
        #expect { try told(rig.archive()) } throws: { ($0 as? ArchiveError)?.code == .unavailable }
        #expect { try told(rig.storeArchive()) } throws: { ($0 as? ArchiveError)?.code == .unavailable }
    }

    /// All that a viewer asks is answered from `morning` on, and says so.
    private func cacheAlone(_ archive: Archive, from morning: WallTime, end: WallTime) async throws {
        let camera = try #require(try archive.cameras().first)
        #expect(try archive.unknownPast(camera)?.before == morning)
        let ends = try #require(try archive.firstAndLast(camera))
        #expect(ends.first == morning && ends.last == end)
        #expect(try archive.spans(camera, from: morning, to: .latest).map(\.start) == [morning])
        #expect(try archive.hasFootage(camera, from: .earliest, to: .latest))
        let answers = try archive.answers(camera)
        for from in [nil, WallTime.earliest, Self.evening] {
            let coverage = try await answers.coverage(from: from, to: nil)
            #expect(coverage.from == morning && coverage.percent == 100 && answers.unknown?.before == morning)
            #expect(try await answers.gaps(from: from, to: nil) == [])
        }
        // Nobody knows, and nobody says that there was nothing.
        for ask in [
            { try await _ = answers.coverage(from: nil, to: morning) },
            { try await _ = answers.gaps(from: Self.evening, to: morning) },
            { try await answers.segments(from: nil, to: morning) { _ in } },
            { _ = try archive.spans(camera, from: Self.evening, to: .latest) },
            { _ = try archive.hasFootage(camera, from: Self.evening, to: morning) },
        ] as [() async throws -> Void] {
            await #expect { try await ask() } throws: { ($0 as? ArchiveError)?.code == .unavailable }
        }
    }

    @Test("segments of megabytes cost a process that has the store alone two requests each")
    func large() async throws {
        let rig = try Rig()
        let server = try await StoreServer(.s3)
        try rig.use(server)
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<4 { try recorder.record(seconds: 30, fragmentBytes: 200_000) }
        try rig.sync()
        func requests() async throws -> Int { try await server.requests()["GET"] ?? 0 }
        let archive = rig.storeArchive()
        let before = try await requests()
        let camera = try #require(try archive.camera(ofAsset: "archive"))
        let coverage = try await archive.answers(camera).coverage(from: nil, to: nil)
        #expect(coverage.percent == 100)
        let told = try await requests()
        #expect(told - before <= 4, "\(told - before) for four segments")
        let rows = try archive.rows(camera, from: .earliest, to: .latest)
        let read = try await requests()
        #expect(read - told == 8, "\(read - told) for four segments")
        let known = try rig.archive().rows(camera, from: .earliest, to: .latest).map { row in
            var media = row.media
            media.frames = 0
            return media
        }
        #expect(rows.map(\.media) == known && known.allSatisfy { $0.fragments.count == 30 && $0.mediaEnd > 5 << 20 })
        // Where a range is to end with a fragment, the segment is read whole, once.
        let end = try #require(rows.last).end - .seconds(10)
        for _ in 0..<2 { #expect(try archive.rows(camera, from: .earliest, to: end).last?.media.frames == 30) }
        #expect(try await requests() - read > 8)
    }

    @Test("a damaged catalog is passed over", .timeLimit(.minutes(1)))
    func damaged() async throws {
        let (rig, _) = try await box(at: .file)
        let all = try told(rig.archive())
        try rig.reopenCatalog()
        let path = rig.root + "/state/sync/catalog.sqlite"
        let length = try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
        try Data(repeating: 0x5A, count: length).write(to: URL(filePath: path))
        #expect(try told(rig.archive()) == all)
    }

    @Test("a store that nobody has asked before tells a moment of the day that goes on within two seconds")
    func coldStart() async throws {
        let rig = try await Rig(at: .s3)
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<40 { try recorder.record(seconds: 3) }
        try rig.sync()
        let from = rig.clock.now - .seconds(63)
        var first: [UInt8] = []
        let took = try ContinuousClock().measure {
            let archive = rig.storeArchive()
            let camera = try #require(try archive.camera(ofAsset: "archive"))
            let row = try #require(try archive.rows(camera, from: from, to: from + .seconds(60)).first)
            let fragment = try #require(row.media.fragments.first)
            first = try archive.read(row, at: fragment.offset, count: 8000)
        }
        print("cold start without a box: \(took)")
        #expect(first.count == 8000 && took < .seconds(2))
    }

    @Test("spans, first and last and what there is of a range are the same from every source")
    func questions() async throws {
        let (rig, _) = try await box(at: .file)
        try rig.sync()
        let (box, store) = (rig.archive(), rig.storeArchive())
        try rig.loseCatalog()
        for archive in [box, rig.archive(), store] {
            let camera = try #require(try archive.camera(named: rig.front))
            let spans = try archive.spans(camera, from: .earliest, to: .latest)
            #expect(spans.map { ($0.end - $0.start).seconds } == [6, 4])
            let ends = try #require(try archive.firstAndLast(camera))
            #expect(ends.first == Self.evening && ends.last == spans.last?.end)
            let midnight = Self.evening + .seconds(4 * 3600)
            #expect(try !archive.hasFootage(camera, from: midnight, to: midnight + .seconds(3600)))
            #expect(try archive.hasFootage(camera, from: Self.evening + .seconds(5), to: midnight))
            #expect(try !archive.hasFootage(camera, from: Self.evening + .seconds(6), to: midnight))
            #expect(try archive.hasFootage(camera, from: midnight, to: .latest))
        }
    }

    @Test("summaries and listings that nobody of ours wrote are read without believing them")
    func hostile() async throws {
        let (rig, _) = try await box(at: .file)
        let all = try told(rig.storeArchive())
        let day = "2026-11-23"
        // A summary that checks, and whose lines say what cannot be.
        try rig.edit(day, signing: true) { text in
            text.replacing("\"initLength\":", with: "\"initLength\":-").replacing(
                "\"duration\":", with: "\"duration\":9e300,\"x\":")
        }
        let odd = try told(rig.storeArchive())
        #expect(odd.map(\.id) == all.map(\.id) && odd.map(\.media) == all.map(\.media))
        // One that does not check is none, and the day is listed.
        try rig.putSummary(day, Array("{\"kind\": \"summary\"}\n\u{0}\n".utf8))
        #expect(try told(rig.storeArchive()) == all)
        // Objects with keys of ours and bytes of anybody.
        let strange = "plant/archive/\(day)/21/00-00.000Z.77.mp4"
        try FileManager.default.createDirectory(
            atPath: "\(rig.root)/store/plant/archive/\(day)/21", withIntermediateDirectories: true)
        try Data((0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 31) }).write(
            to: URL(filePath: "\(rig.root)/store/\(strange)"))
        #expect(try told(rig.storeArchive()) == all)
    }
}

extension Rig {
    /// What cvr-playback opens beside this box, as after its start.
    func archive() -> Archive {
        Archive(
            site: settings.site, cachePath: settings.cachePath, statePath: settings.statePath, store: there,
            cameras: [Archive.Camera(name: front, asset: "archive")], now: { [clock] in clock.now })
    }

    /// Of another host, with the store alone.
    func storeArchive() -> Archive { Archive(site: settings.site, store: there, now: { [clock] in clock.now }) }

    func cachedBytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: "\(root)/cache/front/\(name)")))
    }
}

extension Archive {
    func gapsTold() async throws -> [Listing.Gap] {
        let camera = try #require(try camera(ofAsset: "archive"))
        return try await answers(camera).gaps(from: nil, to: nil).map { Listing.Gap($0) }
    }
}
