import Catalog
package import Recording

/// Answers about one camera, from an index and the segments that still grow, as of one look at both.
package struct Answers: Sendable {
    /// Rows that are sent and held at a time.
    package static let page = 500
    /// Extents are small, and a reader's transaction still ends within milliseconds.
    private static let extentPage = 10_000
    /// Rounding of journals and media to microseconds and milliseconds.
    private static let rounding = TimeSpan.milliseconds(2)
    /// The growing segment is behind by its open fragment.
    private static let live = TimeSpan.seconds(5)

    private let index: any FootageIndex
    private let camera: CameraName
    private let now: WallTime
    private let growing: [SegmentRow]
    /// What the answers leave out, whatever range is asked for.
    package let unknown: UnknownPast?

    /// `growing` are the rows of its segments that are still appended to.
    package init(
        _ index: any FootageIndex, _ camera: CameraName, growing: [SegmentRow], unknown: UnknownPast? = nil,
        now: WallTime
    ) {
        self.index = index
        self.camera = camera
        self.growing = growing
        self.unknown = unknown
        self.now = now
    }

    /// Throws when nothing of a range can be told.
    package func check(from: WallTime?, to: WallTime?) throws { _ = try unknown.knownStart(from: from, to: to) }

    /// Calls `body` with pages of rows by start, the growing ones last; one that closes meanwhile comes once.
    package func segments(from: WallTime?, to: WallTime?, _ body: ([SegmentRow]) async throws -> Void) async throws {
        let from = try unknown.knownStart(from: from, to: to)
        var growing = growing.filter { $0.end > (from ?? .earliest) && $0.start < (to ?? .latest) }
        var last: SegmentPlace?
        while true {
            let rows = try index.segments(camera, from: from, to: to, after: last, limit: Self.page)
            growing.removeAll { open in rows.contains { $0.id == open.id } }
            try await body(rows)
            guard let end = rows.last?.place else { break }
            last = end
        }
        try await body(growing)
    }

    package func coverage(from: WallTime?, to: WallTime?) async throws -> Coverage {
        let from = try unknown.knownStart(from: from, to: to) ?? firstKnown()
        let claims = try claims(from: from, to: to)
        return coverage(claims, from: from, to: to ?? claims.liveEnd(now: now, within: Self.live))
    }

    /// Journalled gaps, evicted ranges and what nobody accounts for, by start.
    ///
    /// What a later session recorded over after a backward step is left out, and so is a loss without length.
    package func gaps(from: WallTime?, to: WallTime?) async throws -> [Gap] {
        let from = try unknown.knownStart(from: from, to: to)
        let rows = try gapRows(from: from, to: to)
        let asked = try from ?? firstKnown()
        // A journalled gap is shown whole, wherever it began.
        let first = ([asked] + rows.prefix(1).map(\.gap.from)).min() ?? asked
        let last = to.map { to in ([to] + rows.compactMap(\.gap.to)).max() ?? to }
        let claims = try claims(from: first, to: last)
        let live = claims.liveEnd(now: now, within: Self.live)
        // After a backward step of the clock what is known reaches beyond now.
        let end = last ?? ([live] + claims.losses.compactMap(\.to)).max() ?? live
        let losses = Losses(coverage(claims, from: first, to: end), now: now)
        let told = claims.losses.filter { ($0.to ?? .latest) > asked && $0.from < (to ?? .latest) }
        let untold = losses.untold(
            from: asked, to: min(to ?? live, live), isOngoing: to == nil, but: told.filter { $0.reason == .unknown })
        return (told.compactMap { losses.part(of: $0) } + untold)
            .sorted { ($0.from, $0.to ?? .latest) < ($1.from, $1.to ?? .latest) }
    }
}

extension Answers {
    private func firstKnown() throws -> WallTime {
        ([try index.firstKnown(camera)] + growing.map(\.start)).compactMap(\.self).min() ?? now
    }

    private func gapRows(from: WallTime?, to: WallTime?) throws -> [GapRow] {
        try index.gaps(camera, from: from, to: to).completed(by: growing, from: from, to: to)
    }

    private func claims(from: WallTime, to: WallTime?) throws -> Claims {
        var claims = Claims(now: now)
        var last: SegmentPlace?
        while true {
            let extents = try index.extents(camera, from: from, to: to, after: last, limit: Self.extentPage)
            for extent in extents { claims.add(extent) }
            guard let end = extents.last?.place else { break }
            last = end
        }
        for row in growing where row.end > from && row.start < (to ?? .latest) { claims.add(growing: row) }
        claims.endRuns()
        for row in try gapRows(from: from, to: to) { claims.add(row) }
        return claims
    }

    private func coverage(_ claims: Claims, from: WallTime, to: WallTime) -> Coverage {
        Coverage(from: from, to: to, claims: claims.all).absorbing(Self.rounding)
    }
}

extension Coverage {
    /// Gives slivers that nobody claims to the span before them: they are rounding, not loss.
    fileprivate func absorbing(_ sliver: TimeSpan) -> Coverage {
        var copy = self
        copy.spans = []
        for span in spans {
            let isSliver = span.kind == .gap(.unknown) && span.to - span.from <= sliver
            if let last = copy.spans.last, isSliver || last.kind == span.kind {
                copy.spans[copy.spans.endIndex - 1].to = span.to
            } else {
                copy.spans.append(span)
            }
        }
        return copy
    }
}
