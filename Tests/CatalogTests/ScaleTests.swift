import Catalog
import Foundation
import GRDB
import Recording
import Testing

/// Questions over a long history cost what they return, not what there is: SQLite counts, no clock does.
@Suite("Catalog at scale")
final class ScaleTests {
    static let count: Int64 = 100_000
    static let start = WallTime(microseconds: 1_795_427_280_000_000)

    let path = FileManager.default.temporaryDirectory.appending(path: "catalog-\(UUID())").path
    let catalog: Catalog
    let watch: StatementWatch
    let cameras: [CameraName]

    /// Two cameras with as many segments of 30 s: `front`'s store is away, and all that is cached waits; all of
    /// `yard`'s is verified.
    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let file = path + "/catalog.sqlite"
        try Catalog(path: file).close()
        let writer = try DatabaseQueue(path: file)
        for (camera, state) in [("front", "closed"), ("yard", "verified")] {
            try writer.write { try $0.execute(sql: Self.history, arguments: ["camera": camera, "state": state]) }
        }
        try writer.close()
        watch = try StatementWatch(file: file)
        catalog = try Catalog(path: file)
        cameras = try ["front", "yard"].map { try #require(CameraName($0)) }
        _ = watch.take()
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }  // A leftover in /tmp fails no test.

    /// The last third is in the cache; a third of the rest is evicted, with its reason.
    static let history = """
        CREATE TEMP TABLE number AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < \(count - 1))
            SELECT i FROM n;
        INSERT INTO segment (camera, session, counter, key, start, duration, bytes, initLength, mediaEnd, fragments, tracks,
            frames, codecs, checksum, state, isLocal, isUncertain, isRead, format)
            SELECT :camera, i / 2880 + 1, i % 2880, 'plant/archive/' || i, \(start.microseconds) + i * 30000000,
            30000000, 7501000, 900, 7500930, x'',
            '[{"codec":"h264","timescale":90000,"baseDecodeTime":0}]', 750, 'avc1.4d401f', 7,
            iif(i * 3 >= \(count * 2), :state, iif(i % 3 = 0, 'evicted', 'verified')), i * 3 >= \(count * 2), 0, 1, NULL FROM number;
        INSERT INTO eviction SELECT camera, session, counter, start, duration, bytes, 'retention' FROM segment
            WHERE state = 'evicted' AND camera = :camera;
        INSERT INTO gap SELECT :camera, i + 1, i, \(start.microseconds) + i * 300000000, \(start.microseconds) + i * 300000000 + 5000000,
            'networkLoss', '' FROM number WHERE i < \(count / 10);
        DROP TABLE number;
        """

    /// What one question made SQLite do, and how it says that it looked it up.
    func cost<Answer>(_ body: () throws -> Answer) throws -> (answer: Answer, steps: Int, plan: String) {
        let answer = try body()
        let runs = watch.take()
        #expect(!runs.isEmpty && runs.allSatisfy { $0.scanned == 0 && $0.sorts == 0 }, "\(runs)")
        let reader = try DatabaseQueue(path: path + "/catalog.sqlite")
        let plans = try runs.map { run in
            try reader.read { db in
                try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN \(run.sql)").compactMap { $0["detail"] as String? }
            }
        }
        return (answer, runs.reduce(0) { $0 + $1.steps }, plans.joined().joined(separator: "\n"))
    }

    @Test("an hour costs an hour, wherever in the history it is")
    func hour() throws {
        for hour in [0, Self.count / 240, Self.count / 120 - 1] {
            let from = Self.start + .seconds(hour * 3600)
            let to = from + .seconds(3600)
            let rows = try cost { try catalog.segments(cameras[0], from: from, to: to, limit: 500).count }
            // The 120 that are returned, and 480 of the four hours before that may reach into the hour.
            #expect(rows.answer == 120 && rows.steps < 20_000, "\(rows)")
            #expect(rows.plan.contains("USING INDEX segmentByStart (camera=? AND (start,session"), "\(rows)")
            let extents = try cost { try catalog.extents(cameras[0], from: from, to: to, limit: 10_000).count }
            #expect(extents.answer == 120 && extents.steps < 20_000, "\(extents)")
            #expect(extents.plan.contains("USING COVERING INDEX segmentByStart"), "\(extents)")
        }
    }

