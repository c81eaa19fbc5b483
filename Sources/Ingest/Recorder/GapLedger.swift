package import Recording

/// The camera's current loss: at most one gap is open, and a change of reason splits it.
///
/// Pure: what it returns is to be journalled first and reported then, in order.
package struct GapLedger: Sendable {
    package enum Change: Hashable, Sendable {
        case opened(Gap)
        case closed(Gap)
    }

    package private(set) var current: Gap?

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
        return [.closed(gap)]
    }

    private static func oneLine(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 ? " " : $0 }.prefix(200)))
    }
}
