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
        #expect(try catalog.segments(front, .overlapping(from: nil, to: nil), limit: 9) == rows)
        #expect(try catalog.segment(front, rows[2].id) == rows[2])
    }

    @Test("pages come in order of session and counter, and a range looks back for what reaches into it")
    func ranges() throws {
        let catalog = try open()
        try catalog.enter([row(2, 0), row(1, 0), row(1, 1), row(1, 2)])
        let all = SegmentSelection.overlapping(from: nil, to: nil)
        let first = try catalog.segments(front, all, limit: 2)
        #expect(first.map(\.id) == [SegmentID(session: 1, counter: 0), SegmentID(session: 1, counter: 1)])
        let rest = try catalog.segments(front, all, after: first.last?.id, limit: 5)
        #expect(rest.map(\.id) == [SegmentID(session: 1, counter: 2), SegmentID(session: 2, counter: 0)])
        let range = SegmentSelection.overlapping(from: epoch + .seconds(45), to: epoch + .seconds(60))
        #expect(try catalog.segments(front, range, limit: 5).map(\.id.counter) == [1])
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
        try catalog.commitEvicted(front, eviction, mayBeStored: false)
        #expect(try catalog.note("evicted") == "2")
        try catalog.quarantine(front, id)
        #expect(try catalog.note("quarantined") == "1")
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

    @Test("a segment is given up or uploaded, never both")
    func eitherOr() throws {
        let catalog = try open()
        try catalog.enter([row(1, 0), row(1, 1)])
        let ids = [SegmentID(session: 1, counter: 0), SegmentID(session: 1, counter: 1)]
        let drops = ids.map { EvictionRow(id: $0, start: epoch, duration: .seconds(30), bytes: 1, reason: "budget") }
        #expect(try catalog.beginUpload(front, ids[0]))
        #expect(try !catalog.commitEvicted(front, drops[0], mayBeStored: false))
        #expect(try catalog.segment(front, ids[0])?.state == .closed)
        #expect(try catalog.commitEvicted(front, drops[1], mayBeStored: false))
        #expect(try !catalog.beginUpload(front, ids[1]))
        #expect(try catalog.commitEvicted(front, drops[0], mayBeStored: false, isUncertain: true))
        #expect(try ids.map { try catalog.segment(front, $0)?.state } == [.evicted, .evicted])
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
        #expect(try catalog.sessions(front) == [session])
        #expect(try catalog.segment(front, SegmentID(session: 1, counter: 0))?.isRead == false)
        try catalog.forgetJournal(of: front)
        #expect(try catalog.gaps(front, from: nil, to: nil).isEmpty)
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
            let error = #expect(throws: CatalogError.self) { try catalog.segments(front, .local, limit: 1) }
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
