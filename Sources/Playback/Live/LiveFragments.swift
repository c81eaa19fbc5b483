/// The newest fragments of a camera, a bounded number of them.
struct LiveFragments: Sendable {
    /// More than a minute of them: longer than keys are apart.
    private static let most = 90

    /// By sequence number, without holes.
    private var all: [LiveFragment] = []

    mutating func append(_ fragment: LiveFragment) {
        all.append(fragment)
        newest = fragment
        if all.count > Self.most { all.removeFirst() }
    }

    /// Also when it is forgotten: the next one goes on behind it.
    private(set) var newest: LiveFragment?

    /// None of them is live any more.
    mutating func forget() { all = [] }

    /// The newest that playback can start with.
    var newestKey: LiveFragment? { all.last(where: \.isKey) }

    /// The one after `sequence`, or, without one, the newest key; nil when it is still to come.
    ///
    /// A viewer who is more than `lag` behind goes on with the newest key.
    func next(after sequence: Int64?, lag: Int64) -> LiveFragment? {
        guard let newest, let sequence, sequence < newest.sequence else { return sequence == nil ? newestKey : nil }
        if newest.sequence - sequence > lag, let key = newestKey, key.sequence > sequence { return key }
        return all.first { $0.sequence > sequence }
    }
}
