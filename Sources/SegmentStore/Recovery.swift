package import Recording

/// What recovery found and did.
package struct RecoveryReport: Sendable {
    package struct Recovered: Hashable, Sendable {
        package var name: SegmentFileName
        package var end: WallTime
        package var bytes: Int64
    }

    /// The next session is this one plus 1.
    package var lastSession: Int64
    /// What is missing from the last session's end until the next sample; nil in a fresh cache.
    package var openGap: Gap?
    package var recovered: [Recovered]
    /// Partials that could not be closed now; they stay for the next start.
    package var deferred: [SegmentStoreError]
}

/// Makes a cache whole again after any end of its worker; run before recording, with the slot lock held.
package enum Recovery {
    /// `predecessorEnd` is why cvrd thinks the last worker ended; `bootChanged` that the whole box went down.
    package static func run(
        in cache: CacheDirectory, journal: Journal, now: WallTime, predecessorEnd: GapReason?, bootChanged: Bool
    ) throws(SegmentStoreError) -> RecoveryReport {
        RecoveryReport(lastSession: journal.state.lastSession, openGap: nil, recovered: [], deferred: [])
    }
}
