/// What previews were made lately, the least recently asked for forgotten first.
package struct PreviewCache {
    package typealias Outcome = Result<[UInt8], PreviewError>

    /// Of all results together, in bytes.
    package let limit: Int
    package private(set) var size = 0
    private var entries: [String: (outcome: Outcome, use: UInt64)] = [:]
    /// Each use in its order; all but an entry's last are skipped when room is made.
    private var uses: [(name: String, use: UInt64)] = []
    private var clock: UInt64 = 0

    /// Of an entry beside its bytes, roughly: a failure is not free either.
    private static let overhead = 256

    package init(limit: Int) { self.limit = limit }

    package var count: Int { entries.count }

    package mutating func find(_ name: String) -> Outcome? {
        guard let entry = entries[name] else { return nil }
        touch(name, entry.outcome)
        return entry.outcome
    }

    package mutating func keep(_ outcome: Outcome, as name: String) {
        guard Self.cost(outcome) <= limit / 4 else { return }
        if let old = entries[name] { size -= Self.cost(old.outcome) }
        size += Self.cost(outcome)
        touch(name, outcome)
        makeRoom()
    }

    private mutating func touch(_ name: String, _ outcome: Outcome) {
        clock += 1
        entries[name] = (outcome, clock)
        uses.append((name, clock))
        // As many again as there are entries: sorted out in one go.
        if uses.count > 2 * entries.count + 64 { uses.removeAll { entries[$0.name]?.use != $0.use } }
    }

    private mutating func makeRoom() {
        guard size > limit else { return }
        var seen = 0
        for (name, use) in uses {
            guard size > limit else { break }
            seen += 1
            guard let entry = entries[name], entry.use == use else { continue }
            entries[name] = nil
            size -= Self.cost(entry.outcome)
        }
        uses.removeFirst(seen)
    }

    private static func cost(_ outcome: Outcome) -> Int {
        switch outcome {
        case .success(let bytes): bytes.count + overhead
        case .failure: overhead
        }
    }
}
