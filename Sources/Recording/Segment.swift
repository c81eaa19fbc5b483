/// Identifies one segment of one camera: sessions are never reused, counters have no holes.
package struct SegmentID: Hashable, Sendable, Comparable {
    /// The session's number, from 1.
    package var session: Int64
    /// Position in the session, from 0.
    package var counter: Int64

    package init(session: Int64, counter: Int64) {
        self.session = session
        self.counter = counter
    }

    /// Eviction order (never UTC: I11).
    package static func < (left: Self, right: Self) -> Bool {
        (left.session, left.counter) < (right.session, right.counter)
    }
}

/// What is true of a segment's footage; `verified` stays when only the local copy is freed.
package enum SegmentState: String, Sendable, CaseIterable, Codable {
    /// The worker is still appending to it.
    case recording
    /// Immutable on the local disk.
    case closed
    /// Stored and acknowledged; the store has not vouched for its checksum yet.
    case uploaded
    /// The store itself vouched for the same checksum.
    case verified
    /// Its bytes exist nowhere any more.
    case evicted
    /// The store holds other bytes under its key, or its own bytes no longer check: an operator must look.
    case quarantined
}

/// Where a session's wall anchor came from.
package enum ClockQuality: String, Sendable {
    case synchronised, unsynchronised
}

/// Codecs that a segment can hold.
package enum Codec: String, Sendable, CaseIterable {
    case h264, h265
    case aac, opus
    /// G.711 A-law.
    case alaw
    /// G.711 µ-law.
    case ulaw

    package var isVideo: Bool { self == .h264 || self == .h265 }
}
