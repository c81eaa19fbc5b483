import Catalog
import ObjectStore
import Recording

/// One asset's UTC day as the store tells it: where its segments are in time, and its gaps.
struct StoredDay: Sendable {
    struct Entry: Sendable {
        var place: SegmentPlace
        var duration: TimeSpan
        var bytes: Int64
        var state: SegmentState
        /// Why it is evicted.
        var reason: String?
        /// Where in the summary the whole row is.
        var line: Range<Int>?

        var end: WallTime { place.start + duration }
    }

    /// By place.
    var entries: [Entry] = []
    var gaps: [GapRow] = []
    /// The first objects of sessions, which tell of the gap before them; a summary tells gaps itself.
    var sessionStarts: [ObjectKey] = []
    /// Of the summary that it was made of: another generation's lines are elsewhere.
    var generation: Int64?

    /// How much of it there is to remember.
    var weight: Int { entries.count + gaps.count + sessionStarts.count }

    /// The end of its last segment, wherever that reaches.
    var end: WallTime? { entries.map(\.end).max() }

    init() {}

    /// What a summary tells of segments, those that are gone too, and gaps.
    init(_ summary: Summary) {
        generation = summary.generation
        summary.eachLine { line, range in
            if let gap = line.gap {
                gaps.append(gap)
            } else if let told = line.told {
                entries.append(
                    Entry(
                        place: told.row.place, duration: told.row.duration, bytes: told.row.bytes,
                        state: told.row.state, reason: told.reason, line: range))
            }
        }
        entries.sort { ($0.place.start, $0.place.id) < ($1.place.start, $1.place.id) }
    }
}

extension SummaryLine {
    /// The place of a line's segment, and why it is gone if it is.
    fileprivate var told: (row: SegmentRow, reason: String?)? {
        if let loss { return loss }
        guard kind == "segment", var row = remains else { return nil }
        row.state = .verified
        return (row, nil)
    }
}
