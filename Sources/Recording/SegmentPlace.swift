/// A segment's place in its camera's time: ranges are listed by start, then session and counter.
package struct SegmentPlace: Hashable, Sendable {
    package var start: WallTime
    package var id: SegmentID

    package init(start: WallTime, id: SegmentID) {
        self.start = start
        self.id = id
    }
}

/// Where a segment's footage is in time and whether it still exists: all that coverage asks of it.
package struct SegmentExtent: Hashable, Sendable {
    package var place: SegmentPlace
    package var duration: TimeSpan
    package var state: SegmentState
    /// Why it was evicted, `vanished` when nobody said; nil while its bytes exist.
    package var reason: String?

    package init(place: SegmentPlace, duration: TimeSpan, state: SegmentState, reason: String? = nil) {
        self.place = place
        self.duration = duration
        self.state = state
        self.reason = reason
    }

    package var end: WallTime { place.start + duration }
}

extension SegmentRow {
    package var place: SegmentPlace { SegmentPlace(start: start, id: id) }
}
