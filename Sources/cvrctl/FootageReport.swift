import Messages
import Recording

/// `segments`, `gaps` and `coverage` in words.
enum FootageReport {
    static func text(_ segments: [Listing.Segment], for terminal: Terminal) -> String {
        if segments.isEmpty { return "No segments.\n" }
        var table = Table([
            .init(title: "START"), .init(title: "LENGTH", alignsRight: true),
            .init(title: "SIZE", alignsRight: true, dispensability: 2),
            .init(title: "FRAMES", alignsRight: true, dispensability: 3), .init(title: "STATE"),
            .init(title: "LOCAL", dispensability: 1), .init(title: "KEY", dispensability: 4),
        ])
        for segment in segments {
            table.add(
                [
                    segment.start, Quantity.duration(segment.duration), Quantity.bytes(segment.bytes),
                    "\(segment.frames)", segment.state, segment.local ? "yes" : "no", segment.key,
                ], isAlarming: segment.state == "quarantined")
        }
        let seconds = segments.reduce(0) { $0 + $1.duration }
        let bytes = segments.reduce(Int64(0)) { $0.addingReportingOverflow($1.bytes).partialValue }
        return table.text(for: terminal)
            + "\n\(segments.count) segments, \(Quantity.duration(seconds.rounded(.down))), \(Quantity.bytes(bytes))\n"
    }

    static func text(_ gaps: [Listing.Gap], for terminal: Terminal) -> String {
        if gaps.isEmpty { return "No gaps.\n" }
        var table = Table([
            .init(title: "FROM"), .init(title: "TO"), .init(title: "LENGTH", alignsRight: true),
            .init(title: "REASON"), .init(title: "DETAIL", dispensability: 1),
        ])
        for gap in gaps {
            let length = gap.to.flatMap { Quantity.length(gap.from, $0) }.map(Quantity.duration) ?? "open"
            // Nobody asked for what a closed gate leaves out.
            table.add(
                [gap.from, gap.to ?? "–", length, gap.reason, gap.detail],
                isAlarming: gap.to == nil && gap.reason != GapReason.gateClosed.rawValue)
        }
        return table.text(for: terminal)
    }

    static func text(_ coverage: Listing.Coverage, for terminal: Terminal) -> String {
        let whole = Quantity.length(coverage.from, coverage.to) ?? 0
        let head =
            "\(Quantity.percent(coverage.percent)) recorded: \(Quantity.duration(coverage.recorded))"
            + " of \(Quantity.duration(whole)), \(Terminal.plain(coverage.from)) to \(Terminal.plain(coverage.to))\n"
        if coverage.spans.isEmpty { return head }
        var table = Table([
            .init(title: "FROM"), .init(title: "TO"), .init(title: "LENGTH", alignsRight: true), .init(title: "WHAT"),
            .init(title: "WHY"),
        ])
        for span in coverage.spans {
            let length = Quantity.length(span.from, span.to).map(Quantity.duration) ?? "–"
            table.add(
                [span.from, span.to, length, span.kind, span.reason ?? span.state ?? ""],
                isAlarming: span.kind != "recorded" && span.reason != GapReason.gateClosed.rawValue)
        }
        return head + "\n" + table.text(for: terminal)
    }
}
