import Catalog
import Footage
import Foundation
import Messages
import Recording
import SegmentStore
import Sync
import Testing

/// What the store says by itself of a day that is over.
@Suite("Day summaries")
struct SummaryTests {
    /// 2026-11-23T20:00:00Z.
    static let evening = WallTime(microseconds: 1_795_464_000_000_000)

    /// A box in the evening: two segments, a gap over midnight, two more in the morning; nothing of it is local.
    func nightBox(
        _ options: SyncSettings.Camera = SyncSettings.Camera(asset: "archive", cacheBudget: 1),
        at place: Rig.Place = .file
    ) async throws -> Rig {
        let rig = try await Rig(options, at: place)
        rig.clock.step(Self.evening - rig.clock.now)
        let recorder = try rig.recorder()
        try recorder.start()
        for _ in 0..<2 { try recorder.record() }
        try recorder.stop(.networkLoss)
        try rig.sync()
        rig.clock.advance(.seconds(8 * 3600))
        try recorder.start()
        for _ in 0..<2 { try recorder.record() }
        try recorder.stop(.cameraOffline)
        return rig
    }

    @Test("a day that is over is written once, and again at most once a day when it changed")
    func written() async throws {
        let rig = try await nightBox()
        #expect(try rig.summaries() == [:])
        try rig.sync()
        try rig.sync()
        #expect(try rig.summaries() == ["2026-11-23": 1])
        let lines = try rig.summary("2026-11-23")
        #expect(lines.map { $0["kind"] as? String } == ["session", "segment", "segment", "gap", "summary"])
        #expect(lines.compactMap { $0["key"] as? String } == Array(try rig.objects().prefix(2)))
        #expect(lines.compactMap { $0["reason"] as? String } == ["networkLoss", "networkLoss"])
        #expect(lines[3]["to"] == nil)
        // The cache had one more, of that day, from a disk that was away.
        let late = try #require(try rig.rows().first)
        try rig.workspace().catalog.quarantine(rig.front, late.id)
        try rig.sync()
        #expect(try rig.summaries() == ["2026-11-23": 1])
        rig.clock.advance(.seconds(86_400))
        try rig.sync()
        try rig.sync()
        #expect(try rig.summaries() == ["2026-11-23": 2, "2026-11-24": 1])
        #expect(try rig.summary("2026-11-23").filter { $0["kind"] as? String == "segment" }.count == 1)
        rig.clock.advance(.seconds(86_400))
        try rig.sync()
        #expect(try rig.summaries() == ["2026-11-23": 2, "2026-11-24": 1, "2026-11-25": 1])
    }

    @Test("it waits for footage that the store does not have, a day at most; that is told when it comes")
    func late() async throws {
        let rig = try await nightBox(SyncSettings.Camera(asset: "archive"))
        rig.clock.step(.seconds(-8 * 3600))
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        try rig.survey(rig.front, rig.workspace())
        // Something is in its way in the store.
        let key = try #require(rig.rows().first { $0.id == SegmentID(session: 3, counter: 0) }).key
        let obstacle = "\(rig.root)/store/\(key)"
        try FileManager.default.createDirectory(atPath: obstacle + "/in-the-way", withIntermediateDirectories: true)
        rig.clock.step(.seconds(8 * 3600))
        try rig.sync()
        #expect(try rig.summaries() == [:])
        rig.clock.advance(.seconds(86_400))
        try rig.sync()
        #expect(try rig.summaries()["2026-11-23"] == 1)
        try FileManager.default.removeItem(atPath: obstacle)
        #expect(try rig.sync().uploaded == 1)
        #expect(try rig.summary("2026-11-23").filter { $0["kind"] as? String == "segment" }.count == 2)
        rig.clock.advance(.seconds(86_400))
        try rig.sync()
        #expect(try rig.summary("2026-11-23").filter { $0["kind"] as? String == "segment" }.count == 3)
    }

    @Test("footage that comes when its day has its summary is told by the next one", arguments: Rig.Place.allCases)
    func afterDayClose(place: Rig.Place) async throws {
        let rig = try await nightBox(at: place)
        try rig.sync()
        #expect(try rig.summaries() == ["2026-11-23": 1])
        rig.clock.step(.seconds(-8 * 3600))
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        rig.clock.step(.seconds(8 * 3600))
        #expect(try rig.sync().uploaded == 1)
        #expect(try rig.summaries() == ["2026-11-23": 1])
        rig.clock.advance(.seconds(86_400))
        try rig.sync()
        #expect(try rig.summaries() == ["2026-11-23": 2, "2026-11-24": 1])
        let keys = try rig.summary("2026-11-23").compactMap { $0["key"] as? String }
        #expect(try keys == rig.rows().map(\.key).filter { $0.contains("2026-11-23") } && keys.count == 3)
    }

