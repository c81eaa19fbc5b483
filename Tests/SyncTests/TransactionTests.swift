import Catalog
import Messages
import ObjectStore
import Recording
import Sync
import TestSupport
import Testing

/// What the server counts: SeaweedFS, for the same sixteen cameras and the same half minute.
@Suite("Transactions", .timeLimit(.minutes(2)))
struct TransactionTests {
    private static let cameras = 16
    private static let recorded = 30

    /// Requests by method between two marks: all caches empty of what waits, and again after half a minute.
    private func requests(segmentsOf seconds: Int) async throws -> [String: Int] {
        let server = try await SeaweedFS.shared.value
        let bucket = try server.makeBucket("cycle-\(seconds)-\(UInt32.random(in: 0...UInt32.max))")
        let rig = try Rig()
        let names = try (1...Self.cameras).map { try #require(CameraName("cam-\($0)")) }
        let camera = { SyncSettings.Camera(asset: $0, segmentLength: .seconds(Int64(seconds))) }
        rig.settings.cameras = Dictionary(uniqueKeysWithValues: names.map { ($0, camera($0.text)) })
        rig.settings.store = try StoreLocation("s3://\(bucket)/box?endpoint=\(server.endpoint)&region=us-east-1")
        rig.settings.storeAccess = SyncInterface.StoreAccess(credential: Secret(server.credential))
        let store = try rig.settings.openStore(
            clock: .system, pace: Pace(), isStopping: { false }, step: { _ in })
        let work = try rig.workspace(store: store)
        let recorders = try names.map { try rig.recorder($0) }
        let progress = Sync.Progress()
        try rig.sync(work, progress)
        let before = try server.requests(of: bucket)
        for recorder in recorders {
            try recorder.start()
            for _ in 0..<(Self.recorded / seconds) { try recorder.record(seconds: seconds) }
        }
        let report = try rig.sync(work, progress)
        #expect(report.uploaded == Int64(Self.cameras * Self.recorded / seconds) && report.failed == 0)
        for name in names { #expect(try rig.rows(name).allSatisfy { $0.state == .verified }) }
        return try server.requests(of: bucket).merging(before) { $0 - $1 }.filter { $0.value != 0 }
    }

    @Test("segments of 30 s cost a tenth of the writes of segments of 3 s, and neither costs anything else")
    func tenfold() async throws {
        let (short, long) = (try await requests(segmentsOf: 3), try await requests(segmentsOf: 30))
        #expect(short == ["PUT": 160], "\(short)")
        #expect(long == ["PUT": 16], "\(long)")
    }
}
