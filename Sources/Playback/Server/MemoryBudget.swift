import Synchronization

/// What answers hold of memory at a time, for all viewers together: rows, text, blocks on their way.
///
/// Whoever would take it beyond its limit is told to come again: the kernel would refuse the process itself
/// (`PlaybackProcess`), and end it for all viewers.
final class MemoryBudget: Sendable {
    /// More than this is a lot: the last quarter is for those who need less.
    private static let small = 1 << 20

    private let limit: Int
    private let held = Mutex(0)

    /// `limit` in bytes.
    init(_ limit: Int) { self.limit = limit }

    /// Of one answer.
    private var mostOfOne: Int { limit / 2 }

    /// What is held now.
    var now: Int { held.withLock(\.self) }

    /// Nothing yet, for one answer.
    func share() -> Share { Share(self) }

    /// Whoever holds `own` already holds `bytes` from now on.
    fileprivate func change(_ own: Int, to bytes: Int) throws {
        guard bytes <= mostOfOne else { throw Refusal.tooMuch(mostOfOne) }
        try held.withLock { held in
            let next = held - own + bytes
            guard bytes <= own || next <= (bytes > Self.small ? limit - limit / 4 : limit) else {
                throw Refusal.busy("other answers fill the memory that there is for them")
            }
            held = next
        }
    }

    /// One answer's: is given back when nobody holds it any more, also when an answer was never sent.
    final class Share: Sendable {
        private let budget: MemoryBudget
        private let bytes = Mutex(0)

        fileprivate init(_ budget: MemoryBudget) { self.budget = budget }

        // Less is never refused.
        deinit { try? hold(0) }

        /// Holds `count` bytes in place of what it held; refuses what there is no room for, and then holds what it did.
        func hold(_ count: Int) throws {
            try bytes.withLock { bytes in
                try budget.change(bytes, to: count)
                bytes = count
            }
        }

        /// Holds `count` bytes more.
        func hold(adding count: Int) throws { try hold(bytes.withLock { $0 + count }) }
    }
}

extension Refusal {
    fileprivate static func tooMuch(_ most: Int) -> Refusal {
        Refusal(
            400, "tooMuch", "the range has more segments than the \(most >> 20) MiB of one answer hold",
            nextStep: "ask for its parts")
    }
}
