package import Recording

/// One fact in a journal; ARCHITECTURE.md, "Journal", names the kinds.
package struct JournalRecord: Hashable, Sendable {
    /// From 1, without holes.
    package var sequence: Int64
    /// When it was written.
    package var time: WallTime
    package var event: JournalEvent

    package init(sequence: Int64, time: WallTime, event: JournalEvent) {
        self.sequence = sequence
        self.time = time
        self.event = event
    }
}

/// What no media file can say.
package enum JournalEvent: Hashable, Sendable {
    /// `codecs` are RFC 6381, comma-separated.
    case sessionStart(
        session: Int64, anchor: WallTime, quality: ClockQuality, codecs: String, names: SessionNames = SessionNames())
    /// A partial of this segment may exist from now on, in the hour of `start`: recovery looks there.
    case segmentOpen(SegmentID, start: WallTime)
    case segmentClosed(SegmentID, start: WallTime, duration: TimeSpan, bytes: Int64)
    /// No file of this segment exists: it was never created, or held no whole fragment.
    case segmentDiscarded(SegmentID)
    case sessionEnd(session: Int64, end: WallTime, reason: GapReason)
    /// The session ends right before this keyframe, with which a waiting successor's session begins.
    case handOver(session: Int64, HandOver)
    case gapOpen(from: WallTime, reason: GapReason, detail: String)
    case gapClose(to: WallTime)
    case formatChange(SegmentID, codecs: String)
    case clockStep(from: WallTime, to: WallTime)
    case evicted(SegmentID, start: WallTime, duration: TimeSpan, bytes: Int64, reason: EvictionReason)
    /// The segment was closed by recovery; `end` is the wall time of its last whole fragment's end.
    case recovered(SegmentID, end: WallTime, bytes: Int64)
    /// Everything that a writer needs to know of the records before this one.
    case checkpoint(JournalState)
    /// Of a newer build.
    case other(kind: String)
}

/// Where a session's footage goes, if not where the camera's does.
package struct SessionNames: Hashable, Sendable {
    /// The asset in the store; empty: the camera's own.
    package var asset: String
    /// Name of the file that cvr-sync makes of it, without its folder; empty: none.
    package var file: String

    package init(asset: String = "", file: String = "") {
        self.asset = asset
        self.file = file
    }
}

/// Why a worker unlinked a segment.
package enum EvictionReason: String, Sendable, CaseIterable {
    /// The camera's cache was over budget and the store has it.
    case verified
    /// The camera's cache was over budget, the store may not have it (`dropOldest`).
    case budget
    /// The disk was full.
    case diskFull
    case retention
    /// Written by a newer build.
    case unknown
}
