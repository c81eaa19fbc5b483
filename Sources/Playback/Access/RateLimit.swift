import Recording
import Synchronization

/// How often each client address may do something: `burst` at once, then `perSecond`.
///
/// Holds a bounded number of addresses; one that is forgotten begins anew.
final class RateLimit: Sendable {
    private struct Bucket {
        var left: Double
        var since: MonotonicTime
    }

    private let burst: Double
    private let perSecond: Double
    private let places: Int
    private let buckets = Mutex<[String: Bucket]>([:])

    init(burst: Double, perSecond: Double, places: Int = 4096) {
        self.burst = burst
        self.perSecond = perSecond
        self.places = places
    }

    /// Takes one; nil when there was one, else how long until there is.
    ///
    /// One that comes within `patience` is taken all the same: it is whoever asks that waits.
    func take(_ address: String, at now: MonotonicTime, patience: TimeSpan = .zero) -> TimeSpan? {
        buckets.withLock { buckets in
            var bucket = refilled(buckets[address], at: now)
            let wait = wait(bucket)
            if wait ?? .zero <= patience { bucket.left -= 1 }
            if buckets.count >= places, buckets[address] == nil { makeRoom(in: &buckets, at: now) }
            buckets[address] = bucket
            return wait
        }
    }

    /// Undoes a `take` that gave one.
    func giveBack(_ address: String) {
        buckets.withLock { buckets in
            guard let left = buckets[address]?.left else { return }
            buckets[address]?.left = min(burst, left + 1)
        }
    }

    private func wait(_ bucket: Bucket) -> TimeSpan? {
        bucket.left >= 1 ? nil : TimeSpan(seconds: (1 - bucket.left) / perSecond)
    }

    private func refilled(_ bucket: Bucket?, at now: MonotonicTime) -> Bucket {
        guard let bucket else { return Bucket(left: burst, since: now) }
        return Bucket(left: min(burst, bucket.left + max(0, (now - bucket.since).seconds) * perSecond), since: now)
    }

    /// Whoever has all that there is to have loses nothing by being forgotten; else the one who has most does.
    private func makeRoom(in buckets: inout [String: Bucket], at now: MonotonicTime) {
        buckets = buckets.filter { refilled($0.value, at: now).left < burst }
        guard buckets.count >= places else { return }
        let most = buckets.max { refilled($0.value, at: now).left < refilled($1.value, at: now).left }
        if let most { buckets[most.key] = nil }
    }
}
