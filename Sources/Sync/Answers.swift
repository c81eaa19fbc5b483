package import Catalog
import FragmentedMP4
import Messages
package import Recording
import SegmentStore

/// Answers about one camera, from the catalog and the segments that still grow, as of one survey.
package struct Answers: Sendable {
    private static let page = 500
    /// A frame interval may end a segment a little before the next begins; longer pauses have gap rows (design §2).
    private static let contiguous = TimeSpan.seconds(2)
    /// Rounding of journals and media to microseconds and milliseconds.
    private static let rounding = TimeSpan.milliseconds(2)
    /// The growing segment is behind by its open fragment.
    private static let live = TimeSpan.seconds(5)

    private let catalog: Catalog
    private let camera: CameraName
    private let now: WallTime
    private let growing: [SegmentRow]

    init(work: Workspace, camera: CameraName, open: [SegmentFileName]) throws {
        catalog = work.catalog
        self.camera = camera
        now = work.clock.now()
        let cache = open.isEmpty ? nil : try CacheDirectory(path: work.settings.cachePath(camera), camera: camera)
        let row = try work.catalog.camera(camera)
        growing = try open.filter(\.isPartial).compactMap { name in
            guard let cache, let row else { return nil }
            do {
                let (scan, _) = try SegmentScan.local(name, in: cache, checkingEveryByte: false)
                let key = work.key(row, start: name.start, name.id)
                return scan.row(camera, key: key, bytes: scan.media.mediaEnd, state: .recording, isLocal: true)
            } catch is MP4Error {
                return nil  // Its init part is not written yet.
            } catch let error as SegmentStoreError where error.isNoSuchFile {
                return nil  // Discarded meanwhile.
            }
        }
    }

    /// Calls `body` with pages of rows in order of (session, counter), the growing ones last.
    package func segments(from: WallTime?, to: WallTime?, _ body: ([SegmentRow]) async throws -> Void) async throws {
        var last: SegmentID?
        while true {
            let rows = try catalog.segments(camera, .overlapping(from: from, to: to), after: last, limit: Self.page)
            try await body(rows)
            guard let end = rows.last?.id else { break }
            last = end
        }
        try await body(growing.filter { $0.end > (from ?? .earliest) && $0.start < (to ?? .latest) })
    }

    package func coverage(from: WallTime?, to: WallTime?) async throws -> Coverage {
        let first = try catalog.firstKnown(camera)
        let known = [first, growing.map(\.start).min()].compactMap(\.self).min()
        let from = from ?? known ?? now
        let claims = try await claims(from: from, to: to)
        let end = to ?? claims.liveEnd(now: now, within: Self.live)
        let coverage = Coverage(from: from, to: end, claims: claims.all)
        return coverage.absorbing(Self.rounding)
    }

    /// Journalled gaps and evicted ranges by start; what a later session recorded over after a backward step is left
    /// out.
    package func gaps(from: WallTime?, to: WallTime?) async throws -> [Gap] {
        let rows = try catalog.gaps(camera, from: from, to: to)
        let evicted = try evictedRanges(from: from, to: to)
        guard let first = (rows.map(\.gap.from) + evicted.map(\.from)).min() else { return [] }
        // After a backward step of the clock what is known reaches beyond now.
        let last = (rows.compactMap(\.gap.to) + evicted.compactMap(\.to) + [now]).max() ?? now
        let spans = try await coverage(from: first, to: last).spans.filter { !$0.isRecorded }
        return (rows.map(\.gap) + evicted).compactMap { $0.shown(in: spans, now: now) }
            .sorted { ($0.from, $0.to ?? .latest) < ($1.from, $1.to ?? .latest) }
    }
}

extension Answers {
    private struct Claims {
        var all: [Coverage.Claim] = []
        var hasOpenGap = false
        var lastMedia: WallTime?

        /// Now, or where a live recording has come to.
        func liveEnd(now: WallTime, within tolerance: TimeSpan) -> WallTime {
            guard !hasOpenGap, let lastMedia, lastMedia <= now, now - lastMedia <= tolerance else { return now }
            return lastMedia
        }
    }

    private func claims(from: WallTime, to: WallTime?) async throws -> Claims {
        var claims = Claims()
        var current: SegmentRow?
        try await segments(from: from, to: to) { rows in
            for row in rows {
                if var open = current, open.continues(with: row, within: Self.contiguous) {
                    open.duration = row.end - open.start
                    open.id = row.id
                    current = open
                } else {
                    if var open = current {
                        if open.precedes(row, within: Self.contiguous) { open.duration = row.start - open.start }
                        claims.all.append(open.claim)
                    }
                    current = row
                }
            }
        }
        if let current {
            claims.all.append(current.claim)
            claims.lastMedia = current.end
        }
        for row in try catalog.gaps(camera, from: from, to: to) {
            claims.hasOpenGap = claims.hasOpenGap || row.gap.to == nil
            let span = CoverageSpan(
                from: row.gap.from, to: row.gap.to ?? now, kind: .gap(row.gap.reason))
            claims.all.append(Coverage.Claim(span, rank: row.session.multipliedSaturated(2).addingSaturated(1)))
        }
        return claims
    }

    /// Evicted segments that follow each other for one reason are one range.
    private func evictedRanges(from: WallTime?, to: WallTime?) throws -> [Gap] {
        var ranges: [Gap] = []
        var last: EvictionRow?
        while true {
            let rows = try catalog.evicted(camera, from: from, to: to, after: last?.id, limit: Self.page)
            for row in rows {
                let end = row.start + row.duration
                if let before = last, before.reason == row.reason, before.id.session == row.id.session,
                    before.id.counter + 1 == row.id.counter,
                    (row.start - before.start - before.duration).magnitude <= Self.contiguous
                {
                    ranges[ranges.endIndex - 1].to = end
                } else {
                    ranges.append(Gap(from: row.start, to: end, reason: .evicted, detail: row.reason))
                }
                last = row
            }
            if rows.isEmpty { return ranges }
        }
    }
}

extension SegmentRow {
    /// The next segment of the same session, with no more than a frame between them.
    fileprivate func precedes(_ next: SegmentRow, within tolerance: TimeSpan) -> Bool {
        next.id.session == id.session && next.id.counter == id.counter.addingSaturated(1) && next.start > start
            && (next.start - end).magnitude <= tolerance
    }

    fileprivate func continues(with next: SegmentRow, within tolerance: TimeSpan) -> Bool {
        state == next.state && precedes(next, within: tolerance)
    }

    fileprivate var claim: Coverage.Claim {
        let kind: CoverageSpan.Kind = state == .evicted ? .evicted : .recorded(state)
        return Coverage.Claim(
            CoverageSpan(from: start, to: end, kind: kind), rank: id.session.multipliedSaturated(2))
    }
}

extension CoverageSpan {
    fileprivate var isRecorded: Bool {
        if case .recorded = kind { true } else { false }
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

extension Gap {
    /// What of a gap is not recorded over; nil when all of it is, or when it closed where it opened: a frame was late.
    fileprivate func shown(in spans: [CoverageSpan], now: WallTime) -> Gap? {
        let end = to ?? max(now, from)
        guard from < end else { return to == nil ? self : nil }
        let left = spans.filter { $0.from < end && from < $0.to }
        guard let first = left.first, let last = left.last else { return nil }
        var shown = self
        shown.from = max(from, first.from)
        if let to { shown.to = min(to, last.to) }
        return shown
    }
}
