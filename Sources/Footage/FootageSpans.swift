import Catalog
import Recording

/// Gathers segments into the stretches that play without a gap.
struct FootageSpans {
    private let from: WallTime
    private let to: WallTime
    private var last = SegmentID(session: 0, counter: 0)
    /// The stretch that goes on.
    private var open: (start: WallTime, end: WallTime)?
    private var closed: [(start: WallTime, end: WallTime)] = []
    /// Gaps that sessions went on after, by start: each of them may be a hole in a segment.
    private var gaps: ArraySlice<GapRow>

    /// `gaps` come by start.
    init(from: WallTime, to: WallTime, gaps: [GapRow]) {
        self.from = from
        self.to = to
        self.gaps = gaps.filter { row in row.gap.to.map { $0 - row.gap.from >= Gap.least } ?? false }[...]
    }

    var all: [(start: WallTime, end: WallTime)] { closed + [open].compactMap(\.self) }

    /// Segments come by start; where sessions overlap it is one stretch.
    ///
    /// A camera that falls silent leaves a hole in its segment, which only its session's gap tells.
    mutating func add(_ id: SegmentID, from start: WallTime, to end: WallTime) {
        gaps = gaps.drop { $0.gap.to ?? .latest <= start }
        var start = start
        for row in gaps.prefix(while: { $0.gap.from < end }) where row.session == id.session {
            guard let to = row.gap.to, start < row.gap.from, to < end else { continue }
            join(id, start, row.gap.from)
            start = to
        }
        join(id, start, end)
    }

    private mutating func join(_ id: SegmentID, _ start: WallTime, _ end: WallTime) {
        let (start, end) = (max(start, from), min(end, to))
        guard start < end else { return }
        defer { last = id }
        guard let span = open else { return open = (start, end) }
        if Gap.isBetween(span.end, of: last, start, of: id) {
            closed.append(span)
            open = (start, end)
        } else if end > span.end {
            open = (span.start, end)
        }
    }
}
