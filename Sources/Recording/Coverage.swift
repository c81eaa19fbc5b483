/// What one stretch of a camera's time is: the answer to "where was this camera at 03:12?".
package struct CoverageSpan: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case recorded(SegmentState)
        case gap(GapReason)
        /// Was recorded; its bytes exist nowhere any more, for this reason: `budget`, `diskFull`, `retention`, ….
        case evicted(String)
    }

    package var from: WallTime
    package var to: WallTime
    package var kind: Kind

    package init(from: WallTime, to: WallTime, kind: Kind) {
        self.from = from
        self.to = to
        self.kind = kind
    }
}

/// Every second of a range, accounted for once (I4).
package struct Coverage: Hashable, Sendable {
    package var from: WallTime
    package var to: WallTime
    /// Ascending, touching, without overlap; covers `from ..< to`.
    package var spans: [CoverageSpan]

    /// A claim on a stretch of time.
    ///
    /// Where claims overlap the higher `rank` wins, then the later in the list.
    package struct Claim: Sendable {
        package var span: CoverageSpan
        package var rank: Int64

        package init(_ span: CoverageSpan, rank: Int64) {
            self.span = span
            self.rank = rank
        }
    }

    /// Lays claims over `from ..< to`; what nobody claims is a gap of reason `unknown`.
    ///
    /// Callers rank by session, so that after a backward clock step the later session is shown, and a gap above
    /// the segment that spans it. Claims may overlap, be empty or reversed: those with no length are ignored.
    package init(from: WallTime, to: WallTime, claims: [Claim]) {
        self.from = from
        self.to = max(from, to)
        let usable = claims.enumerated().filter { $0.element.span.from < $0.element.span.to }
        var edges: Set<WallTime> = [self.from, self.to]
        for (_, claim) in usable {
            for edge in [claim.span.from, claim.span.to] where from < edge && edge < self.to { edges.insert(edge) }
        }
        let starts = usable.sorted { $0.element.span.from < $1.element.span.from }
        var next = starts.startIndex
        var live: [(offset: Int, element: Claim)] = []
        var spans: [CoverageSpan] = []
        let ordered = edges.sorted()
        for (start, end) in zip(ordered, ordered.dropFirst()) {
            while next < starts.endIndex, starts[next].element.span.from <= start {
                live.append(starts[next])
                next += 1
            }
            live.removeAll { $0.element.span.to <= start }
            let winner = live.max { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
            let kind = winner?.element.span.kind ?? .gap(.unknown)
            if let last = spans.last, last.kind == kind {
                spans[spans.endIndex - 1].to = end
            } else {
                spans.append(CoverageSpan(from: start, to: end, kind: kind))
            }
        }
        self.spans = spans
    }

    /// Total length of the recorded spans.
    package var recorded: TimeSpan {
        spans.reduce(.zero) { total, span in
            guard case .recorded = span.kind else { return total }
            return total + (span.to - span.from)
        }
    }

    /// 100 × recorded ÷ range; 0 for an empty range.
    package var percent: Double {
        let length = (to - from).microseconds
        // The quotient first: of equal lengths it is 1, and the percentage 100, to the last bit.
        return length > 0 ? 100 * (Double(recorded.microseconds) / Double(length)) : 0
    }
}
