import Catalog
package import Messages
package import Recording

extension Listing.Segment {
    package init(_ row: SegmentRow) {
        self.init(
            key: row.key, session: row.id.ownSession, counter: row.id.counter, start: row.start.rfc3339,
            duration: row.duration.seconds, bytes: row.bytes, frames: row.media.frames, state: row.state.rawValue,
            local: row.isLocal)
    }
}

extension Listing.Gap {
    package init(_ gap: Gap) {
        self.init(from: gap.from.rfc3339, to: gap.to?.rfc3339, reason: gap.reason.rawValue, detail: gap.detail)
    }
}

extension Listing.Coverage {
    package init(_ coverage: Coverage) {
        self.init(
            from: coverage.from.rfc3339, to: coverage.to.rfc3339, recorded: coverage.recorded.seconds,
            percent: coverage.percent, spans: coverage.spans.map { Listing.Span($0) })
    }
}

extension Listing.Span {
    fileprivate init(_ span: CoverageSpan) {
        let (from, to) = (span.from.rfc3339, span.to.rfc3339)
        switch span.kind {
        case .recorded(let state): self.init(from: from, to: to, kind: "recorded", reason: nil, state: state.rawValue)
        case .gap(let reason): self.init(from: from, to: to, kind: "gap", reason: reason.rawValue, state: nil)
        case .evicted(let reason): self.init(from: from, to: to, kind: "evicted", reason: reason, state: nil)
        }
    }
}
