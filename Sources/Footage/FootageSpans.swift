import Recording

/// Gathers segments into the stretches that play without a gap.
struct FootageSpans {
    /// As `gaps` lists it: no frame for longer.
    private static let gap = TimeSpan.seconds(2)
    /// Where a segment is missing in between, less is one, too.
    private static let rounding = TimeSpan.milliseconds(500)

    private let from: WallTime
    private let to: WallTime
    private var last: SegmentID?
    private(set) var all: [(start: WallTime, end: WallTime)] = []

    init(from: WallTime, to: WallTime) {
        self.from = from
        self.to = to
    }

    /// Segments come by start; where sessions overlap it is one stretch.
    mutating func add(_ id: SegmentID, from start: WallTime, to end: WallTime) {
        let (start, end) = (max(start, from), min(end, to))
        guard start < end else { return }
        defer { last = id }
        guard let span = all.last, !isGap(start - span.end, before: id) else { return all.append((start, end)) }
        if end > span.end { all[all.endIndex - 1].end = end }
    }

    private func isGap(_ length: TimeSpan, before next: SegmentID) -> Bool {
        guard length < Self.gap else { return true }
        guard length > Self.rounding, let last else { return false }
        return last.session == next.session && next.counter.subtractingSaturated(last.counter) > 1
    }
}
