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
        if waiting.count > Self.mostWaiting { merge() }
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

    /// Bounded memory (I9): a change of reason is forgotten, no loss is.
    private func merge() {
        for index in waiting.indices.dropLast() {
            guard case .gapClose = waiting[index].event, case .gapOpen = waiting[index + 1].event else { continue }
            waiting.removeSubrange(index...index + 1)
            return
        }
        waiting.removeFirst()
    }
}
