import Catalog
import Recording

/// What a camera's segments and gaps claim of its time, gathered for one answer.
///
/// Segments of one session that follow each other in one state are one claim: a year's are a handful.
struct Claims {
    private(set) var all: [Coverage.Claim] = []
    /// Gaps and evicted ranges, as they were journalled.
    private(set) var losses: [Gap] = []

    private let now: WallTime
    private var runs: [Int64: Run] = [:]
    private var lastRun: Run?
    private var hasOpenGap = false

    init(now: WallTime) { self.now = now }

    /// Segments come by place.
    mutating func add(_ extent: SegmentExtent) {
        let session = extent.place.id.session
        guard var run = runs[session] else {
            runs[session] = Run(extent)
            return
        }
        let isNext = run.precedes(extent)
        if isNext, run.state == extent.state, run.reason == extent.reason {
            run.end = extent.end
            run.counter = extent.place.id.counter
            runs[session] = run
        } else {
            if isNext { run.end = extent.place.start }
            end(run)
            runs[session] = Run(extent)
        }
    }

    /// Ignored when it was closed, and listed so, while it was read.
    mutating func add(growing row: SegmentRow) {
        guard runs[row.id.session].map({ $0.counter < row.id.counter }) ?? true else { return }
        add(SegmentExtent(place: row.place, duration: row.duration, state: row.state))
    }

    /// After the last segment.
    mutating func endRuns() {
        for run in runs.values.sorted(by: { $0.session < $1.session }) {
            end(run)
            lastRun = run
        }
        runs = [:]
    }

    mutating func add(_ row: GapRow) {
        hasOpenGap = hasOpenGap || row.gap.to == nil
        let span = CoverageSpan(from: row.gap.from, to: row.gap.to ?? now, kind: .gap(row.gap.reason))
        all.append(Coverage.Claim(span, rank: row.session.multipliedSaturated(2).addingSaturated(1)))
        losses.append(row.gap)
    }

    /// Now, or where a live recording has come to.
    func liveEnd(now: WallTime, within tolerance: TimeSpan) -> WallTime {
        guard !hasOpenGap, let end = lastRun?.end, end <= now, now - end <= tolerance else { return now }
        return end
    }

    private mutating func end(_ run: Run) {
        all.append(Coverage.Claim(run.span, rank: run.session.multipliedSaturated(2)))
        if let reason = run.reason {
            losses.append(Gap(from: run.start, to: run.end, reason: .evicted, detail: reason))
        }
    }
}

/// Segments of one session that follow each other and are in one state.
private struct Run {
    let session: Int64
    let start: WallTime
    let state: SegmentState
    let reason: String?
    /// Of the last one.
    var counter: Int64
    var end: WallTime

    init(_ extent: SegmentExtent) {
        session = extent.place.id.session
        start = extent.place.start
        state = extent.state
        reason = extent.reason
        counter = extent.place.id.counter
        end = extent.end
    }

    var span: CoverageSpan {
        CoverageSpan(from: start, to: end, kind: reason.map { .evicted($0) } ?? .recorded(state))
    }

    /// The session's next segment: a frame interval may end a segment a little before it begins, a pause has its gap's row.
    func precedes(_ next: SegmentExtent) -> Bool {
        next.place.id.counter == counter.addingSaturated(1) && next.place.start > start
            && (next.place.start - end).magnitude < Gap.least
    }
}