    @Test("a summary whose writing was cut short before it was noted is written again, under the same number")
    func cutShort() async throws {
        let rig = try await nightBox()
        try rig.sync()
        let before = try rig.text("2026-11-23")
        let catalog = try rig.workspace().catalog
        var row = try #require(try catalog.day(rig.front, Self.evening))
        (row.changes, row.generation, row.written) = (row.changes - 1, 0, nil)
        try catalog.noteSummary(rig.front, row)
        try rig.sync()
        #expect(try rig.summaries() == ["2026-11-23": 1])
        #expect(try rig.text("2026-11-23") == before)
    }

    @Test("it stays as the ledger when its media expire")
    func ledger() async throws {
        let rig = try await nightBox(
            SyncSettings.Camera(asset: "archive", retention: .seconds(5 * 86_400), cacheBudget: 1))
        try rig.sync()
        for _ in 0..<7 {
            rig.clock.advance(.seconds(86_400))
            try rig.sync()
        }
        #expect(try rig.objects() == [])
        let lines = try rig.summary("2026-11-23")
        #expect(lines.map { $0["kind"] as? String } == ["session", "deleted", "deleted", "gap", "summary"])
        #expect(try rig.summaries()["2026-11-23"] == 2)
    }

    @Test("a clock that runs ahead closes a day early and loses nothing of it (I11)")
    func wrongClock() throws {
        let rig = try Rig()
        rig.clock.step(Self.evening - rig.clock.now)
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        try rig.sync()
        rig.clock.step(.seconds(400 * 86_400))
        try rig.sync()
        #expect(try rig.summaries() == ["2026-11-23": 1])
        rig.clock.step(.seconds(-400 * 86_400))
        try recorder.record()
        try rig.sync()
        rig.clock.advance(.seconds(86_400))
        try rig.sync()
        #expect(try rig.summaries() == ["2026-11-23": 2])
        #expect(try rig.summary("2026-11-23").filter { $0["kind"] as? String == "segment" }.count == 2)
    }
}

