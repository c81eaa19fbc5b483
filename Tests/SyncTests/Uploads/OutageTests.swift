import Foundation
import Messages
import Recording
import TestSupport
import Testing

/// After an outage: the real cvr-sync, its queue on disk, and cameras that record on (`contrib/outage`).
@Suite(
    "Sync: after an outage", .serialized, .timeLimit(.minutes(60)),
    .enabled(if: ProcessInfo.processInfo.environment["CVR_OUTAGE"] != nil, "takes long; see contrib/outage"))
struct OutageTests {
    private static let cameras = 16
    private static let period = TimeSpan.seconds(2)
    private static let mostMemory = 64 << 20
    /// Of each camera, in segments of 30 s: three days.
    private static let queued =
        (Int(ProcessInfo.processInfo.environment["CVR_OUTAGE_SEGMENTS"] ?? "") ?? 138_240) / cameras

    /// A box whose store was away while so many segments of each camera closed; returns the bytes of one.
    private func outage(_ kind: OutageStore.Kind, of segments: Int) async throws -> (box: OutageBox, bytes: Int64) {
        let sizes = [Int](repeating: OutageBox.smallest, count: Self.cameras)
        let box = try await OutageBox(kind, segments: sizes, period: Self.period)
        let bytes = try box.record(backlog: segments) / Int64(segments * Self.cameras)
        try await box.serving(limit: nil) { sync in
            try await sync.sees(queued: segments * Self.cameras)
            // A forecast goes by what closed of late, and a first survey of three days takes minutes.
            try box.record(backlog: 1)
            try await sync.sees(queued: (segments + 1) * Self.cameras)
            try await sync.seesOutage(cameras: Self.cameras)
        }
        try await box.store.come()
        return (box, bytes)
    }

    @Test("three days of sixteen cameras wait on the disk, and go to the store without a loss in little memory")
    func threeDays() async throws {
        let (box, _) = try await outage(.folder, of: Self.queued)
        let began = ContinuousClock.now
        try await box.serving(limit: nil) { sync in
            var took = Duration.zero
            let lags = try await box.recordOn(sync, segments: 1) {
                took = ContinuousClock.now - began
                return try await sync.pending() <= 16
            }.flatMap { $0 }
            let memory = try sync.peakMemory()
            print(
                "outage: \(Self.queued * Self.cameras) segments in \(took), fresh within \(lags.max() ?? 0) s, "
                    + "\(memory >> 20) MiB")
            #expect(memory <= Self.mostMemory)
            #expect(try #require(lags.max()) <= (Self.period * 2).seconds, "two periods")
            try await sync.drain()
        }
        try box.expectAllStored()
    }

    @Test(
        "on 1.5 times the uplink that is needed the backlog is gone in 2.1 times the outage, fresh footage before it",
        arguments: OutageStore.Kind.allCases)
    func uplink(_ kind: OutageStore.Kind) async throws {
        // In each period of 2 s each camera closes four segments: 32 a second.
        let (each, rate) = (4, 32)
        let queued = min(5000 / Self.cameras, Self.queued)
        let (box, bytes) = try await outage(kind, of: queued)
        let outage = Double(queued * Self.cameras) / Double(rate)
        let began = ContinuousClock.now
        try await box.serving(limit: Int64(Double(rate) * 1.5 * 8 * Double(bytes))) { sync in
            var took = 0.0
            let lags = try await box.recordOn(sync, segments: each) {
                took = (ContinuousClock.now - began) / .seconds(1)
                // What closed within a period waits always.
                return try await sync.pending() <= Int64(2 * rate)
            }.flatMap { $0 }
            let memory = try sync.peakMemory()
            print(
                "uplink to a \(kind): outage of \(outage) s, drained in \(took) s, "
                    + "fresh within \(lags.max() ?? 0) s, \(memory >> 20) MiB")
            #expect(took <= 2.1 * outage)
            #expect(took >= 1.8 * outage, "the limit is held")
            #expect(memory <= Self.mostMemory)
            #expect(try #require(lags.max()) <= (Self.period * 2).seconds, "two periods")
            try await sync.drain()
        }
        try box.expectAllStored()
        await box.store.leave()
    }
}
