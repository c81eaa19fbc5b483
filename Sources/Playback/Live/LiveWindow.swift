import Recording

/// The newest fragments of a camera, gathered into what HLS calls media segments; a bounded number of them.
struct LiveWindow: Sendable {
    /// Consecutive fragments of one segment's file: an HLS media segment, whose partial segments they are.
    struct Group: Sendable {
        /// HLS media sequence number.
        let number: Int64
        fileprivate(set) var fragments: [LiveFragment]
        /// A discontinuity comes before it.
        let isBorder: Bool

        var duration: TimeSpan { fragments.reduce(.zero) { $0 + $1.duration } }
    }

    /// HLS's target duration: no group is longer.
    static let target = TimeSpan.seconds(10)
    /// A group ends before the first key from here on.
    private static let usual = TimeSpan.seconds(4)
    private static let most = 12

    /// The last still grows.
    private(set) var groups: [Group] = []
    /// Discontinuities before the first group.
    private(set) var discontinuities: Int64 = 0
    /// The longest fragment that there ever was in it, and what HLS promises of them.
    private(set) var longest = TimeSpan.milliseconds(1100)

    /// Numbers begin with seconds since 1970: for a player that saw an earlier window they still rise, as no group is
    /// shorter than a second for long.
    mutating func append(_ fragment: LiveFragment) {
        longest = max(longest, fragment.duration)
        if let last = groups.last, !begins(fragment, after: last) {
            groups[groups.endIndex - 1].fragments.append(fragment)
        } else {
            let number = groups.last.map { $0.number + 1 } ?? max(0, fragment.start.microseconds / 1_000_000)
            groups.append(Group(number: number, fragments: [fragment], isBorder: fragment.isBorder))
        }
        while groups.count > Self.most {
            groups.removeFirst()
            // The tag before what is now first went with it.
            if groups.first?.isBorder == true { discontinuities += 1 }
        }
    }

    var newest: LiveFragment? { groups.last?.fragments.last }

    /// The newest fragment that playback can start with.
    var newestKey: LiveFragment? {
        for group in groups.reversed() {
            if let key = group.fragments.last(where: \.isKey) { return key }
        }
        return nil
    }

    /// The oldest fragment after `sequence`; a viewer who is far behind goes on with the newest key instead.
    func next(after sequence: Int64?, lag: Int64) -> LiveFragment? {
        guard let newest, let sequence, sequence < newest.sequence else { return sequence == nil ? newestKey : nil }
        if newest.sequence - sequence > lag, let key = newestKey, key.sequence > sequence { return key }
        for group in groups {
            if let next = group.fragments.first(where: { $0.sequence > sequence }) { return next }
        }
        return nil
    }

    /// Whether group `number` has a fragment `part`, or, without one, is complete.
    func has(group number: Int64, part: Int?) -> Bool {
        guard let last = groups.last else { return false }
        guard number == last.number else { return number < last.number }
        return part.map { $0 < last.fragments.count } ?? false
    }

    private func begins(_ fragment: LiveFragment, after group: Group) -> Bool {
        guard let last = group.fragments.last else { return true }
        return fragment.isBorder || fragment.row.id != last.row.id
            || fragment.isKey && group.duration >= Self.usual || group.duration + fragment.duration > Self.target
    }
}
