package import Catalog
import Checksums
package import Foundation
import ObjectStore
package import Recording

/// One line of a day's summary: JSON, whose members depend on `kind`.
///
/// `segment` has the fields of `segments` and what playback needs of its media; `evicted` and `deleted` tell what is left
/// of a segment that never came into the store, or had to leave it; `gap` has the fields of `gaps`, `to` only when it
/// ended within the day; `session` tells how far the clock of its segments may be believed (I11). `summary` is the last:
/// the number of the lines before it and the CRC-32C of their bytes. Times are RFC 3339 with microseconds, durations
/// seconds. Readers pass over kinds and members that they do not know.
package struct SummaryLine: Hashable, Codable {
    package var kind: String
    /// Counts the writes of this day's summary.
    package var generation: Int64
    package var camera: String

    package var key: String?
    package var session: Int64?
    package var counter: Int64?
    package var start: String?
    package var duration: Double?
    package var bytes: Int64?
    package var frames: Int64?
    package var state: String?
    package var codecs: String?
    /// CRC-32C of the `moov`, eight hexadecimal digits.
    package var format: String?
    /// Eight hexadecimal digits.
    package var checksum: String?
    package var initLength: Int64?
    package var mediaEnd: Int64?
    package var tracks: [MediaIndex.Track]?
    /// Base64 of a fragment table (`MediaIndex.packedFragments`).
    package var fragments: Data?

    package var from: String?
    package var to: String?
    package var reason: String?
    package var detail: String?

    package var anchor: String?
    package var quality: String?
    package var ended: String?

    package var site: String?
    package var day: String?
    package var written: String?
    package var lines: Int64?

    package init(_ kind: String, _ generation: Int64, _ camera: CameraName) {
        self.kind = kind
        self.generation = generation
        self.camera = camera.text
    }
}

extension SummaryLine {
    /// In brief it tells nothing of the media.
    ///
    /// `reason`: why a segment that was given up was.
    package init(_ row: SegmentRow, reason: String?, _ generation: Int64, isBrief: Bool = false) {
        let isKept = row.state == .verified
        self.init(isKept ? "segment" : reason == "retention" ? "deleted" : "evicted", generation, row.camera)
        key = row.key
        session = row.id.ownSession
        counter = row.id.counter
        start = row.start.rfc3339Microseconds
        duration = row.duration.seconds
        bytes = row.bytes
        state = row.state.rawValue
        self.reason = isKept ? nil : reason ?? "vanished"
        guard isKept else { return }
        frames = row.media.frames
        codecs = row.media.codecs
        checksum = row.checksum.map { CRC32C.hex($0) }
        guard !isBrief else { return }
        format = row.media.format.map { CRC32C.hex($0) }
        initLength = row.media.initLength
        mediaEnd = row.media.mediaEnd
        tracks = row.media.tracks
        fragments = Data(row.media.packedFragments)
    }

    package init(_ row: GapRow, in day: WallTime, _ generation: Int64, _ camera: CameraName) {
        self.init("gap", generation, camera)
        session = row.session
        from = row.gap.from.rfc3339Microseconds
        to = row.gap.to.flatMap { $0 <= day + WallTime.dayLength ? $0.rfc3339Microseconds : nil }
        reason = row.gap.reason.rawValue
        detail = row.gap.detail
    }

    package init(_ row: SessionRow, _ generation: Int64, _ camera: CameraName) {
        self.init("session", generation, camera)
        session = SegmentID(session: row.session, counter: 0).ownSession
        anchor = row.anchor.rfc3339Microseconds
        quality = row.quality.rawValue
        codecs = row.codecs
        ended = row.end?.rfc3339Microseconds
        reason = row.endReason?.rawValue
    }
}

/// What lines say, each nil for a line that no build of ours writes.
extension SummaryLine {
    private var place: (id: SegmentID, start: WallTime, duration: TimeSpan, bytes: Int64, key: ObjectKey)? {
        guard let session, session > 0, let counter, let start = start.flatMap({ WallTime(rfc3339: $0) }),
            let duration, duration >= 0, let bytes, bytes >= 0, let key = key.flatMap({ ObjectKey($0) }),
            key.start == start.wholeMilliseconds, key.counter == counter
        else { return nil }
        return (SegmentID(session: session, counter: counter), start, TimeSpan(seconds: duration), bytes, key)
    }

    /// A verified segment, as far as this line can be believed.
    package var segment: SegmentRow? {
        guard kind == "segment", let place, let name = CameraName(camera), let tracks, let codecs, let frames,
            let sum = checksum.flatMap({ $0.utf8.count == 8 ? UInt32($0, radix: 16) : nil }), let initLength,
            let mediaEnd, 0 <= initLength, initLength <= mediaEnd, mediaEnd <= place.bytes,
            let table = fragments.flatMap({ MediaIndex.unpack(Array($0)) }),
            table.allSatisfy({ initLength <= $0.offset && $0.offset < mediaEnd })
        else { return nil }
        return SegmentRow(
            camera: name, id: place.id, key: place.key.text, start: place.start, duration: place.duration,
            bytes: place.bytes,
            media: MediaIndex(
                initLength: initLength, mediaEnd: mediaEnd, fragments: table, tracks: tracks, frames: frames,
                codecs: codecs, format: format.flatMap { UInt32($0, radix: 16) }),
            checksum: sum, state: .verified, isLocal: false, isRead: true)
    }

    /// What is left of the line's segment when its bytes exist nowhere any more.
    package var remains: SegmentRow? {
        guard let place, let name = CameraName(camera) else { return nil }
        return SegmentRow(
            camera: name, id: place.id, key: place.key.text, start: place.start, duration: place.duration,
            bytes: place.bytes, state: .evicted, isLocal: false, isRead: true)
    }

    /// A segment that was given up, and why.
    package var loss: (row: SegmentRow, reason: String)? {
        guard kind == "evicted" || kind == "deleted", let remains, let reason else { return nil }
        return (remains, reason)
    }

    /// Its sequence is the catalog's to give.
    package var gap: GapRow? {
        guard kind == "gap", let from = from.flatMap({ WallTime(rfc3339: $0) }), let reason, let session else {
            return nil
        }
        let gap = Gap(
            from: from, to: to.flatMap { WallTime(rfc3339: $0) }, reason: GapReason(rawValue: reason) ?? .unknown,
            detail: detail ?? "")
        return GapRow(sequence: 0, session: session, gap: gap)
    }

    package var sessionRow: SessionRow? {
        guard kind == "session", let session, session > 0, let anchor = anchor.flatMap({ WallTime(rfc3339: $0) }),
            let quality = quality.flatMap({ ClockQuality(rawValue: $0) }), let codecs
        else { return nil }
        return SessionRow(
            session: session, anchor: anchor, quality: quality, codecs: codecs,
            end: ended.flatMap { WallTime(rfc3339: $0) }, endReason: reason.flatMap { GapReason(rawValue: $0) })
    }
}
