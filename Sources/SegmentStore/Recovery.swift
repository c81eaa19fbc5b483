package import Recording

/// What recovery found and did.
package struct RecoveryReport: Sendable {
    package struct Recovered: Hashable, Sendable {
        package var name: SegmentFileName
        /// Wall time of the end of its last whole fragment.
        package var end: WallTime
        package var bytes: Int64
    }

    /// The next session is this one plus 1.
    package var lastSession: Int64
    /// What is missing from the last session's end until the next sample; nil in a fresh cache.
    package var openGap: Gap?
    /// Where the last worker left off on purpose, for the successor that has the frames from there on.
    package var handOver: HandOver?
    package var recovered: [Recovered]
    /// Partials that could not be closed now; they stay for the next start.
    package var deferred: [SegmentStoreError]
}

/// Makes a cache whole again after any end of its worker; run before recording, with the slot lock held.
///
/// Looks at the segments that the journal calls open, and walks the cache only when the journal is new or damaged.
/// Every step may be killed and run again with the same result.
package enum Recovery {
    /// `predecessorEnd` is why cvrd thinks the last worker ended; `bootChanged` that the whole box went down.
    ///
    /// `tick` is called with each read: a long segment takes its time, and whoever watches must see that it goes on.
    package static func run(
        in cache: CacheDirectory, journal: Journal, now: WallTime, predecessorEnd: GapReason?, bootChanged: Bool,
        tick: @escaping () -> Void = {}
    ) throws(SegmentStoreError) -> RecoveryReport {
        var pass = RecoveryPass(cache: cache, journal: journal, now: now, tick: tick)
        try journal.state.isComplete ? pass.resolveOpen() : pass.walk()
        let gap = try openGap(journal, now, bootChanged ? .hostRestart : predecessorEnd ?? .workerCrash)
        return RecoveryReport(
            lastSession: journal.state.lastSession, openGap: gap, handOver: journal.state.handOver,
            recovered: pass.recovered, deferred: pass.deferred)
    }

    /// Tries again what a run deferred, while no segment is being recorded; returns what is still in the way.
    package static func settle(in cache: CacheDirectory, journal: Journal, now: WallTime) -> [SegmentStoreError] {
        var pass = RecoveryPass(cache: cache, journal: journal, now: now, tick: {})
        do throws(SegmentStoreError) {
            try pass.resolveOpen()
        } catch {
            return pass.deferred + [error]
        }
        return pass.deferred
    }

    /// The gap that reaches into the present; opens it when nobody did.
    private static func openGap(
        _ journal: Journal, _ now: WallTime, _ reason: GapReason
    ) throws(SegmentStoreError) -> Gap? {
        let state = journal.state
        if let gap = state.openGap { return gap }
        guard state.lastSession > 0 else { return nil }
        let from = state.sessionEnd?.time ?? state.mediaEnd ?? state.anchor ?? now
        // These two end a session on a connection that lives on: not why there is no media now.
        let known = state.sessionEnd.map(\.reason).flatMap { [.clockStep, .formatChange].contains($0) ? nil : $0 }
        let detail =
            state.sessionEnd == nil
            ? "session \(state.lastSession) was not ended" : "the worker ended after session \(state.lastSession)"
        try journal.append(.gapOpen(from: from, reason: known ?? reason, detail: detail), at: now)
        return journal.state.openGap
    }
}
