import Catalog
import Messages
import ObjectStore
import Recording
import Sync
import TestSupport
import Testing

import struct Supervision.CostForecast

/// What the server counts: SeaweedFS, for the same sixteen cameras and the same half minute.
@Suite("Transactions", .timeLimit(.minutes(5)))
struct TransactionTests {
    private static let cameras = 16
    private static let recorded = 30

    /// Requests by method between two marks, as the server and as this box counts them: all caches empty of what waits,
    /// and again after half a minute.
    private func requests(segmentsOf seconds: Int) async throws -> (server: [String: Int], box: Admin.Written) {
        let server = try await SeaweedFS.shared.value
        let bucket = try server.makeBucket("cycle-\(seconds)-\(UInt32.random(in: 0...UInt32.max))")
        let rig = try Rig()
        let names = try (1...Self.cameras).map { try #require(CameraName("cam-\($0)")) }
        let camera = { SyncSettings.Camera(asset: $0, segmentLength: .seconds(Int64(seconds))) }
        rig.settings.cameras = Dictionary(uniqueKeysWithValues: names.map { ($0, camera($0.text)) })
        rig.settings.store = try StoreLocation("s3://\(bucket)/box?endpoint=\(server.endpoint)&region=us-east-1")
        rig.settings.storeAccess = SyncInterface.StoreAccess(credential: Secret(server.credential))
        let billed = BilledWrites(rig.settings, clock: .system)
        let store = try rig.settings.openStore(
            billed: billed, clock: .system, pace: Pace(), isStopping: { false }, step: { _ in })
        let work = try rig.workspace(store: store)
        let recorders = try names.map { try rig.recorder($0) }
        let progress = Sync.Progress()
        try rig.sync(work, progress)
        let before = (server: try await server.requests(of: bucket), box: billed.written)
        for recorder in recorders {
            try recorder.start()
            for _ in 0..<(Self.recorded / seconds) { try recorder.record(seconds: seconds) }
        }
        let report = try rig.sync(work, progress)
        #expect(report.uploaded == Int64(Self.cameras * Self.recorded / seconds) && report.failed == 0)
        for name in names { #expect(try rig.rows(name).allSatisfy { $0.state == .verified }) }
        let counted = try await server.requests(of: bucket).merging(before.server) { $0 - $1 }.filter { $0.value != 0 }
        return (counted, billed.written - before.box)
    }

    @Test("segments of 30 s cost a tenth of the writes of segments of 3 s, and neither costs anything else")
    func tenfold() async throws {
        let (short, long) = (try await requests(segmentsOf: 3), try await requests(segmentsOf: 30))
        #expect(short.server == ["PUT": 160], "\(short)")
        #expect(long.server == ["PUT": 16], "\(long)")
        for (seconds, counts) in [(3.0, short), (30, long)] {
            let written = try #require(counts.server["PUT"])
            #expect(counts.box.segments == written && counts.box.documents == 0 && counts.box.lists == 0)
            let forecast = CostForecast.writes(
                segmentLength: seconds, days: Double(Self.recorded) / 86_400, retention: nil)
            #expect(abs(forecast * Double(Self.cameras) / Double(written) - 1) <= 0.02)
        }
    }

    @Test(
        "a camera's day, summaries and retention included, costs what was forecast, and is counted as the server counts it",
        arguments: StoreServer.Kind.allCases)
    func day(kind: StoreServer.Kind) async throws {
        let (length, day) = (1200, 72)
        let server = try await StoreServer(kind)
        let retention = TimeSpan.seconds(86_400)
        let rig = try Rig(
            SyncSettings.Camera(asset: "archive", segmentLength: .seconds(Int64(length)), retention: retention))
        let billed = BilledWrites(rig.settings, clock: rig.clock.reading)
        let work = try rig.workspace(store: server.store(at: server.endpoint, counting: billed.count))
        let (recorder, progress) = (try rig.recorder(), Sync.Progress())
        try recorder.start()
        func record(_ count: Int) throws {
            for _ in 0..<count { try recorder.record(seconds: length, fragmentBytes: 500, fragmentSeconds: 120) }
        }
        for _ in 0..<12 {
            try record(day / 12)
            try rig.sync(work, progress)
        }
        let before = (server: try await server.billed(), box: billed.written)
        for _ in 0..<day {
            try record(1)
            try rig.sync(work, progress)
        }
        let counted = try await server.billed().merging(before.server) { $0 - $1 }
        let (writes, lists) = (counted["write"] ?? 0, counted["list"] ?? 0)
        await server.stop()
        let box = billed.written - before.box
        #expect(box.segments == day && (1...3).contains(box.documents))
        #expect(box.segments + box.documents == writes && box.lists == Int64(lists), "\(counted) \(box)")
        let forecast = CostForecast.writes(segmentLength: Double(length), days: 1, retention: retention)
        #expect(abs(forecast / Double(writes + lists) - 1) <= 0.02, "\(forecast): \(counted)")
        #expect(try rig.rows().filter { $0.state == .evicted }.count >= day - 2)
    }
}

extension Admin.Written {
    fileprivate static func - (later: Self, earlier: Self) -> Self {
        Self(
            since: earlier.since, segments: later.segments - earlier.segments,
            documents: later.documents - earlier.documents, bytes: later.bytes - earlier.bytes,
            lists: (later.lists ?? 0) - (earlier.lists ?? 0))
    }
}
