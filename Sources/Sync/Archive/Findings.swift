import Messages

/// What an audit finds, on its way to whoever asked: however much that is, no more than so many are named.
///
/// Used by one thread.
final class Findings {
    /// Where the catalog knows nothing of a store, each object is a finding.
    static let most = 200

    private let tell: (Listing.Verified) -> Void
    private var named = 0
    private var omitted: Int64 = 0
    /// Of those that are not told yet.
    private var counted = Listing.Verified(checked: 0, findings: [])
    /// Nothing was found that could not be repaired.
    private(set) var isSound = true

    /// `tell` is called after each page of segments, and with each finding that is named.
    init(tell: @escaping (Listing.Verified) -> Void = { _ in }) { self.tell = tell }

    func checked(_ segments: Int64) {
        counted.checked = segments
        flush()
    }

    /// False when it is only counted.
    func add(_ finding: Listing.Finding) -> Bool {
        isSound = isSound && finding.repaired
        guard named < Self.most else {
            omitted += 1
            counted.omitted = (counted.omitted ?? 0) + 1
            if !finding.repaired { counted.omittedUnrepaired = (counted.omittedUnrepaired ?? 0) + 1 }
            return false
        }
        named += 1
        tell(Listing.Verified(checked: 0, findings: [finding]))
        return true
    }

    /// Tells the rest; returns how many were only counted.
    func end() -> Int64 {
        flush()
        return omitted
    }

    private func flush() {
        if counted != Listing.Verified(checked: 0, findings: []) { tell(counted) }
        counted = Listing.Verified(checked: 0, findings: [])
    }
}
