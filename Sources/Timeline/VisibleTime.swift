import Recording

/// What of a segment no later session recorded over, as happens after a backward step of the clock.
struct VisibleTime {
    let row: SegmentRow
    let start: WallTime
    let end: WallTime

    /// A later session begins before the segment ends, or ends after it began.
    var isCutAtStart: Bool { start > row.start }
    var isCutAtEnd: Bool { end < row.end }

    /// Segments of one session follow one another on its clock: they never hide each other.
    static func of(_ rows: [SegmentRow]) -> [VisibleTime] {
        guard overlap(rows) else { return rows.map { VisibleTime(row: $0, start: $0.start, end: $0.end) } }
        var covered = CoveredTime()
        var found: [VisibleTime] = []
        let latestFirst = rows.sorted { $0.id > $1.id }
        var rest = latestFirst[...]
        while let session = rest.first?.id.session {
            let own = rest.prefix { $0.id.session == session }
            for row in own {
                for span in covered.rest(of: row.start, row.end) {
                    found.append(VisibleTime(row: row, start: span.start, end: span.end))
                }
            }
            for row in own { covered.insert(row.start, row.end) }
            rest = rest.dropFirst(own.count)
        }
        return found
    }

    /// Nearly always false: the clock was not set back.
    ///
    /// Rows come by start.
    private static func overlap(_ rows: [SegmentRow]) -> Bool {
        var last: SegmentRow?
        for row in rows {
            if let last, last.id.session != row.id.session, row.start + CoveredTime.tolerance < last.end { return true }
            if last.map({ $0.end <= row.end }) ?? true { last = row }
        }
        return false
    }
}

/// Stretches of time that do not touch, ascending.
private struct CoveredTime {
    /// A session's last frame may last a little beyond the start of the next one.
    static let tolerance = TimeSpan.milliseconds(100)

    private var spans: [(start: WallTime, end: WallTime)] = []

    mutating func insert(_ start: WallTime, _ end: WallTime) {
        guard start < end else { return }
        let first = first { $0.end >= start }
        let last = self.first { $0.start > end }
        let merged = spans[first..<last].reduce((start, end)) { (min($0.0, $1.start), max($0.1, $1.end)) }
        spans.replaceSubrange(first..<last, with: [merged])
    }

    /// What is not covered of a stretch of time.
    func rest(of start: WallTime, _ end: WallTime) -> [(start: WallTime, end: WallTime)] {
        var found: [(start: WallTime, end: WallTime)] = []
        var next = start
        for span in spans[first { $0.end > start + Self.tolerance }...].prefix(while: {
            $0.start + Self.tolerance < end
        }) {
            if span.start > next { found.append((next, span.start)) }
            next = span.end
        }
        if next < end { found.append((next, end)) }
        return found
    }

    /// The first span of which something holds that holds for all later ones too.
    private func first(where isPast: ((start: WallTime, end: WallTime)) -> Bool) -> Int {
        var (low, high) = (0, spans.count)
        while low < high {
            let middle = low + (high - low) / 2
            if isPast(spans[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
