package import Recording

/// A journalled gap as the catalog keeps it.
package struct GapRow: Hashable, Sendable {
    /// Sequence of the journal's `gap-open` record, or a negative one for what a stored segment told: the row's
    /// identity within its camera.
    package var sequence: Int64
    /// The session that was or had been running: a later session's word outranks an earlier one's.
    package var session: Int64
    package var gap: Gap

    package init(sequence: Int64, session: Int64, gap: Gap) {
        self.sequence = sequence
        self.session = session
        self.gap = gap
    }
}

/// One session as its journal told it.
package struct SessionRow: Hashable, Sendable {
    package var session: Int64
    package var anchor: WallTime
    package var quality: ClockQuality
    package var codecs: String
    /// Nil while it goes on, and when nothing on record says how it ended.
    package var end: WallTime?
    package var endReason: GapReason?
    /// Where its segments go in place of the camera's own asset; empty for nowhere else.
    package var asset = ""
    /// What the camera's file sink calls the file that it makes of it; empty for none.
    package var file = ""
    /// False for a session that goes into a file alone.
    package var goesToStore = true

    package init(
        session: Int64, anchor: WallTime, quality: ClockQuality, codecs: String, end: WallTime? = nil,
        endReason: GapReason? = nil
    ) {
        self.session = session
        self.anchor = anchor
        self.quality = quality
        self.codecs = codecs
        self.end = end
        self.endReason = endReason
    }
}

/// Why a segment's bytes were let go: a reason on record, which says nothing yet about whether they are gone.
package struct EvictionRow: Hashable, Sendable {
    package var id: SegmentID
    package var start: WallTime
    package var duration: TimeSpan
    package var bytes: Int64
    /// `verified`, `budget`, `diskFull`, `retention`, `filed` for what is whole in a file, or `vanished` when nobody said.
    package var reason: String

    package init(id: SegmentID, start: WallTime, duration: TimeSpan, bytes: Int64, reason: String) {
        self.id = id
        self.start = start
        self.duration = duration
        self.bytes = bytes
        self.reason = reason
    }
}

/// One fact out of a journal, in the catalog's words.
package enum Fact: Hashable, Sendable {
    case sessionStarted(SessionRow)
    case sessionEnded(session: Int64, end: WallTime, reason: GapReason)
    case gapOpened(GapRow)
    /// Closes the gap that is open, if any.
    case gapClosed(to: WallTime)
    /// A segment that exists or existed; `key` is where its object is or would be.
    case segmentClosed(SegmentID, key: String, start: WallTime, duration: TimeSpan, bytes: Int64)
    case evicted(EvictionRow)
}

/// Where a camera's sessions become files.
package struct FileSink: Hashable, Sendable {
    package var directory: String
    /// Nil is bounded by the disk alone.
    package var maximumBytes: Int64?

    package init(directory: String, maximumBytes: Int64? = nil) {
        self.directory = directory
        self.maximumBytes = maximumBytes
    }
}

/// What the catalog remembers of a camera between two runs.
package struct CameraRow: Hashable, Sendable {
    /// How far a file of records was read.
    package struct Position: Hashable, Sendable {
        package var offset: Int64
        /// Of the last session that was started before it.
        package var session: Int64

        package init(offset: Int64 = 0, session: Int64 = 0) {
            self.offset = offset
            self.session = session
        }
    }

    package var name: CameraName
    /// Last known, so that a removed camera's footage keeps its place in the store.
    package var asset: String
    /// Last known; nil keeps for ever.
    package var retention: TimeSpan?
    /// Last known; nil for a camera that never had one.
    package var files: FileSink?
    /// The cache directory's UUID: another disk's journal is read from its start.
    package var identity: String
    package var journal: Position
    package var ledger: Int64

    package init(name: CameraName, asset: String, retention: TimeSpan?) {
        self.name = name
        self.asset = asset
        self.retention = retention
        identity = ""
        journal = Position()
        ledger = 0
    }
}