/// I6 without a cache: the store alone tells everything.
@Suite("Rebuild from summaries")
struct SummaryRebuildTests {
    @Test(
        "with catalog and cache lost the listing, gaps, holds and the coverage are the same, byte for byte",
        arguments: Rig.Place.allCases)
    func same(place: Rig.Place) async throws {
        let rig = try await SummaryTests().nightBox(
            SyncSettings.Camera(asset: "archive", retention: .seconds(5 * 86_400 + 4 * 3600), cacheBudget: 1),
            at: place)
        let held = rig.clock.now - .seconds(3600)
        _ = try await HoldKeeper().add(rig.workspace(), rig.front, from: held, to: rig.clock.now, reason: "case 7")
        rig.clock.advance(.seconds(4 * 86_400))
        try rig.sync()
        rig.clock.advance(.seconds(86_400))
        try rig.sync()
        #expect(try Set(rig.rows().map(\.state)) == [.evicted, .verified])
        let (before, summaries) = (try await rig.listing(), try rig.summaries())
        let holds = try rig.workspace().catalog.holds(rig.front)
        #expect(holds.count == 1)
        for reason in ["retention", "networkLoss", "cameraOffline"] { #expect(before.contains("\"\(reason)\"")) }
        let rows = try rig.rows()
        try rig.loseCache()
        try rig.loseCatalog()
        // The objects are not looked at: there is nothing in them to see.
        for object in try rig.objects() {
            try rig.replaceObject(object) { $0 = [UInt8](repeating: 0, count: $0.count) }
        }
        try rig.sync()
        #expect(try await rig.listing() == before)
        #expect(try rig.rows() == rows)
        #expect(try rig.workspace().catalog.holds(rig.front) == holds)
        #expect(try rig.summaries() == summaries)
    }

    @Test("a camera that is away for days has each of them told, and its gap ends with what is recorded next")
    func longGap() async throws {
        let rig = try await SummaryTests().nightBox()
        rig.clock.advance(.seconds(4 * 86_400))
        try rig.sync()
        #expect(try rig.summaries().count == 5)
        try rig.loseCache()
        try rig.loseCatalog()
        try rig.sync()
        let answers = try await CacheKeeper(work: rig.workspace(), progress: Sync.Progress()).answers(rig.front)
        let gaps = try await answers.gaps(from: nil, to: nil)
        #expect(gaps.map(\.reason) == [.networkLoss, .cameraOffline] && gaps.last?.to == nil)
        #expect(gaps.map(\.detail) == ["told to", "told to"])
        // A new cache, whose journal knows of no gap.
        let recorder = try rig.recorder()
        let start = rig.clock.now
        try recorder.start()
        try recorder.record()
        try rig.sync()
        let later = try await CacheKeeper(work: rig.workspace(), progress: Sync.Progress()).answers(rig.front)
        #expect(try await later.gaps(from: nil, to: rig.clock.now).map(\.to) == [gaps[0].to, start])
    }

    @Test("a summary that is damaged, lies, or tells of what is not there is a hint, and no more")
    func hint() async throws {
        let rig = try await SummaryTests().nightBox()
        rig.clock.advance(.seconds(2 * 86_400))
        try rig.sync()
        let rows = try rig.rows()
        try rig.loseCache()
        try rig.edit("2026-11-23") { $0.replacing("\"frames\":2", with: "\"frames\":3") }
        try rig.edit("2026-11-24", signing: true) { text in
            text.replacing("\"bytes\":\(rows[2].bytes)", with: "\"bytes\":\(rows[2].bytes + 1)")
        }
        try rig.loseCatalog()
        try rig.sync()
        #expect(try rig.rows().map(\.media) == rows.map(\.media))
        #expect(rig.events.recent.map(\.type) == ["summaryDamaged"])
        #expect(try rig.rows().map(\.state) == Array(repeating: .verified, count: 4))
        // What the damaged one would have told is written anew.
        #expect(try rig.summaries()["2026-11-23"] == 1 && rig.summaries()["2026-11-24"] == 1)
        rig.clock.advance(.seconds(86_400))
        try rig.sync()
        #expect(try rig.summary("2026-11-23").contains { $0["frames"] as? Int == 2 })

        try rig.loseCatalog()
        try rig.removeObject(rows[1].key)
        try rig.sync()
        #expect(try rig.rows().map(\.state) == [.verified, .evicted, .verified, .verified])
        #expect(rig.events.recent.map(\.type).contains("footageLost"))
        let reason = try rig.workspace().catalog.eviction(rig.front, rows[1].id)?.reason
        #expect(reason == "vanished")
    }

    @Test("a day that is long is told in brief, and its objects tell of their media", arguments: [0, 1, 2])
    func brief(parts: Int) async throws {
        let rig = try await SummaryTests().nightBox()
        rig.clock.advance(.seconds(2 * 86_400))
        try rig.sync()
        let (before, rows, whole) = (try await rig.listing(), try rig.rows(), try rig.text("2026-11-23"))
        // Of what it would have: a bit, all but a bit, all.
        let limit = [100, whole.utf8.count - 1, whole.utf8.count][parts]
        let writer = try SummaryWriter(
            work: rig.workspace(), camera: rig.front, day: SummaryTests.evening.startOfDay, limit: limit)
        let written = try #require(try rig.workspace().catalog.day(rig.front, SummaryTests.evening)?.written)
        guard parts > 0 else {
            #expect(throws: SummaryWriter.TooLong.self) { try writer.compose(generation: 1, written: written) }
            return
        }
        let bytes = try #require(try writer.compose(generation: 1, written: written)).bytes
        #expect(bytes.count <= limit && (bytes == Array(whole.utf8)) == (parts == 2))
        try rig.putSummary("2026-11-23", bytes)
        try rig.loseCache()
        try rig.loseCatalog()
        // Told in brief it is gone all the same.
        if parts == 1 { try rig.removeObject(rows[1].key) }
        try rig.sync()
        #expect(try rig.rows().prefix(1) == rows.prefix(1))
        if parts == 1 {
            #expect(try rig.rows()[1].state == .evicted)
        } else {
            #expect(try await rig.listing() == before)
        }
    }

    @Test("footage that a clock step misdated is still spared when only the store tells of it (I11)")
    func misdated() throws {
        let rig = try Rig(SyncSettings.Camera(asset: "archive", retention: .seconds(5 * 86_400), cacheBudget: 1))
        let right = rig.clock.now
        rig.clock.step(.seconds(-30 * 86_400))
        let recorder = try rig.recorder()
        try recorder.start()
        try recorder.record()
        rig.clock.step(right - rig.clock.now)
        try recorder.journal.append(
            .sessionEnd(session: 1, end: right - .seconds(30 * 86_400 - 2), reason: .clockStep), at: right)
        try recorder.start()
        try recorder.record()
        try rig.sync()
        rig.clock.advance(.seconds(86_400))
        try rig.sync()
        #expect(try rig.summaries().count == 2)
        try rig.loseCache()
        try rig.loseCatalog()
        try rig.sync()
        try rig.sync()
        #expect(try rig.rows().map(\.state) == [.verified, .verified])
        #expect(try rig.objects().count == 2)
    }
}
