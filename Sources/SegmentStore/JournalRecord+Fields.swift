import Recording

extension JournalEvent {
    var kind: String {
        switch self {
        case .sessionStart: "session-start"
        case .segmentOpen: "segment-open"
        case .segmentClosed: "segment-closed"
        case .segmentDiscarded: "segment-discarded"
        case .sessionEnd: "session-end"
        case .handOver: "hand-over"
        case .gapOpen: "gap-open"
        case .gapClose: "gap-close"
        case .formatChange: "format-change"
        case .clockStep: "clock-step"
        case .evicted: "evicted"
        case .recovered: "recovered"
        case .checkpoint: "checkpoint"
        case .other(let kind): kind
        }
    }

    var fields: [(String, String)] {
        switch self {
        case .sessionStart(let session, let anchor, let quality, let codecs, let names):
            [
                ("session", "\(session)"), ("anchor", anchor.rfc3339Microseconds), ("quality", quality.rawValue),
                ("codecs", clipped(codecs)),
            ] + names.fields
        case .segmentOpen(let id, let start):
            id.fields + [("start", start.rfc3339Microseconds)]
        case .segmentClosed(let id, let start, let duration, let bytes):
            id.fields + Self.extent(start, duration, bytes)
        case .segmentDiscarded(let id):
            id.fields
        case .sessionEnd(let session, let end, let reason):
            [("session", "\(session)"), ("end", end.rfc3339Microseconds), ("reason", reason.rawValue)]
        case .handOver(let session, let handOver):
            [("session", "\(session)")] + handOver.fields
        case .gapOpen(let from, let reason, let detail):
            [("from", from.rfc3339Microseconds), ("reason", reason.rawValue), ("detail", clipped(detail))]
        case .gapClose(let to):
            [("to", to.rfc3339Microseconds)]
        case .formatChange(let id, let codecs):
            id.fields + [("codecs", clipped(codecs))]
        case .clockStep(let from, let to):
            [("from", from.rfc3339Microseconds), ("to", to.rfc3339Microseconds)]
        case .evicted(let id, let start, let duration, let bytes, let reason):
            id.fields + Self.extent(start, duration, bytes) + [("reason", reason.rawValue)]
        case .recovered(let id, let end, let bytes):
            id.fields + [("end", end.rfc3339Microseconds), ("bytes", "\(bytes)")]
        case .checkpoint(let state):
            state.fields
        case .other:
            []
        }
    }

    private static func extent(_ start: WallTime, _ duration: TimeSpan, _ bytes: Int64) -> [(String, String)] {
        [("start", start.rfc3339Microseconds), ("duration", "\(max(0, duration.microseconds))"), ("bytes", "\(bytes)")]
    }

    /// Nil when the kind is unknown or a field is missing.
    init?(kind: String, _ fields: JournalFields) {
        let event: JournalEvent? =
            switch kind {
            case "session-start": Self.sessionStart(fields)
            case "session-end": Self.sessionEnd(fields)
            case "segment-open", "segment-closed", "segment-discarded", "format-change", "evicted", "recovered":
                fields.segment.flatMap { Self.segment(kind, $0, fields) }
            case "hand-over": Self.handOver(fields)
            case "gap-open": Self.gapOpen(fields)
            case "gap-close": fields.time("to").map { .gapClose(to: $0) }
            case "clock-step": Self.clockStep(fields)
            case "checkpoint": JournalState(fields).map { .checkpoint($0) }
            default: nil
            }
        guard let event else { return nil }
        self = event
    }

    private static func sessionStart(_ fields: JournalFields) -> JournalEvent? {
        guard let session = fields.number("session"), let anchor = fields.time("anchor") else { return nil }
        let quality = fields["quality"].flatMap { ClockQuality(rawValue: $0) } ?? .unsynchronised
        return .sessionStart(
            session: session, anchor: anchor, quality: quality, codecs: fields["codecs"] ?? "",
            names: SessionNames(asset: fields["asset"] ?? "", file: fields["file"] ?? ""))
    }

    private static func sessionEnd(_ fields: JournalFields) -> JournalEvent? {
        guard let session = fields.number("session"), let end = fields.time("end"),
            let reason = fields.gapReason("reason")
        else { return nil }
        return .sessionEnd(session: session, end: end, reason: reason)
    }

    private static func handOver(_ fields: JournalFields) -> JournalEvent? {
        guard let session = fields.number("session"), let handOver = HandOver(fields) else { return nil }
        return .handOver(session: session, handOver)
    }

    private static func gapOpen(_ fields: JournalFields) -> JournalEvent? {
        guard let from = fields.time("from"), let reason = fields.gapReason("reason") else { return nil }
        return .gapOpen(from: from, reason: reason, detail: fields["detail"] ?? "")
    }

    private static func clockStep(_ fields: JournalFields) -> JournalEvent? {
        guard let from = fields.time("from"), let to = fields.time("to") else { return nil }
        return .clockStep(from: from, to: to)
    }

