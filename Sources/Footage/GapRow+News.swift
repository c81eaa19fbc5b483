import Catalog
import Recording

extension [GapRow] {
    /// The same with what segments tell that are newer than what the journal is known to say: by start.
    ///
    /// A gap is over where they go on, and a silence inside of one is a gap, whose reason the journal has yet to tell.
    /// `news` come by start.
    func completed(by news: [SegmentRow], from: WallTime? = nil, to: WallTime? = nil) -> [GapRow] {
        guard !news.isEmpty else { return self }
        var rows = self
        for index in rows.indices where rows[index].gap.to == nil { rows[index].gap.to = rows[index].end(in: news) }
        let untold = news.flatMap { row in
            row.silences.filter { $0.from < (to ?? .latest) && $0.to > (from ?? .earliest) }
                .map { GapRow(silence: $0, of: row.id.session) }
        }
        .filter { silence in !rows.contains { $0.overlaps(silence) } }
        return untold.isEmpty ? rows : (rows + untold).sorted { $0.gap.from < $1.gap.from }
    }
}

extension GapRow {
    /// Found in a segment's bytes.
    init(silence: (from: WallTime, to: WallTime), of session: Int64) {
        let gap = Gap(
            from: silence.from, to: silence.to, reason: .unknown, detail: "no frames; no journal has told why yet")
        self.init(sequence: 0, session: session, gap: gap)
    }

    /// Where an open gap's camera went on: in the session that it is in, or with a later one; nil while it has not.
    fileprivate func end(in news: [SegmentRow]) -> WallTime? {
        for row in news where row.end > gap.from {
            if row.start > gap.from { return row.start }
            if row.id.session == session, let silence = row.silences.first(where: { $0.to > gap.from }) {
                return silence.to
            }
        }
        return nil
    }

    fileprivate func overlaps(_ other: GapRow) -> Bool {
        gap.from < (other.gap.to ?? .latest) && (gap.to ?? .latest) > other.gap.from
    }
}
