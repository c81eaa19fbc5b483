import Catalog
package import Recording

extension Archive {
    /// Some rows of a range, and where those after them follow; nil when there are none.
    package struct Page: Sendable {
        package let rows: [SegmentRow]
        package let next: SegmentPlace?
    }

    /// At most `limit` rows of those that overlap a range, by start, after `after`, and what grows or has just closed
    /// between them; media complete, wherever the bytes can be read, or as `rows` tells it.
    package func page(
        _ camera: Camera, from: WallTime, to: WallTime, after: SegmentPlace? = nil, byKey: Bool = false, limit: Int
    ) throws -> Page {
        try page(camera, from: from, to: to, after: after, limit: limit) { !byKey && $0.end > to }
    }

    private func page(
        _ camera: Camera, from: WallTime, to: WallTime, after: SegmentPlace?, limit: Int,
        isNeededWhole: (SegmentRow) -> Bool
    ) throws -> Page {
        let (rows, next) = try look(camera) { view in
            // The store may go away between two pages; what is before a place is told already.
            try view.unknown.refuse(from: after.map { max(from, $0.start + TimeSpan(microseconds: 1)) } ?? from)
            var rows: [SegmentRow] = []
            var isEnd = false
            while rows.count < limit, !isEnd {
                let more = try view.index.segments(
                    camera.name, from: from, to: to, after: rows.last?.place ?? after, limit: limit - rows.count)
                rows += more
                isEnd = more.isEmpty
            }
            let next = isEnd ? nil : rows.last?.place
            // The catalog may have learnt of it since the cache was looked at.
            let first = view.news.map(\.start).min() ?? .latest
            let known = Set(rows.lazy.filter { $0.start >= first }.map(\.id) + [after?.id].compactMap(\.self))
            let news = view.news.filter { row in
                row.end > from && row.start < to && !known.contains(row.id) && (after.map { $0 < row.place } ?? true)
                    && (next.map { row.place < $0 } ?? true)
            }
            return (rows + news, next)
        }
        return Page(rows: try complete(rows, isNeededWhole: isNeededWhole).sorted { $0.place < $1.place }, next: next)
    }

    /// All rows that start between two moments, both included, to whole milliseconds.
    package func rows(
        _ camera: Camera, startingFrom first: WallTime, through last: WallTime,
        isNeededWhole: (SegmentRow) -> Bool = { _ in true }
    ) throws -> [SegmentRow] {
        let before = first - TimeSpan(microseconds: 1)
        var rows: [SegmentRow] = []
        // Nothing that began earlier is looked for.
        var after: SegmentPlace? = SegmentPlace(start: before, id: SegmentID(session: .max, counter: .max))
        repeat {
            let page = try page(
                camera, from: before, to: last + .milliseconds(1), after: after, limit: 500,
                isNeededWhole: isNeededWhole)
            rows += page.rows
            guard rows.count <= Self.rowLimit else { throw ArchiveError.tooMuch(Self.rowLimit) }
            after = page.next
        } while after != nil
        return rows
    }
}

extension SegmentPlace {
    fileprivate static func < (left: Self, right: Self) -> Bool { (left.start, left.id) < (right.start, right.id) }
}
