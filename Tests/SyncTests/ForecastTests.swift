import Recording
import Sync
import Testing

@Suite("Forecast")
struct ForecastTests {
    private func names(_ count: Int) throws -> [CameraName] {
        try (0..<count).map { try #require(CameraName("cam-\($0)")) }
    }

    private func forecast(
        pending: Int64, verified: Int64 = 0, budget: Int64? = nil, recording: Double = 1000, uploading: Double = 0,
        free: Int64 = 1 << 50, isStoreAway: Bool = true
    ) throws -> Forecast {
        let name = try names(1)[0]
        let camera = Forecast.Camera(
            pending: pending, verified: verified, budget: budget, recording: recording, uploading: uploading,
            usual: recording * 60)
        return try #require(Forecast.of([name: camera], free: free, isStoreAway: isStoreAway)[name])
    }

    @Test("with the store away the budget fills as the camera records")
    func away() throws {
        let half = try forecast(pending: 500_000, verified: 400_000, budget: 1_000_000)
        #expect(half.evictionIn == .seconds(500) && half.headroom == 0.5)
        #expect(try forecast(pending: 1_000_000, budget: 1_000_000).evictionIn == .zero)
        #expect(try forecast(pending: 2_000_000, budget: 1_000_000).headroom == 0)
        #expect(try forecast(pending: 500_000, budget: 1_000_000, recording: 0).evictionIn == nil)
        // A disk that is smaller than the budgets on it.
        #expect(try forecast(pending: 0, verified: 1000, budget: 1_000_000, free: 9000).evictionIn == .seconds(10))
    }

    @Test("an uplink that keeps up has no deadline; one that does not has, at what is left over")
    func uplink() throws {
        for rate in [1500.0, 995] {
            let fast = try forecast(pending: 500_000, budget: 1_000_000, uploading: rate, isStoreAway: false)
            #expect(fast.evictionIn == nil)
        }
        let slow = try forecast(pending: 500_000, budget: 1_000_000, uploading: 500, isStoreAway: false)
        #expect(slow.evictionIn == .seconds(1000) && slow.deadline == .seconds(500))
        // What waits for the next pass is no backlog.
        #expect(try forecast(pending: 60_000, budget: 1_000_000, isStoreAway: false).evictionIn == nil)
    }

    @Test("cameras without a budget share the room of their disk as they record")
    func share() throws {
        let names = try names(3)
        let cameras = zip(names, [3000.0, 1000, 0]).map { name, rate in
            (
                name,
                Forecast.Camera(
                    pending: 1000, verified: 2000, budget: nil, recording: rate, uploading: 0, usual: 0)
            )
        }
        let found = Forecast.of(Dictionary(uniqueKeysWithValues: cameras), free: 394_000, isStoreAway: true)
        #expect(names.map { found[$0]?.evictionIn } == [.seconds(100), .seconds(100), nil])
    }

    @Test("each alarm comes once, the lowest of several, and again after it had recovered")
    func alarms() throws {
        var alarm = HeadroomAlarm()
        let steps = try [60, 50, 49, 30, 25, 52, 50, 24, 8, 40, 9, 90, 20].map { percent in
            alarm.reach(
                try forecast(pending: 1_000_000 - percent * 10_000, budget: 1_000_000))
        }
        #expect(steps == [nil, 50, nil, nil, 25, nil, nil, 25, 10, nil, 10, nil, 25])
        var calm = HeadroomAlarm()
        #expect(calm.reach(try forecast(pending: 900_000, budget: 1_000_000, recording: 0)) == nil)
    }

    @Test("a rate is right from the first minutes on, and follows what changes")
    func meter() {
        var (meter, now) = (RateMeter(over: .seconds(300), from: MonotonicTime(microseconds: 0)), Int64(0))
        #expect(meter.bytesPerSecond(at: MonotonicTime(microseconds: 0)) == 0)
        func run(_ rate: Int64, seconds: Int64) -> Double {
            for _ in 0..<(seconds / 10) {
                now += 10
                meter.add(rate * 10, at: MonotonicTime(microseconds: now * 1_000_000))
            }
            return meter.bytesPerSecond(at: MonotonicTime(microseconds: now * 1_000_000))
        }
        #expect(abs(run(1000, seconds: 60) / 1000 - 1) < 0.1)
        #expect(abs(run(1000, seconds: 3000) / 1000 - 1) < 0.05)
        #expect(abs(run(200, seconds: 1500) / 200 - 1) < 0.15)
        #expect(run(0, seconds: 3000) < 1)
    }

    @Test(
        "lengths of time are told in two units",
        arguments: [
            (20, "20 s"), (250, "4 min"), (11_520, "3 h 12 min"), (7200, "2 h"), (532_800, "6 d 4 h"), (-1, "0 s"),
        ] as [(Int64, String)])
    func words(seconds: Int64, text: String) { #expect(TimeSpan.seconds(seconds).words == text) }
}
