import Catalog
package import Recording

extension Archive {
    /// What overlaps a moment or a short range, by start, the growing one included; media complete, wherever the bytes
    /// can be read.
    ///
    /// Of a segment in the store that is not read yet those fragments may be told alone that playback can start with, unless
    /// the range ends inside of it and is to end with a fragment (not `byKey`). Throws for more than `rowLimit`.
    package func rows(
        _ camera: Camera, from: WallTime, to: WallTime, byKey: Bool = false
    ) throws -> [SegmentRow] {
        var rows: [SegmentRow] = []
        var after: SegmentPlace?
        repeat {
            let page = try page(camera, from: from, to: to, after: after, byKey: byKey, limit: 5000)
            rows += page.rows
            guard rows.count <= Self.rowLimit else { throw ArchiveError.tooMuch(Self.rowLimit) }
            after = page.next
        } while after != nil
        return rows
    }

    /// Segments, gaps and coverage as `cvrctl` tells them.
    package func answers(_ camera: Camera) throws -> Answers {
        try look(camera) { Answers($0.index, camera.name, growing: $0.news, unknown: $0.unknown, now: now()) }
    }

    /// What of a camera's past nobody can tell now; nil nearly always.
    ///
    /// Without a catalog, while the store is away: then the other questions are answered for what is later.
    package func unknownPast(_ camera: Camera) throws -> UnknownPast? { try look(camera) { $0.unknown } }

    /// Whether anything of a range can be played.
    package func hasFootage(_ camera: Camera, from: WallTime, to: WallTime) throws -> Bool {
        try look(camera) { view in
            let isThere =
                try view.news.contains { $0.end > from && $0.start < to }
                || view.index.hasFootage(camera.name, from: from, to: to)
            if !isThere { try view.unknown.refuse(from: from) }
            return isThere
        }
    }

    /// The first and the last moment that can be played; nil when nothing can.
    package func firstAndLast(_ camera: Camera) throws -> (first: WallTime, last: WallTime)? {
        try look(camera) { view in
            let known = try view.index.footage(camera.name)
            let starts = [known?.first].compactMap(\.self) + view.news.map(\.start)
            let ends = [known?.last].compactMap(\.self) + view.news.map(\.end)
            guard let first = starts.min(), let last = ends.max() else { return nil }
            return (first, last)
        }
    }

    /// What of a range can be played, as `/list` tells it: split at gaps, ascending, without overlap.
    package func spans(_ camera: Camera, from: WallTime, to: WallTime) throws -> [(start: WallTime, end: WallTime)] {
        try look(camera) { view in
            try view.unknown.refuse(from: from)
            let gaps = try view.index.gaps(camera.name, from: from, to: to)
                .completed(by: view.news, from: from, to: to)
            var spans = FootageSpans(from: from, to: to, gaps: gaps)
            try view.index.eachFootage(camera.name, from: from, to: to) { spans.add($0, from: $1, to: $2) }
            for row in view.news { spans.add(row.id, from: row.start, to: row.end) }
            return spans.all
        }
    }

    /// What of a range no event asked for: a signal gate was closed.
    package func unasked(_ camera: Camera, from: WallTime, to: WallTime) throws -> [(start: WallTime, end: WallTime)] {
        try look(camera) { view in
            try view.index.gaps(camera.name, from: from, to: to).completed(by: view.news, from: from, to: to)
                .filter { $0.gap.reason == .gateClosed }
                .map { (max($0.gap.from, from), min($0.gap.to ?? to, to)) }
                .filter { $0.0 < $0.1 }
        }
    }
}

extension Archive {
    /// An index, and the rows of segments that it does not know yet, by start.
    struct View {
        let index: any FootageIndex
        let news: [SegmentRow]
        var unknown: UnknownPast?
    }

    /// Asks whoever knows most: a catalog that fails is passed over for what caches, journals and the store tell.
    func look<Answer>(_ camera: Camera, _ body: (View) throws -> Answer) throws -> Answer {
        try asking {
            guard let box else {
                guard let stored else { throw ArchiveError.noStore }
                return try body(View(index: stored.part(camera), news: []))
            }
            do {
                if let view = try box.view(camera, now: now()) { return try body(view) }
            } catch let error as CatalogError {
                box.catalog.passOver(error)
            }
            return try body(try box.viewWithoutCatalog(camera, stored, now: now()))
        }
    }
}
