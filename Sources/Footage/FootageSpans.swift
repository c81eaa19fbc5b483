import Recording

/// Gathers segments into the stretches that play without a gap.
struct FootageSpans {
    /// As `gaps` lists it: no frame for longer.
    private static let gap = TimeSpan.seconds(2)
    /// Where a segment is missing in between, less is one, too.
    private static let rounding = TimeSpan.milliseconds(500)

    private let from: WallTime
    private let to: WallTime
    private var last = SegmentID(session: 0, counter: 0)
    /// The stretch that goes on.
    private var open: (start: WallTime, end: WallTime)?
    private var closed: [(start: WallTime, end: WallTime)] = []

    init(from: WallTime, to: WallTime) {
        self.from = from
        self.to = to
    }

    var all: [(start: WallTime, end: WallTime)] { closed + [open].compactMap(\.self) }

    /// Segments come by start; where sessions overlap it is one stretch.
    mutating func add(_ id: SegmentID, from start: WallTime, to end: WallTime) {
        let (start, end) = (max(start, from), min(end, to))
        guard start < end else { return }
        defer { last = id }
        guard let span = open else { return open = (start, end) }
        if isGap(start - span.end, before: id) {
            closed.append(span)
            open = (start, end)
        } else if end > span.end {
            open = (span.start, end)
        }
    }

    private func isGap(_ length: TimeSpan, before next: SegmentID) -> Bool {
        guard length > Self.rounding else { return false }
        return length >= Self.gap
            || last.session == next.session && next.counter.subtractingSaturated(last.counter) > 1
    }
}
