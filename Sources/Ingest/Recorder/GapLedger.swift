package import Recording

/// The camera's current loss: at most one gap is open, and a change of reason splits it.
///
/// Pure: what it returns is to be journalled first and reported then, in order.
package struct GapLedger: Sendable {
    package enum Change: Hashable, Sendable {
        case opened(Gap)
        case closed(Gap)
    }

    /// More than the windows that wait at a time.
    private static let mostRemembered = 64

    package private(set) var current: Gap?
    /// Of this process, when nobody wanted anything recorded.
    private var unwanted: [Gap] = []

    /// `current` is what recovery left open.
    package init(current: Gap?) { self.current = current }

    /// Media is missing from `from` on; a gap that is open already goes on, or ends there if the reason differs.
    package mutating func open(from: WallTime, reason: GapReason, detail: String) -> [Change] {
        guard current?.reason != reason else { return [] }
        let start = max(from, current?.from ?? from)
        var changes = close(to: start)
        let gap = Gap(from: start, to: nil, reason: reason, detail: Self.oneLine(detail))
        current = gap
        changes.append(.opened(gap))
        return changes
    }

    /// Media goes on at `to`.
    package mutating func close(to: WallTime) -> [Change] {
        guard var gap = current else { return [] }
        gap.to = max(to, gap.from)
        current = nil
        if gap.reason == .gateClosed, gap.from < to { unwanted = unwanted.suffix(Self.mostRemembered - 1) + [gap] }
        return [.closed(gap)]
    }

    /// Somebody wanted a stretch of the past after all: what of it lies before the open gap and was nobody's loss has this
    /// reason instead.
    package mutating func explain(from: WallTime, to: WallTime, reason: GapReason, detail: String) -> [Change] {
        let lost = unwanted.compactMap { gap -> Gap? in
            guard let end = gap.to, max(gap.from, from) < min(end, to) else { return nil }
            return Gap(from: max(gap.from, from), to: min(end, to), reason: reason, detail: Self.oneLine(detail))
        }
        guard !lost.isEmpty else { return [] }
        let open = current
        var changes = open.map { close(to: $0.from) } ?? []
        for gap in lost {
            var begun = gap
            begun.to = nil
            changes += [.opened(begun), .closed(gap)]
        }
        current = open
        if let open { changes.append(.opened(open)) }
        return changes
    }

    private static func oneLine(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 ? " " : $0 }.prefix(200)))
    }
}
