import Recording
import Sync
import Testing

@Suite("Breaker and retries")
struct BreakerTests {
    private let start = MonotonicTime(microseconds: 1)

    @Test("a service is given five chances, or none when it will not answer otherwise in a moment")
    func patience() {
        var breaker = Breaker()
        for count in 1...4 {
            let isNews = breaker.failed(.passing, at: start, jitter: 0.5)
            #expect(!isNews && breaker.state == .closed && breaker.failures == Int64(count))
        }
        var isNews = breaker.failed(.passing, at: start, jitter: 0.5)
        #expect(isNews && breaker.state == .open)
        var other = Breaker()
        isNews = other.failed(.lasting, at: start, jitter: 0.5)
        #expect(isNews && other.state == .open)
        var another = Breaker()
        for _ in 0..<4 { another.failed(.passing, at: start, jitter: 0.5) }
        another.succeeded()
        another.failed(.passing, at: start, jitter: 0.5)
        #expect(another.state == .closed)
    }

    @Test("a service that is away for three days is asked at most once a minute", arguments: [0, 0.3, 0.999])
    func probes(jitter: Double) {
        var breaker = Breaker()
        var (now, probes) = (start, 0)
        breaker.failed(.lasting, at: now, jitter: jitter)
        while now - start < .seconds(72 * 3600) {
            now = now + .seconds(1)
            guard breaker.permits(at: now, isAsked: false) else { continue }
            probes += 1
            #expect(breaker.state == .halfOpen)
            let isNews = breaker.failed(.passing, at: now, jitter: jitter)
            #expect(!isNews, "told once")
        }
        #expect((3400...4320).contains(probes))
        var isPermitted = breaker.permits(at: now, isAsked: true)
        #expect(isPermitted, "an operator may ask at any time")
        breaker.succeeded()
        isPermitted = breaker.permits(at: now, isAsked: false)
        #expect(isPermitted && breaker.state == .closed)
    }

    @Test("a folder is looked at again within a second, then ever more seldom, up to a minute")
    func folder() throws {
        var breaker = Breaker()
        var pauses: [Double] = []
        for _ in 0..<9 {
            breaker.failed(.folder, at: start, jitter: 0.999_999)
            pauses.append((try #require(breaker.retryAt) - start).seconds.rounded())
        }
        #expect(pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60])
        breaker.failed(.folder, at: start, jitter: 0)
        #expect(breaker.retryAt == start)
    }

    @Test("without progress retries end, and go on with it")
    func budget() {
        var budget = RetryBudget()
        #expect(granted(&budget, isTimeout: false) == 100)
        #expect(granted(&budget, isTimeout: true) == 0)
        for _ in 0..<5 { budget.verified(bytes: 4096) }
        #expect(granted(&budget, isTimeout: false) == 1)
        budget.verified(bytes: 10 << 20)
        #expect(granted(&budget, isTimeout: true) == 1)
        budget.verified(bytes: .max)
        #expect(granted(&budget, isTimeout: true) == 50)
    }

    /// Retries until there is no other.
    private func granted(_ budget: inout RetryBudget, isTimeout: Bool) -> Int {
        var count = 0
        while budget.permitsRetry(isTimeout: isTimeout) { count += 1 }
        return count
    }

    @Test(
        "a pause is jittered below a second that doubles up to 20, after what the store asked for, within a minute",
        arguments: [
            (1, nil, 1.0, 1.0), (3, nil, 1, 4), (9, nil, 1, 20), (2, nil, 0, 0), (1, 5, 0.5, 5.5), (1, 86_400, 0, 60),
            (1, -7, 0, 0), (0, nil, 1, 1),
        ] as [(Int, Int64?, Double, Double)])
    func pause(attempt: Int, asked: Int64?, jitter: Double, seconds: Double) {
        let pause = RetryBudget.pause(
            before: attempt, storeAsksFor: asked.map { .seconds($0) }, jitter: jitter)
        #expect(pause.seconds == seconds)
    }
}