    private static func segment(_ kind: String, _ id: SegmentID, _ fields: JournalFields) -> JournalEvent? {
        let (start, end, bytes) = (fields.time("start"), fields.time("end"), fields.number("bytes"))
        let duration = fields.span("duration")
        switch (kind, start, end, duration, bytes) {
        case ("segment-open", let start?, _, _, _):
            return .segmentOpen(id, start: start)
        case ("segment-closed", let start?, _, let duration?, let bytes?):
            return .segmentClosed(id, start: start, duration: duration, bytes: bytes)
        case ("segment-discarded", _, _, _, _):
            return .segmentDiscarded(id)
        case ("format-change", _, _, _, _):
            return .formatChange(id, codecs: fields["codecs"] ?? "")
        case ("evicted", let start?, _, let duration?, let bytes?):
            let reason = fields["reason"].flatMap { EvictionReason(rawValue: $0) } ?? .unknown
            return .evicted(id, start: start, duration: duration, bytes: bytes, reason: reason)
        case ("recovered", _, let end?, _, let bytes?):
            return .recovered(id, end: end, bytes: bytes)
        default:
            return nil
        }
    }
}

extension JournalState {
    fileprivate var fields: [(String, String)] {
        var fields = [("session", "\(lastSession)"), ("complete", isComplete ? "1" : "0")]
        if let anchor { fields.append(("anchor", anchor.rfc3339Microseconds)) }
        if let mediaEnd { fields.append(("media-end", mediaEnd.rfc3339Microseconds)) }
        if let sessionEnd {
            fields += [("end", sessionEnd.time.rfc3339Microseconds), ("reason", sessionEnd.reason.rawValue)]
        }
        if let handOver { fields += handOver.fields }
        if let openGap {
            fields += [
                ("gap-from", openGap.from.rfc3339Microseconds), ("gap-reason", openGap.reason.rawValue),
                ("gap-detail", clipped(openGap.detail)),
            ]
        }
        if !unresolved.isEmpty {
            let list = unresolved.map { "\($0.id.session).\($0.id.counter)@\($0.start.rfc3339Microseconds)" }
            fields.append(("open", list.joined(separator: ",")))
        }
        return fields
    }

    fileprivate init?(_ fields: JournalFields) {
        guard let session = fields.number("session") else { return nil }
        lastSession = session
        isComplete = fields["complete"] == "1"
        anchor = fields.time("anchor")
        mediaEnd = fields.time("media-end")
        if let time = fields.time("end"), let reason = fields.gapReason("reason") {
            sessionEnd = SessionEnd(time: time, reason: reason)
        }
        handOver = HandOver(fields)
        if let from = fields.time("gap-from"), let reason = fields.gapReason("gap-reason") {
            openGap = Gap(from: from, to: nil, reason: reason, detail: fields["gap-detail"] ?? "")
        }
        for item in (fields["open"] ?? "").split(separator: ",").prefix(Self.unresolvedLimit) {
            let parts = item.split(separator: "@")
            let numbers = parts.first?.split(separator: ".").compactMap { JournalFields.number($0.utf8) } ?? []
            guard parts.count == 2, numbers.count == 2, let start = WallTime(rfc3339: parts[1]) else { return nil }
            unresolved.append(Unresolved(id: SegmentID(session: numbers[0], counter: numbers[1]), start: start))
        }
    }
}

extension SessionNames {
    /// Those that there are; the longest that are allowed fit into a record (`JournalLine.longest`).
    fileprivate var fields: [(String, String)] {
        [("asset", clipped(asset, to: 1040)), ("file", clipped(file))].filter { !$0.1.isEmpty }
    }
}

extension HandOver {
    /// More tracks than any camera has.
    private static let mostTracks = 8

    fileprivate var fields: [(String, String)] {
        let fields = [
            ("hand-over", at.rfc3339Microseconds), ("keyframe", "\(keyframe.checksum)"),
            ("keyframe-bytes", "\(keyframe.bytes)"),
        ]
        guard !heard.isEmpty else { return fields }
        let list = heard.sorted { $0.key < $1.key }.prefix(Self.mostTracks).map { track, mark in
            "\(track).\(mark.checksum).\(mark.bytes)"
        }
        return fields + [("heard", list.joined(separator: ","))]
    }

    fileprivate init?(_ fields: JournalFields) {
        guard let at = fields.time("hand-over"), let bytes = fields.number("keyframe-bytes"),
            let checksum = fields.number("keyframe").flatMap({ UInt32(exactly: $0) })
        else { return nil }
        var heard: [Int: FrameMark] = [:]
        for item in (fields["heard"] ?? "").split(separator: ",").prefix(Self.mostTracks) {
            let numbers = item.split(separator: ".").compactMap { JournalFields.number($0.utf8) }
            guard numbers.count == 3, let track = Int(exactly: numbers[0]), let sum = UInt32(exactly: numbers[1]) else {
                return nil
            }
            heard[track] = FrameMark(checksum: sum, bytes: numbers[2])
        }
        self.init(at: at, keyframe: FrameMark(checksum: checksum, bytes: bytes), heard: heard)
    }
}

extension SegmentID {
    fileprivate var fields: [(String, String)] { [("session", "\(session)"), ("counter", "\(counter)")] }
}

/// At most so many bytes of UTF-8: what peers and cameras say must not grow a record beyond bounds.
private func clipped(_ text: String, to most: Int = 512) -> String {
    var kept = text.prefix(most)
    while kept.utf8.count > most { kept.removeLast() }
    return String(kept)
}
