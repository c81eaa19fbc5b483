package import Messages
package import Recording
package import SegmentStore

/// Journals facts, then reports them.
///
/// What a failing disk does not take waits here, in order, until it does; a report never comes before its record.
package final class FactLog {
    private static let mostWaiting = 256

    private struct Waiting {
        var event: JournalEvent?
        var time: WallTime
        var message: IngestToSupervisor?
    }

    package let journal: Journal
    private let report: (IngestToSupervisor) -> Void
    private var waiting: [Waiting] = []

    package init(journal: Journal, report: @escaping (IngestToSupervisor) -> Void) {
        self.journal = journal
        self.report = report
    }

    package func state(_ event: JournalEvent?, at time: WallTime, report message: IngestToSupervisor? = nil) {
        waiting.append(Waiting(event: event, time: time, message: message))
        if waiting.count > Self.mostWaiting { condense(at: time) }
        // The failure shows where media is written; the fact itself is kept.
        try? flush()
    }

    /// Only told: for what no reader of the journal needs.
    package func mention(_ message: IngestToSupervisor) { report(message) }

    /// Throws while the journal does not take what waits.
    package func flush() throws(SegmentStoreError) {
        while let next = waiting.first {
            if let event = next.event { try journal.append(event, at: next.time) }
            waiting.removeFirst()
            if let message = next.message { report(message) }
        }
    }

    /// Bounded memory (I9): what is missing, and from when to when, is kept; why one gap became another is not.
    private func condense(at time: WallTime) {
        guard !joinGaps(), !joinClockSteps() else { return }
        // No worker gets here: a session or a segment more needs a journal that takes records.
        waiting.removeFirst()
        mention(.event(type: "factDropped", at: time, detail: "the journal could not be written for too long"))
    }

    /// Two gaps of which one begins where the other ends become one, for the first one's reason.
    private func joinGaps() -> Bool {
        guard let end = waiting.firstIndex(where: { if case .gapClose = $0.event { true } else { false } }),
            let begin = waiting[end...].firstIndex(where: { if case .gapOpen = $0.event { true } else { false } }),
            case .gapClose(let to) = waiting[end].event, case .gapOpen(let from, _, _) = waiting[begin].event,
            from <= to
        else { return false }
        waiting.remove(at: begin)
        waiting.remove(at: end)
        return true
    }

    private func joinClockSteps() -> Bool {
        let steps = waiting.indices.filter { if case .clockStep = waiting[$0].event { true } else { false } }
        guard let first = steps.first, let second = steps.dropFirst().first,
            case .clockStep(let from, _) = waiting[first].event, case .clockStep(_, let to) = waiting[second].event
        else { return false }
        waiting[second].event = .clockStep(from: from, to: to)
        waiting.remove(at: first)
        return true
    }
}
