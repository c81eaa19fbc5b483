package import Recording

/// What may be spent on trying again within a pass: a bucket of tokens that only progress fills.
///
/// After the SDKs of AWS: 500 tokens, 5 a retry, 10 after a timeout. A store that answers badly for long costs a few
/// retries and is then left to the next pass, instead of twice the requests.
package struct RetryBudget: Hashable, Sendable {
    private static let capacity = 500.0
    private static let retry = 5.0
    private static let timeout = 10.0

    private var tokens = capacity

    package init() {}

    /// True when one more retry may be made, which is then paid for.
    package mutating func permitsRetry(isTimeout: Bool) -> Bool {
        let price = isTimeout ? Self.timeout : Self.retry
        guard tokens >= price else { return false }
        tokens -= price
        return true
    }

    /// Bytes that are known to be in the store: a token a MiB, and at least one an object.
    package mutating func verified(bytes: Int64) {
        tokens = min(Self.capacity, tokens + max(1, Double(bytes) / 1_048_576))
    }

    /// How long to wait before a try, counted from 1: full jitter below a second that doubles up to 20, and what the store
    /// asked for, at most a minute of it.
    package static func pause(before attempt: Int, storeAsksFor asked: TimeSpan?, jitter: Double) -> TimeSpan {
        let ceiling = TimeSpan.seconds(min(20, 1 << min(max(0, attempt - 1), 5)))
        let jittered = TimeSpan(microseconds: Int64(Double(ceiling.microseconds) * jitter))
        return min(max(asked ?? .zero, .zero), .seconds(60)) + jittered
    }
}
