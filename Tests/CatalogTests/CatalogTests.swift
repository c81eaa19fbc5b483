import Catalog
import Foundation
import GRDB
import Recording
import Testing

@Suite("Catalog")
final class CatalogTests {
    let path = FileManager.default.temporaryDirectory.appending(path: "catalog-\(UUID())").path
    let front: CameraName
    let epoch = WallTime(microseconds: 1_795_427_280_123_456)

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        front = try #require(CameraName("front"))
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }  // A leftover in /tmp fails no test.

    func open() throws -> Catalog { try Catalog(path: path + "/catalog.sqlite") }

    func row(_ session: Int64, _ counter: Int64, state: SegmentState = .closed, isLocal: Bool = true) -> SegmentRow {
        let fragments = (0..<30).map { index in
            MediaIndex.Fragment(
                offset: 900 + Int64(index) * 250_001, isKey: index % 2 == 0, decodeTime: Int64(index) * 90_000)
        }
        let media = MediaIndex(
            initLength: 900, mediaEnd: 7_500_930, fragments: fragments,
            tracks: [
                .init(codec: "h264", timescale: 90_000, baseDecodeTime: 2_700_000),
                .init(codec: "aac", timescale: 16_000, baseDecodeTime: 480_000),
            ], frames: 750, codecs: "avc1.4d401f,mp4a.40.2")
        return SegmentRow(
            camera: front, id: SegmentID(session: session, counter: counter), key: "plant/front/\(session)-\(counter)",
            start: epoch + .seconds(counter * 30), duration: .seconds(30), bytes: 7_501_000, media: media,
            state: state, isLocal: isLocal, isRead: true)
    }

    @Test("a row comes back as it was entered, after a restart too")
    func roundTrip() throws {
        var rows = [row(1, 0), row(1, 1), row(2, 0)]
        rows[1].media.fragments = [
            .init(offset: .max, isKey: true, decodeTime: .min), .init(offset: 0, isKey: false, decodeTime: .max),
            .init(offset: -5, isKey: true, decodeTime: -1),
        ]
        rows[1].media.fragments[0].offset = 1 << 61
        try open().enter(rows)
        let catalog = try open()
        #expect(try catalog.segments(front, from: nil, to: nil, limit: 9).sorted { $0.id < $1.id } == rows)
        #expect(try catalog.segment(front, rows[2].id) == rows[2])
    }

    @Test("a range comes by start, page by page, and looks back for what reaches into it")
    func ranges() throws {
        let catalog = try open()
        // The clock ran back by 45 s between the two sessions.
        var rows = [row(1, 0), row(1, 1), row(1, 2), row(2, 0), row(2, 1)]
        rows[3].start = epoch + .seconds(15)
        rows[4].start = epoch + .seconds(60)
        try catalog.enter(rows)
        var listed: [SegmentID] = []
        var last: SegmentPlace?
        while let next = try catalog.segments(front, from: nil, to: nil, after: last, limit: 1).first {
            listed.append(next.id)
            last = next.place
        }
        #expect(listed == [rows[0], rows[3], rows[1], rows[2], rows[4]].map(\.id))
        let (from, to) = (epoch + .seconds(45), epoch + .seconds(60))
        #expect(try catalog.segments(front, from: from, to: to, limit: 5).map(\.id) == [rows[1].id])
        let extents = try catalog.extents(front, from: nil, to: nil, limit: 9)
        #expect(extents.map(\.place.id) == listed && extents.allSatisfy { $0.duration == .seconds(30) })
    }

    @Test("facts that permit an eviction commit with full sync, the rest with normal; SQLite itself says so")
    func fullBracket() throws {
        let catalog = try open()
        try catalog.enter([row(1, 0), row(1, 1)])
        let watcher = try DatabaseQueue(path: path + "/catalog.sqlite")
        try watcher.write { db in
            try db.execute(
                sql: """
                    CREATE TRIGGER watch AFTER UPDATE OF state ON segment BEGIN
                        INSERT OR REPLACE INTO note VALUES (new.state, (SELECT synchronous FROM pragma_synchronous));
                    END
                    """)
        }
        let id = SegmentID(session: 1, counter: 0)
        try catalog.commitVerified(front, id, checksum: 7)
        #expect(try catalog.note("verified") == "2")
        try catalog.markUploaded(front, id, checksum: 7)
        #expect(try catalog.note("uploaded") == "1")
        let eviction = EvictionRow(id: id, start: epoch, duration: .seconds(30), bytes: 1, reason: "budget")
        let seen = try #require(try catalog.segment(front, id))
        #expect(try catalog.commitEvicted(seen, eviction, mayBeStored: false))
        #expect(try catalog.note("evicted") == "2")
        try catalog.quarantine(front, SegmentID(session: 1, counter: 1))
        #expect(try catalog.note("quarantined") == "1")
    }

    @Test("footage is not given up once its upload began or ended, nor uploaded once it was given up")
    func conditions() throws {
        let catalog = try open()
        try catalog.enter([row(1, 0), row(1, 1)])
        let ids = [SegmentID(session: 1, counter: 0), SegmentID(session: 1, counter: 1)]
        let seen = try ids.map { try #require(try catalog.segment(front, $0)) }
        let evictions = ids.map {
            EvictionRow(id: $0, start: epoch, duration: .seconds(30), bytes: 1, reason: "budget")
        }
        #expect(try catalog.beginUpload(front, ids[0]))
        #expect(try catalog.commitEvicted(seen[0], evictions[0], mayBeStored: false) == false)
        let doubted = try #require(try catalog.segment(front, ids[0]))
        try catalog.commitVerified(front, ids[0], checksum: 1)
        #expect(try catalog.commitEvicted(doubted, evictions[0], mayBeStored: false) == false)
        #expect(try catalog.commitEvicted(seen[0], evictions[0], mayBeStored: false) == false)
        let kept = try #require(try catalog.segment(front, ids[0]))
        #expect(kept.state == .verified && kept.media == seen[0].media)
        #expect(try catalog.eviction(front, ids[0]) == nil)

        try catalog.beginUpload(front, ids[1])
        let uncertain = try #require(try catalog.segment(front, ids[1]))
        #expect(try catalog.commitEvicted(uncertain, evictions[1], mayBeStored: false))
        #expect(try catalog.beginUpload(front, ids[1]) == false)
        try catalog.markUploaded(front, ids[1], checksum: 1)
        #expect(try catalog.commitVerified(front, ids[1], checksum: 1) == false)
        try catalog.quarantine(front, ids[1])
        #expect(try catalog.segment(front, ids[1])?.state == .evicted)
    }

    @Test("a survey changes what it saw and no state that was committed")
    func enterKeepsStates() throws {
        let catalog = try open()
        try catalog.enter([row(1, 0)])
        try catalog.beginUpload(front, SegmentID(session: 1, counter: 0))
        try catalog.commitVerified(front, SegmentID(session: 1, counter: 0), checksum: 0xFFFF_FFFF)
        var again = row(1, 0)
        again.key = "elsewhere"
        try catalog.enter([again])
        let kept = try #require(try catalog.segment(front, again.id))
        #expect(kept.state == .verified && kept.checksum == 0xFFFF_FFFF && kept.key == row(1, 0).key)
    }

    @Test("a verified segment whose copy comes back into the cache is compared again before it may go")
    func comesBack() throws {
        let catalog = try open()
        try catalog.enter([row(1, 0)])
        try catalog.commitVerified(front, SegmentID(session: 1, counter: 0), checksum: 7)
        try catalog.setLocal(front, [SegmentID(session: 1, counter: 0)], false)
        try catalog.enter([row(1, 0)])
        let back = try #require(try catalog.segment(front, SegmentID(session: 1, counter: 0)))
        #expect(back.state == .uploaded && back.isUncertain && back.isLocal)
        #expect(try catalog.segments(front, .evictable, limit: 1) == [])
    }

    @Test("the watermark is the last verified one below everything that is not")
    func watermark() throws {
        let catalog = try open()
        try catalog.enter((0..<4).map { row(1, $0) } + [row(2, 0)])
        #expect(try catalog.evictableWatermark(front, below: nil) == nil)
        for counter in [0, 1, 3] as [Int64] {
            try catalog.commitVerified(front, SegmentID(session: 1, counter: counter), checksum: 1)
        }
        #expect(try catalog.evictableWatermark(front, below: nil) == SegmentID(session: 1, counter: 1))
        try catalog.commitVerified(front, SegmentID(session: 1, counter: 2), checksum: 1)
        try catalog.commitVerified(front, SegmentID(session: 2, counter: 0), checksum: 1)
        #expect(try catalog.evictableWatermark(front, below: nil) == SegmentID(session: 2, counter: 0))
        let open = SegmentID(session: 1, counter: 3)
        #expect(try catalog.evictableWatermark(front, below: open) == SegmentID(session: 1, counter: 2))
    }

    @Test("gaps, sessions and positions of a journal are taken in one step and forgotten in one")
    func journals() throws {
        let catalog = try open()
        var camera = CameraRow(name: front, asset: "archive", retention: .seconds(60))
        camera.journal = .init(offset: 99, session: 1)
        let gap = Gap(from: epoch, to: nil, reason: .networkLoss, detail: "reset by peer")
        let session = SessionRow(session: 1, anchor: epoch, quality: .synchronised, codecs: "avc1")
        try catalog.apply(
            [
                .sessionStarted(session), .gapOpened(GapRow(sequence: 7, session: 1, gap: gap)),
                .segmentClosed(
                    SegmentID(session: 1, counter: 0), key: "k", start: epoch, duration: .seconds(1), bytes: 5),
            ], camera)
        #expect(try catalog.camera(front) == camera)
        #expect(try catalog.knownCameras() == [front])
        #expect(try catalog.gaps(front, from: nil, to: nil).map(\.gap) == [gap])
        try catalog.apply([.gapClosed(to: epoch + .seconds(9))], camera)
        #expect(try catalog.gaps(front, from: nil, to: nil).first?.gap.to == epoch + .seconds(9))
        #expect(try catalog.gaps(front, from: epoch + .seconds(9), to: nil) == [])
        #expect(try catalog.segment(front, SegmentID(session: 1, counter: 0))?.isRead == false)
        try catalog.forgetJournal(of: front)
        #expect(try catalog.gaps(front, from: nil, to: nil).isEmpty)
    }

    @Test("where the record of a gap's close was lost, the next segment or the next gap ends it")
    func lostClose() throws {
        let catalog = try open()
        let camera = CameraRow(name: front, asset: "archive", retention: nil)
        func opened(_ sequence: Int64, session: Int64, at second: Int64) -> Fact {
            let gap = Gap(from: epoch + .seconds(second), to: nil, reason: .networkLoss, detail: "")
            return .gapOpened(GapRow(sequence: sequence, session: session, gap: gap))
        }
        let closed = Fact.segmentClosed(
            SegmentID(session: 1, counter: 1), key: "k", start: epoch + .seconds(20), duration: .seconds(30), bytes: 5)
        try catalog.apply(
            [
                opened(1, session: 1, at: 10), closed, opened(2, session: 1, at: 50), opened(3, session: 1, at: 70),
                .gapClosed(to: epoch + .seconds(80)),
            ], camera)
        let gaps = try catalog.gaps(front, from: nil, to: nil).map(\.gap)
        #expect(gaps.map(\.from) == [10, 50, 70].map { epoch + .seconds($0) })
        #expect(gaps.map(\.to) == [20, 70, 80].map { epoch + .seconds($0) })
    }

    @Test("a gap that a stored segment tells of is entered once, gives way to a journal's, and outlives a journal")
    func toldGaps() throws {
        let catalog = try open()
        let camera = CameraRow(name: front, asset: "archive", retention: nil)
        func stored(_ session: Int64, from: Int64, to: Int64) throws {
            let gap = Gap(
                from: epoch + .seconds(from), to: epoch + .seconds(to), reason: .cameraOffline, detail: "")
            let told = SessionRow(session: session, anchor: epoch + .seconds(to), quality: .synchronised, codecs: "")
            let row = row(session, 0, state: .verified)
            try catalog.enterStored([StoredSegment(row: row, session: told, gapBefore: gap)], asset: "archive")
        }
        for _ in 0..<2 { try stored(2, from: 10, to: 20) }
        try stored(3, from: 50, to: 60)
        #expect(try catalog.gaps(front, from: nil, to: nil).map(\.session) == [1, 2])
        let gap = Gap(from: epoch + .seconds(10), to: nil, reason: .cameraOffline, detail: "no route to host")
        try catalog.apply(
            [.gapOpened(GapRow(sequence: 7, session: 1, gap: gap)), .gapClosed(to: epoch + .seconds(20))], camera)
        #expect(try catalog.gaps(front, from: nil, to: nil).map(\.gap.detail) == ["no route to host", ""])
        try stored(2, from: 10, to: 20)
        #expect(try catalog.gaps(front, from: nil, to: nil).count == 2)
        try catalog.forgetJournal(of: front)
        #expect(try catalog.gaps(front, from: nil, to: nil).map(\.session) == [2])
    }

    @Test("a length that no clock could reach ends with time itself, and breaks no question")
    func endlessDuration() throws {
        let catalog = try open()
        var endless = row(1, 0)
        endless.duration = TimeSpan(microseconds: .max)
        var reversed = row(1, 1)
        reversed.duration = .seconds(-5)
        try catalog.enter([endless, reversed])
        let record = EvictionRow(
            id: SegmentID(session: 1, counter: 2), start: epoch, duration: endless.duration, bytes: 1, reason: "budget")
        let closed = Fact.segmentClosed(record.id, key: "k", start: epoch, duration: endless.duration, bytes: 1)
        try catalog.apply([closed, .evicted(record)], CameraRow(name: front, asset: "", retention: nil))
        let rows = try catalog.segments(front, from: nil, to: nil, limit: 5)
        #expect(rows.map(\.duration) == [.latest - epoch, .latest - epoch, .zero])
        #expect(try catalog.eviction(front, record.id)?.duration == .latest - epoch)
        #expect(try catalog.holdings(front).pendingSegments == 2)
        #expect(try catalog.oldestPending(front) == .latest)
    }

    @Test(
        "a damaged file is told from a full disk, and set aside with all its parts",
        arguments: ["this is no database, and never was one: twenty bytes are not enough", ""])
    func damage(text: String) throws {
        do {
            let catalog = try open()
            try catalog.enter([row(1, 0)])
            try catalog.close()
        }
        let file = path + "/catalog.sqlite"
        var bytes = try #require(FileManager.default.contents(atPath: file))
        bytes.replaceSubrange(0..<min(100, text.utf8.count), with: Data(text.utf8.prefix(100)))
        if text.isEmpty { bytes = Data(repeating: 0xA5, count: 8192) }
        try bytes.write(to: URL(filePath: file))
        for suffix in ["-wal", "-shm"] { try FileManager.default.removeItem(atPath: file + suffix) }
        let error = #expect(throws: CatalogError.self) { try open() }
        #expect(error?.isCorrupt == true)
        let kept = try Catalog.setAside(path: file, at: epoch)
        #expect(FileManager.default.contents(atPath: kept) == bytes)
        #expect(try open().knownCameras() == [])
    }

    @Test("a row that was tampered with is an error, never a trap")
    func tampered() throws {
        let catalog = try open()
        try catalog.enter([row(1, 0)])
        let intruder = try DatabaseQueue(path: path + "/catalog.sqlite")
        for change in [
            "state = 'unheard-of'", "tracks = '[{'", "fragments = x'80'", "bytes = 'many'",
        ] {
            try intruder.write { try $0.execute(sql: "UPDATE segment SET \(change)") }
            let error = #expect(throws: CatalogError.self) {
                try catalog.segments(front, from: nil, to: nil, limit: 1)
            }
            #expect(error?.isCorrupt == true, "\(change)")
            try intruder.write { db in
                try db.execute(sql: "DELETE FROM segment")
            }
            try catalog.enter([row(1, 0)])
        }
    }

    @Test("the WAL is folded back once it has grown past its bound, and stays when the catalog is closed")
    func boundedWAL() throws {
        let catalog = try open()
        for counter in 0..<200 { try catalog.enter([row(1, Int64(counter))]) }
        let wal = path + "/catalog.sqlite-wal"
        try catalog.boundWAL(to: 4096)
        #expect(try FileManager.default.attributesOfItem(atPath: wal)[.size] as? Int == 0)
        try catalog.close()
        #expect(FileManager.default.fileExists(atPath: wal))
    }

    @Test("a clock that was wrong makes no footage old: retention spares what it misdated, and takes what is old")
    func misdated() throws {
        let catalog = try open()
        let day = TimeSpan.seconds(86_400)
        let now = epoch + day * 5000
        // Long ago; ten years back by a step, and right again by another; long ago; ten years ahead, in the future.
        let sessions: [(begin: WallTime, endReason: GapReason)] = [
            (now - day * 40, .stopped), (now - day * 2, .clockStep), (now - day * 3650, .clockStep),
            (now - day, .stopped), (now - day * 3000, .stopped), (now + day * 3650, .stopped),
        ]
        var facts: [Fact] = []
        var rows: [SegmentRow] = []
        for (index, session) in sessions.enumerated() {
            let number = Int64(index + 1)
            facts.append(
                .sessionStarted(
                    SessionRow(session: number, anchor: session.begin, quality: .synchronised, codecs: "")))
            facts.append(.sessionEnded(session: number, end: session.begin + .seconds(30), reason: session.endReason))
            var row = row(number, 0, state: .verified)
            row.start = session.begin
            rows.append(row)
        }
        try catalog.apply(facts, CameraRow(name: front, asset: "front", retention: nil))
        try catalog.enter(rows)
        let expired = try catalog.expired(front, before: now - day * 30, now: now, limit: 10)
        #expect(expired.map(\.id.session) == [1])
        let later = try catalog.expired(front, before: now - TimeSpan.seconds(43_200), now: now, limit: 10)
        #expect(later.map(\.id.session).sorted() == [1, 2, 3, 4, 5])
    }

    @Test("footage of an unsynchronised clock is no older than the first synchronised session after it")
    func unsynchronised() throws {
        let catalog = try open()
        let day = TimeSpan.seconds(86_400)
        let (now, boot) = (epoch, WallTime(microseconds: 0))
        // Booted in 1970; a reconnection, a power cut (no end), then a step to the right time.
        let sessions: [(begin: WallTime, quality: ClockQuality, endReason: GapReason?)] = [
            (boot, .unsynchronised, .networkLoss), (boot + .seconds(60), .unsynchronised, nil),
            (boot, .unsynchronised, .clockStep), (now - day, .synchronised, .stopped),
        ]
        var camera = CameraRow(name: front, asset: "front", retention: nil)
        for (index, session) in sessions.enumerated() {
            let number = Int64(index + 1)
            var facts = [
                Fact.sessionStarted(
                    SessionRow(session: number, anchor: session.begin, quality: session.quality, codecs: ""))
            ]
            if let reason = session.endReason {
                facts.append(.sessionEnded(session: number, end: session.begin + .seconds(30), reason: reason))
            }
            camera.journal.session = number
            try catalog.apply(facts, camera)
            var row = row(number, 0, state: .verified)
            row.start = session.begin
            try catalog.enter([row])
            #expect(try catalog.expired(front, before: now - day * 30, now: now, limit: 10) == [], "\(number)")
        }
        let later = try catalog.expired(front, before: now - TimeSpan.seconds(43_200), now: now, limit: 10)
        #expect(later.map(\.id.session).sorted() == [1, 2, 3, 4])
    }
}
