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
    /// Three days of 16 cameras in segments of 30 s.
    private static let queued =
        (Int(ProcessInfo.processInfo.environment["CVR_OUTAGE_SEGMENTS"] ?? "") ?? 138_240) / 16 * 16

    @Test("three days of sixteen cameras wait on the disk, and go to the store without a loss in little memory")
    func threeDays() async throws {
        let box = try OutageBox(cameras: 16)
        defer { box.remove() }
        try box.record(backlog: Self.queued)
        // The store is not there.
        try await box.serving(limit: nil) { sync in
            let status = try await eventually("the outage is noticed", within: .seconds(300)) {
                let status = try await sync.status()
                let isForeseen = status.caches.count == 16 && status.caches.allSatisfy { $0.evictionIn != nil }
                return status.breaker != "closed" && isForeseen ? status : nil
            }
            #expect(status.caches.reduce(0) { $0 + $1.pendingSegments } == Int64(Self.queued))
        }
        try box.plugStore()
        let began = ContinuousClock.now
        try await box.serving(limit: nil) { sync in
            let lags = try await box.recordOn(every: .seconds(2), segments: 1) {
                try await sync.status().caches.reduce(0) { $0 + $1.pendingSegments } <= 16
            }
            let took = ContinuousClock.now - began
            let memory = try sync.peakMemory()
            print("outage: \(Self.queued) segments in \(took), fresh within \(lags.max() ?? 0) s, \(memory >> 20) MiB")
            #expect(memory <= 64 << 20)
            #expect(try #require(lags.max()) <= 2 * 2, "two periods")
            try await sync.drain()
        }
        try box.expectAllStored()
    }

    @Test("on 1.5 times the uplink that is needed the backlog is gone in 2.1 times the outage, fresh footage before it")
    func uplink() async throws {
        let box = try OutageBox(cameras: 16)
        defer { box.remove() }
        // In each period of 2 s each camera closes four segments: 32 a second.
        let (rate, queued) = (32, min(5000, Self.queued))
        let bytes = try box.record(backlog: queued) / Int64(queued)
        try box.plugStore()
        let outage = Double(queued) / Double(rate)
        let began = ContinuousClock.now
        try await box.serving(limit: Int64(Double(rate) * 1.5 * 8 * Double(bytes))) { sync in
            let lags = try await box.recordOn(every: .seconds(2), segments: 4) {
                // What closed within a period waits always.
                try await sync.status().caches.reduce(0) { $0 + $1.pendingSegments } <= Int64(2 * rate)
            }
            let took = (ContinuousClock.now - began) / .seconds(1)
            print("outage of \(outage) s: drained in \(took) s, fresh within \(lags.max() ?? 0) s")
            #expect(took <= 2.1 * outage)
            #expect(took >= 1.8 * outage, "the limit is held")
            #expect(try #require(lags.max()) <= 2 * 2, "two periods")
            try await sync.drain()
        }
        try box.expectAllStored()
    }
}
