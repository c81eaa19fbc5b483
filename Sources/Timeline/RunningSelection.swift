package import Recording

/// Chooses what of a camera's segments is played while their rows come, so that those of a long range are never held.
///
/// The pieces are those of `Selection`. What it holds are rows that others, still to come, may overlap, and pieces that
/// others may come before: of the longest segment's time at most.
package struct RunningSelection: Sendable {
    /// A session whose last piece was so many sessions ago finds its place anew.
    private static let sessions = 1000

    private let from: WallTime
    private let to: WallTime
    private var line: ServedTime
    /// By start; what is still to come may overlap them.
    private var waiting: [SegmentRow] = []
    /// Those that may hide what waits, or is still to come.
    private var passed: [SegmentRow] = []
    /// By start; others may come before them.
    private var early: [Piece] = []

    /// Decode time 0 is `origin`, but for sessions whose shift is known.
    package init(from: WallTime, to: WallTime, origin: WallTime, shifts: [Int64: TimeSpan] = [:]) {
        (self.from, self.to) = (from, to)
        line = ServedTime(origin: origin, known: shifts)
    }

    /// The shift of each session so far.
    var shifts: [Int64: TimeSpan] { line.shifts }

    /// Takes rows by start, none of which starts before those of an earlier call, and gives the pieces that nothing to come
    /// can change.
    ///
    /// Those that cannot be played are passed over.
    package mutating func add(_ rows: [SegmentRow]) -> [Piece] {
        take(rows)
        let pieces = settle(until: rows.last?.start ?? .earliest, isEnd: false)
        line.forget(beyond: Self.sessions)
        return pieces
    }

    /// Gives the rest: no more rows come.
    package mutating func finish() -> [Piece] { settle(until: .latest, isEnd: true) }

    /// All pieces of rows that come by start.
    mutating func pieces(of rows: [SegmentRow]) -> [Piece] {
        take(rows)
        return finish()
    }

    /// Moves the time line of what is still to come.
    package mutating func move(by span: TimeSpan) { line.move(by: span) }

    private mutating func take(_ rows: [SegmentRow]) {
        waiting += rows.filter { $0.end > from && $0.start < to && $0.isPlayable }.map(\.rising)
    }

    /// Whatever comes starts at `horizon` or later.
    private mutating func settle(until horizon: WallTime, isEnd: Bool) -> [Piece] {
        let (from, to) = (from, to)
        let all = passed.isEmpty ? waiting : (passed + waiting).sorted { $0.isBefore($1) }
        let settled = isEnd ? waiting : waiting.filter { $0.latest <= horizon }
        waiting = isEnd ? [] : waiting.filter { $0.latest > horizon }
        let next = isEnd ? nil : min(horizon, waiting.first?.start ?? horizon)
        let ids = Set(settled.lazy.map(\.id))
        early += VisibleTime.of(all).lazy.filter { ids.contains($0.row.id) }
            .flatMap { $0.piece(from: from, to: to)?.parted(from: from) ?? [] }
        early.sort { ($0.start, $0.row.id) < ($1.start, $1.row.id) }
        passed = next.map { next in (passed + settled).filter { $0.latest > next } } ?? []
        var ready = early
        if let next { ready = Array(early.prefix { $0.start < next }) }
        early.removeFirst(ready.count)
        for index in ready.indices { line.place(&ready[index]) }
        return ready
    }
}

extension SegmentRow {
    fileprivate func isBefore(_ other: SegmentRow) -> Bool { (start, id) < (other.start, other.id) }

    /// Its end, or where the longest segment would end: one that claims more keeps nothing waiting.
    fileprivate var latest: WallTime { min(end, start + .seconds(4 * 3600)) }
}

/// The time line on which pieces are served, as they are put on it one by one.
struct ServedTime: Sendable {
    /// What clocks and rounding may be off by within a session.
    private static let tolerance = TimeSpan.milliseconds(100)

    private let origin: WallTime
    private let known: [Int64: TimeSpan]
    private(set) var shifts: [Int64: TimeSpan] = [:]
    private var last: (session: Int64, end: TimeSpan)?
    private var moved = TimeSpan.zero

    init(origin: WallTime, known: [Int64: TimeSpan]) { (self.origin, self.known) = (origin, known) }

    /// A session is where its first piece was in UTC, or right after what comes before: a camera's clock that ran fast
    /// must not make time go back.
    mutating func place(_ piece: inout Piece) {
        let session = piece.row.id.session
        var shift = shifts[session] ?? known[session] ?? (piece.start - origin) - piece.mediaStart + moved
        if let last {
            // Its last frame's duration and rounding are no reason to move the rest of a session.
            let earliest = last.session == session ? last.end - Self.tolerance : last.end
            if piece.mediaStart + shift < earliest { shift = last.end - piece.mediaStart }
        }
        shifts[session] = shift
        piece.shift = shift
        last = (session, piece.servedEnd)
    }

    mutating func move(by span: TimeSpan) {
        moved = moved + span
        shifts = shifts.mapValues { $0 + span }
        last = last.map { ($0.session, $0.end + span) }
    }

    /// Keeps the last session's place alone once there are more than `count`.
    mutating func forget(beyond count: Int) {
        guard shifts.count > count, let session = last?.session else { return }
        shifts = shifts.filter { $0.key == session }
    }
}
