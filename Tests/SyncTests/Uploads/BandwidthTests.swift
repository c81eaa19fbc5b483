import Recording
import Sync
import Synchronization
import Testing

@Suite("Bandwidth")
struct BandwidthTests {
    private typealias Allowance = BandwidthPlan.Allowance

    /// Sends as fast as it may for a while; bytes a second.
    private func rate(of bucket: inout TokenBucket, chunk: Int, seconds: Int64) -> Double {
        var (now, sent) = (MonotonicTime(microseconds: 5), 0)
        let end = now + .seconds(seconds)
        while now < end {
            let wait = bucket.take(chunk, at: now)
            if wait == .zero { sent += chunk } else { now = now + wait }
        }
        return Double(sent) / Double(seconds)
    }

    @Test("a rate is held within 5 % over a minute", arguments: [125_000.0, 2_500_000], [1500, 16 << 10, 128 << 10])
    func held(bytesPerSecond: Double, chunk: Int) {
        var bucket = TokenBucket(bytesPerSecond: bytesPerSecond)
        let measured = rate(of: &bucket, chunk: chunk, seconds: 60)
        #expect(abs(measured / bytesPerSecond - 1) < 0.05, "\(measured)")
    }

    @Test("of idle time two seconds are made up for, no more; another rate is held from now on")
    func idle() {
        var bucket = TokenBucket(bytesPerSecond: 1_000_000)
        _ = rate(of: &bucket, chunk: 64 << 10, seconds: 1)
        let later = MonotonicTime(microseconds: 3_600_000_000)
        var burst = 0
        while bucket.take(10_000, at: later) == .zero { burst += 10_000 }
        #expect((2_000_000...2_020_000).contains(burst))
        bucket.setRate(nil, at: later)
        var waits: Set<TimeSpan> = []
        for _ in 0..<1000 { waits.insert(bucket.take(1 << 20, at: later)) }
        #expect(waits == [.zero])
        bucket.setRate(500_000, at: later)
        _ = bucket.take(500_000, at: later)
        let wait = bucket.take(1, at: later)
        #expect(abs(wait.seconds - 1) < 0.01)
    }

    /// 2026-11-23 is a Monday.
    @Test(
        "the first window that contains the hour rules, over midnight too; a metered link narrows it",
        arguments: [
            ("2026-11-23T07:59:59Z", "eth0", 20, false), ("2026-11-23T08:00:00Z", "eth0", 2, true),
            ("2026-11-24T17:59:00Z", "eth0", 2, true), ("2026-11-24T18:00:00Z", "eth0", 20, false),
            ("2026-11-25T12:00:00Z", "eth0", 20, false), ("2026-11-28T23:00:00Z", "eth0", nil, false),
            ("2026-11-29T05:59:00Z", "eth0", nil, false), ("2026-11-29T06:00:00Z", "eth0", 20, false),
            ("2026-11-29T22:30:00Z", "eth0", nil, false), ("2026-11-30T05:00:00Z", "eth0", nil, false),
            ("2026-11-25T12:00:00Z", "wwan0", 1, true), ("2026-11-29T23:00:00Z", "wwan0", 1, true),
        ] as [(String, String, Int64?, Bool)])
    func windows(time: String, interface: String, megabits: Int64?, isLiveOnly: Bool) throws {
        let mega: Int64 = 1_000_000
        let plan = BandwidthPlan(
            usual: Allowance(bitsPerSecond: 20 * mega, isLiveOnly: false),
            schedule: [
                .init(
                    days: [0, 1], from: 480, to: 1080,
                    allowance: Allowance(bitsPerSecond: 2 * mega, isLiveOnly: true)),
                .init(
                    days: [5, 6], from: 1320, to: 360, allowance: Allowance(bitsPerSecond: nil, isLiveOnly: false)),
            ],
            metered: .init(
                interfaces: ["wwan0"], allowance: Allowance(bitsPerSecond: mega, isLiveOnly: true)))
        let found = plan.allowance(at: try #require(WallTime(rfc3339: time)), over: ["lo", interface])
        #expect(found == Allowance(bitsPerSecond: megabits.map { $0 * mega }, isLiveOnly: isLiveOnly))
    }

    @Test("the hour and the link are looked at again as time goes by; what is under way in a pause is finished")
    func switching() throws {
        let clock = ManualClock()
        let links = Mutex<Set<String>>(["eth0"])
        var reading = clock.reading
        // A quarter before eight on a Monday, where the box is.
        let monday = try #require(WallTime(rfc3339: "2026-11-23T07:45:00Z"))
        let began = clock.now
        reading.zone = { [monday, began] _ in monday - began }
        let pace = Pace(clock: reading, interfaces: { links.withLock { $0 } })
        let night = Allowance(bitsPerSecond: 0, isLiveOnly: false)
        pace.follow(
            BandwidthPlan(
                usual: Allowance(bitsPerSecond: 8_000_000, isLiveOnly: false),
                schedule: [.init(days: [0], from: 480, to: 540, allowance: night)],
                metered: .init(
                    interfaces: ["wwan0"], allowance: Allowance(bitsPerSecond: 800_000, isLiveOnly: true))))
        #expect(pace.allowance.bitsPerSecond == 8_000_000)
        links.withLock { $0 = ["wwan0"] }
        #expect(!pace.allowance.isLiveOnly, "not at each byte")
        clock.advance(.seconds(2))
        #expect(pace.allowance == Allowance(bitsPerSecond: 800_000, isLiveOnly: true))
        // Two seconds' worth are made up for.
        #expect(pace.delay(for: 400_000) == .zero)
        #expect(abs(pace.delay(for: 1).seconds - 2) < 0.3)
        clock.advance(.seconds(900))
        #expect(pace.allowance.isPause)
        #expect(pace.delay(for: 400_000) == .zero && pace.delay(for: 1) > .zero)
        links.withLock { $0 = ["eth0"] }
        clock.advance(.seconds(3600))
        #expect(pace.allowance == Allowance(bitsPerSecond: 8_000_000, isLiveOnly: false))
        pace.follow(BandwidthPlan())
        #expect(pace.allowance == .everything)
    }

    @Test("the way out of the box is the best default route of each address family that is up")
    func routes() {
        let four = """
            Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
            wwan0\t00000000\t0102000A\t0003\t0\t0\t700\t00000000\t0\t0\t0
            eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
            eth1\t00000000\t010200C0\t0002\t0\t0\t0\t00000000\t0\t0\t0
            eth2\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
            tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0
            """
        let zero = String(repeating: "0", count: 32)
        let six = """
            \(zero) 00 \(zero) 00 fd000000000000000000000000000001 00000400 00000003 00000000 00000003     eth9
            \(zero) 00 \(zero) 00 fe800000000000000000000000000001 00000064 00000003 00000000 00000003    wwan0
            \(zero) 00 \(zero) 00 \(zero) ffffffff 00000001 00000000 00200200       lo
            """
        #expect(DefaultRoutes.interfaces(ipv4: four, ipv6: "") == ["eth0"])
        #expect(DefaultRoutes.interfaces(ipv4: four, ipv6: six) == ["eth0", "wwan0"])
        #expect(DefaultRoutes.interfaces(ipv4: "nonsense\n\n\t\t", ipv6: "0 0") == [])
    }
}