    @Test("a whole history is read once, from an index alone, with the reason of what was evicted")
    func wholeHistory() throws {
        let whole = try cost {
            var extents: [SegmentExtent] = []
            while let page = try next(after: extents.last?.place) { extents += page }
            return extents
        }
        let extents = whole.answer
        #expect(extents.count == Int(Self.count))
        #expect(extents.allSatisfy { $0.reason == ($0.state == .evicted ? "retention" : nil) })
        #expect(extents.contains { $0.reason != nil })
        #expect(
            whole.steps < 40 * Int(Self.count) && !whole.plan.contains("USING INDEX segmentByStart"), "\(whole.steps)")
    }

    private func next(after place: SegmentPlace?) throws -> [SegmentExtent]? {
        let page = try catalog.extents(cameras[0], from: nil, to: nil, after: place, limit: 10_000)
        return page.isEmpty ? nil : page
    }

    @Test("a page of the rows in one state costs that page, however many there are in others")
    func selections() throws {
        let selections: [SegmentSelection] = [
            .pending, .fresh, .unsettled, .evictable, .filed, .unverified, .leftInStore,
        ]
        for camera in cameras {
            for selection in selections {
                let page = try cost { try catalog.segments(camera, selection, limit: 4).count }
                let there: [SegmentSelection] = camera == cameras[0] ? [.pending, .fresh, .unverified] : [.evictable]
                #expect(page.answer == (there.contains(selection) ? 4 : 0), "\(camera) \(selection)")
                #expect(page.steps < 500, "\(camera) \(selection): \(page)")
            }
            let entries = try cost { try catalog.inCache(camera, after: nil, limit: 1000).count }
            #expect(
                entries.answer == 1000 && entries.steps < 20_000
                    && entries.plan.contains("COVERING INDEX segmentInCache"), "\(entries)")
        }
    }

    @Test("what is asked every second is a probe; only counting what waits visits what waits, in an index alone")
    func probes() throws {
        for camera in cameras {
            let lag = try cost { try catalog.oldestPending(camera) }
            #expect((lag.answer != nil) == (camera == cameras[0]) && lag.steps < 100, "\(lag)")
            let newest = try cost { try catalog.newest(camera, .fresh, before: nil) }
            #expect((newest.answer != nil) == (camera == cameras[0]) && newest.steps < 200, "\(newest)")
            let mark = try cost { try catalog.evictableWatermark(camera, below: nil) }
            #expect((mark.answer == nil) == (camera == cameras[0]) && mark.steps < 100, "\(mark)")
            let stored = try cost { try catalog.storedThrough(camera) }
            #expect(stored.answer != nil && stored.steps < 100, "\(stored)")
            let filed = try cost { try catalog.filedThrough(camera) }
            #expect(filed.answer == nil && filed.steps < 100, "\(filed)")
            let unfiled = try cost { try catalog.unfiledBytes(camera) }
            #expect(unfiled.answer == 0 && unfiled.steps < 100, "\(unfiled)")
            let first = try cost { try catalog.firstKnown(camera) }
            #expect(first.answer == Self.start && first.steps < 200, "\(first)")
        }
        let stored = (Self.count * 2 + 2) / 3
        let waiting = try cost { try catalog.holdings(cameras[0]) }
        #expect(waiting.answer.pendingSegments == Self.count - stored)
        #expect(waiting.answer.oldestLocal == Self.start + .seconds(stored * 30))
        #expect(waiting.plan.contains("COVERING INDEX segmentUnverified"), "\(waiting)")
        let idle = try cost { try catalog.holdings(cameras[1]) }
        #expect(idle.answer.pendingSegments == 0 && idle.steps < 200, "\(idle)")
    }

    @Test("a catalog of the first build is brought up to date where it is, and answers as before")
    func migration() throws {
        let before = try catalog.extents(cameras[0], from: nil, to: nil, limit: 1000)
        try catalog.close()
        let file = path + "/catalog.sqlite"
        let old = try DatabaseQueue(path: file)
        try old.write { db in
            for index in [
                "segmentByStart", "segmentInCache", "segmentEvictable", "segmentUnverified", "segmentUnsettled",
                "gapByStart",
            ] {
                try db.execute(sql: "DROP INDEX \(index)")
            }
            try db.execute(
                sql: """
                    CREATE INDEX segmentByStart ON segment (camera, start);
                    CREATE INDEX segmentInCache ON segment (camera, session, counter) WHERE isLocal = 1;
                    CREATE INDEX segmentUnsettled ON segment (camera, session, counter)
                        WHERE state IN ('closed', 'uploaded');
                    DELETE FROM grdb_migrations WHERE identifier IN ('questions', 'formats');
                    ALTER TABLE segment DROP COLUMN format;
                    """)
        }
        try old.close()
        let upgraded = try Catalog(path: file)
        #expect(try upgraded.extents(cameras[0], from: nil, to: nil, limit: 1000) == before)
        #expect(try upgraded.holdings(cameras[1]).pendingSegments == 0)
    }
}
