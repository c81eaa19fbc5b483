import Foundation
import Messages
import Recording
import TestSupport
import Testing

/// A slow uplink, for real: cvr-sync, SeaweedFS, and a relay between them that counts (`contrib/outage`).
@Suite(
    "Sync: on a slow uplink", .serialized, .timeLimit(.minutes(20)),
    .enabled(if: ProcessInfo.processInfo.environment["CVR_UPLINK"] != nil, "takes minutes; see contrib/outage"))
struct UplinkTests {
    private static let minute: Int64 = 60_000_000

    @Test("what a minute brings to the server is within 5 % of the cap", arguments: [4_000_000, 20_000_000] as [Int64])
    func cap(bitsPerSecond: Int64) async throws {
        // Eight cameras' segments of 2 s at half the cap, and more of them than a minute can bring away.
        let bytes = Int(bitsPerSecond / 8)
        let box = try await OutageBox(
            .service, segments: [Int](repeating: bytes, count: 8), period: .seconds(30))
        try box.record(backlog: 10)
        try await box.store.come()
        try await box.serving(limit: bitsPerSecond) { _ in
            let start = try await eventually("the first segments arrive", within: .seconds(60)) {
                let sent = try await box.store.sent()
                return sent.bytes > bytes ? sent : nil
            }
            let end = try await eventually("a minute", within: .seconds(70), every: .milliseconds(50)) {
                let sent = try await box.store.sent()
                return sent.microseconds >= start.microseconds + Self.minute ? sent : nil
            }
            let seconds = Double(end.microseconds - start.microseconds) / 1e6
            let share = Double(end.bytes - start.bytes) * 8 / seconds / Double(bitsPerSecond)
            print("uplink: a cap of \(bitsPerSecond) bit/s: \(share) of it arrived in \(seconds) s")
            #expect(abs(share - 1) <= 0.05)
        }
        await box.store.leave()
    }

    @Test(
        "15 small cameras beside one of 25 Mbps are never more than one period late, on an uplink 1.1 times the sum",
        arguments: [0, 10])
    func beside(backlog: Int) async throws {
        let (period, rates) = (TimeSpan.seconds(4), [25_000_000] + [Int](repeating: 1_000_000, count: 15))
        let segments = rates.map { $0 / 8 * Int(period.microseconds / 1_000_000) }
        let box = try await OutageBox(.service, segments: segments, period: period)
        // Of the large one.
        if backlog > 0 { try box.record(backlog: backlog, of: 0..<1) }
        try await box.store.come()
        try await box.serving(limit: Int64(rates.reduce(0, +)) * 11 / 10) { sync in
            let end = ContinuousClock.now + .seconds(60)
            let lags = try await box.recordOn(sync, segments: 1) { ContinuousClock.now >= end }
            let small = try lags.dropFirst().map { try #require($0.max()) }
            let large = lags.first?.max() ?? 0
            print(
                "uplink: beside a camera of 25 Mbps with \(backlog) segments of backlog small ones waited "
                    + "\(small.max() ?? 0) s at most, that one \(large) s; a period is \(period.seconds) s")
            // A segment is due within a period of its end.
            #expect(small.allSatisfy { $0 <= (period * 2).seconds }, "\(small)")
            try await sync.drain()
        }
        try box.expectAllStored()
        await box.store.leave()
    }
}
