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

    /// Number of the last session; 0 before the first. Never reused.
    package var lastSession: Int64 = 0
    /// Anchor of the last session.
    package var anchor: WallTime?
    /// End of the last session's last closed segment.
    package var mediaEnd: WallTime?
    /// Set once the last session's end is journalled.
    package var sessionEnd: SessionEnd?
    package var openGap: Gap?
    package var unresolved: [Unresolved] = []
    /// False: records are missing, so that only a walk of the cache tells partials and sessions.
    package var isComplete = false

    package init() {}
}
