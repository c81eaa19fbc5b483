package import Messages
package import Recording

/// When windows that are not over should be, and how long nobody has said what became of them.
///
/// On no wall clock: that may be set meanwhile.
package struct WindowEnds: Sendable {
    private struct End: Sendable {
        let until: WallTime
        var at: MonotonicTime
        /// Since then a worker is there that was asked and does not answer, or there is none.
        var askedSince: MonotonicTime?
    }

    private var ends: [String: End] = [:]

    package init() {}

    /// When a window ends, as it was when it was first noted; of one that is past, that moment.
    @discardableResult
    package mutating func note(_ window: RecordingWindow, at now: MonotonicTime, wall: WallTime) -> MonotonicTime {
        if let known = ends[window.id], known.until == window.until { return known.at }
        let at = now + max(window.until - wall, .zero)
        ends[window.id] = End(until: window.until, at: at)
        return at
    }

    /// It is recorded still.
    package mutating func prolong(_ window: String, at now: MonotonicTime) {
        guard let known = ends[window] else { return }
        ends[window] = End(until: known.until, at: max(known.at, now))
    }

    /// Windows that are past were asked for; `isHeard` when a worker is there that may say what became of them, or when
    /// none is, which comes to the same.
    ///
    /// Returns those that none has answered for within `patience`: a worker closes a window when the frame after it came,
    /// without frames nobody does. While one is there that cannot be asked, nothing is given up.
    package mutating func asked(
        _ windows: [RecordingWindow], isHeard: Bool, within patience: TimeSpan, at now: MonotonicTime
    ) -> Set<String> {
        var lost: Set<String> = []
        // One that was lengthened meanwhile is not over.
        for window in windows where ends[window.id]?.until == window.until {
            let since = isHeard ? ends[window.id]?.askedSince ?? now : nil
            ends[window.id]?.askedSince = since
            if let since, since + patience < now { lost.insert(window.id) }
        }
        return lost
    }

    /// Forgets the other windows.
    package mutating func keep(_ open: Set<String>) { ends = ends.filter { open.contains($0.key) } }
}
