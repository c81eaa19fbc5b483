package import Recording

/// What a journal knows at its end: enough to recover a cache and to go on recording in it.
package struct JournalState: Hashable, Sendable {
    /// A segment that was opened and of which no record says what became of it.
    package struct Unresolved: Hashable, Sendable {
        package var id: SegmentID
        /// A file of it is in this time's hour.
        package var start: WallTime
    }

    package struct SessionEnd: Hashable, Sendable {
        package var time: WallTime
        package var reason: GapReason
    }

    /// Number of the last session, never reused; 0 before the first.
    package var lastSession: Int64 = 0
    /// Anchor of the last session.
    package var anchor: WallTime?
    /// End of the last session's media, as far as its segments are closed.
    package var mediaEnd: WallTime?
    /// Set once the last session's end is journalled.
    package var sessionEnd: SessionEnd?
    /// How the last session ended, if it was left to a successor.
    package var handOver: HandOver?
    package var openGap: Gap?
    package internal(set) var unresolved: [Unresolved] = []
    /// False: records are missing, so that only a walk of the cache tells partials and sessions.
    package internal(set) var isComplete = false

    /// Segments whose fsync failed stay unresolved until the next start; more than these and recovery walks the cache.
    static let unresolvedLimit = 64

    package init() {}

    mutating func apply(_ event: JournalEvent) {
        switch event {
        case .sessionStart(let session, let anchor, _, _, _):
            reach(session: session)
            if session == lastSession { self.anchor = anchor }
        case .segmentOpen(let id, let start):
            reach(session: id.session)
            open(id, start)
        case .segmentClosed(let id, let start, let duration, _):
            close(id, mediaEnd: start + duration)
        case .recovered(let id, let end, _):
            close(id, mediaEnd: end)
        case .segmentDiscarded(let id), .evicted(let id, _, _, _, _):
            reach(session: id.session)
            unresolved.removeAll { $0.id == id }
        case .sessionEnd(let session, let end, let reason):
            reach(session: session)
            if session == lastSession { sessionEnd = SessionEnd(time: end, reason: reason) }
        case .handOver(let session, let handOver):
            reach(session: session)
            guard session == lastSession else { break }
            self.handOver = handOver
            sessionEnd = SessionEnd(time: handOver.at, reason: .upgrade)
        case .gapOpen(let from, let reason, let detail):
            openGap = Gap(from: from, to: nil, reason: reason, detail: detail)
        case .gapClose:
            openGap = nil
        case .checkpoint(let state):
            self = state
        case .formatChange, .clockStep, .other:
            break
        }
    }

    /// A session seen for the first time: nothing is known of its end.
    mutating func reach(session: Int64) {
        guard session > lastSession else { return }
        lastSession = session
        anchor = nil
        mediaEnd = nil
        sessionEnd = nil
        handOver = nil
    }

    private mutating func open(_ id: SegmentID, _ start: WallTime) {
        unresolved.append(Unresolved(id: id, start: start))
        if unresolved.count > Self.unresolvedLimit {
            unresolved.removeFirst()
            isComplete = false
        }
    }

    private mutating func close(_ id: SegmentID, mediaEnd end: WallTime) {
        reach(session: id.session)
        unresolved.removeAll { $0.id == id }
        if id.session == lastSession { mediaEnd = max(mediaEnd ?? end, end) }
    }
}
