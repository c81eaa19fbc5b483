package import Recording

/// Whether the wall clock may decide what is old enough to delete (I11).
///
/// A clock that is not disciplined may not, nor one that stands more than a day from where the last trusted reading
/// and the time since then put it; before there is one, nor one more than a day past all footage. A box that was off
/// for longer than that is in the same case: nobody but an operator can tell it from a wrong clock.
package struct RetentionClock: Hashable, Sendable, Codable {
    package enum Verdict: Hashable, Sendable {
        /// Retention may run; commit this reading.
        case trusted(RetentionClock)
        case unsynchronised
        /// Off by this much; the last trusted reading stays.
        case moved(TimeSpan)
    }

    package static let tolerance = TimeSpan.seconds(24 * 3600)

    /// Of a reading that was trusted and committed.
    package var wall: Int64
    package var monotonic: Int64
    package var bootID: String

    package init(wall: WallTime, monotonic: MonotonicTime, bootID: String) {
        self.wall = wall.microseconds
        self.monotonic = monotonic.microseconds
        self.bootID = bootID
    }

    /// True when it says more than an earlier reading and the time since then.
    func renews(_ earlier: RetentionClock, after interval: TimeSpan) -> Bool {
        bootID != earlier.bootID || monotonic.subtractingSaturated(earlier.monotonic) >= interval.microseconds
    }

    /// Judges `reading` against the last trusted one, or without one against the end of the newest footage.
    package static func judge(
        _ reading: RetentionClock, isSynchronised: Bool, last: RetentionClock?, newest: WallTime? = nil
    ) -> Verdict {
        guard isSynchronised else { return .unsynchronised }
        guard let last else {
            let past = newest.map { WallTime(microseconds: reading.wall) - $0 } ?? .zero
            return past > tolerance ? .moved(past) : .trusted(reading)
        }
        // After a reboot only the time since then is known.
        let passed =
            reading.bootID == last.bootID ? reading.monotonic.subtractingSaturated(last.monotonic) : reading.monotonic
        let expected = last.wall.addingSaturated(passed)
        let moved = TimeSpan(microseconds: reading.wall.subtractingSaturated(expected))
        return moved.magnitude > tolerance ? .moved(moved) : .trusted(reading)
    }
}
