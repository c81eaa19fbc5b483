import Recording

/// What of a camera's time is not recorded: coverage without its recorded spans.
struct Losses {
    private let now: WallTime
    /// Ascending, without overlap.
    private let spans: [CoverageSpan]

    init(_ coverage: Coverage, now: WallTime) {
        self.now = now
        spans = coverage.spans.filter { if case .recorded = $0.kind { false } else { true } }
    }

    /// What of a gap is not recorded over; nil when all of it is, or when it has no length.
    func part(of gap: Gap) -> Gap? {
        let end = gap.to ?? max(now, gap.from)
        guard gap.from < end else { return gap.to == nil ? gap : nil }
        let first = index { $0.to > gap.from }
        let last = index { $0.from >= end }
        guard first < last else { return nil }
        var part = gap
        part.from = max(gap.from, spans[first].from)
        if let to = gap.to { part.to = min(to, spans[last - 1].to) }
        return part
    }

    /// Stretches that neither media nor a gap accounts for (I4); the last is open while it goes on.
    ///
    /// `known` are gaps whose reason is on record as unknown.
    func untold(from: WallTime, to: WallTime, isOngoing: Bool, but known: [Gap]) -> [Gap] {
        spans.compactMap { span in
            let (start, end) = (max(span.from, from), min(span.to, to))
            guard span.kind == .gap(.unknown), start < end,
                !known.contains(where: { $0.from < end && ($0.to ?? .latest) > start })
            else { return nil }
            return Gap(
                from: start, to: isOngoing && end == to ? nil : end, reason: .unknown,
                detail: "neither media nor a reason is on record")
        }
    }

    /// The first span that `isReached`, which holds for all after it; the end if none.
    private func index(where isReached: (CoverageSpan) -> Bool) -> Int {
        var (low, high) = (spans.startIndex, spans.endIndex)
        while low < high {
            let middle = low + (high - low) / 2
            if isReached(spans[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
