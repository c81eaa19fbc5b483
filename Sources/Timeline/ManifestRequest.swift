package import Recording

/// A manifest as Live Video Analytics names it: `manifest(format=m3u8-cmaf,startTime=…,endTime=…).m3u8`.
package struct ManifestRequest: Hashable, Sendable {
    package enum Format: String, Sendable, CaseIterable {
        case hlsForApple = "m3u8-aapl"
        case hls = "m3u8-cmaf"
        case dash = "mpd-time-cmaf"

        /// What may follow the parenthesis.
        package var ending: String { self == .dash ? ".mpd" : ".m3u8" }
    }

    /// Which of a camera's tracks a media playlist of HLS has.
    package enum Tracks: String, Sendable, CaseIterable {
        /// In one file, as they were recorded.
        case all
        case video
        /// As players of HLS play it: G.711 as AAC.
        case audio
    }

    /// What a manifest lists.
    package struct Plan: Hashable, Sendable {
        package let format: Format
        package let from: WallTime
        package let to: WallTime
        /// More follows: the asset is being written, and no end was asked for.
        package let isLive: Bool
        /// A live one's start moves on, so that it lists the newest media only.
        package let isSliding: Bool
    }

    /// The newest media that a manifest without times lists.
    package static let newest = TimeSpan.seconds(4 * 3600)
    /// The longest range.
    package static let longest = TimeSpan.seconds(24 * 3600)

    package let format: Format
    package let startTime: WallTime?
    package let endTime: WallTime?
    /// Nil: whatever plays, which may be a multivariant playlist.
    package let tracks: Tracks?

    /// `text` is the last component of a path, percent-decoded; names and formats in any case.
    package init(_ text: some StringProtocol) throws(RequestMistake) {
        let grammar =
            "write manifest(format=m3u8-cmaf,startTime=2026-01-02T03:00:00Z,endTime=2026-01-02T04:00:00Z).m3u8, "
            + "the times or the ending left out as you need"
        let name = "manifest("
        let parts = text.dropFirst(name.count).split(separator: ")", maxSplits: 1, omittingEmptySubsequences: false)
        guard text.utf8.count <= 512, text.prefix(name.count).lowercased() == name, parts.count == 2 else {
            throw .invalid("the manifest", text, nextStep: grammar)
        }
        let fields = try Self.fields(parts[0])
        let formats = Format.allCases.map(\.rawValue).joined(separator: ", ")
        guard let wanted = fields["format"] else { throw .missing("format", nextStep: "give one of \(formats)") }
        guard let format = Format(rawValue: wanted.lowercased()) else {
            throw .invalid("format", wanted, nextStep: "give one of \(formats)")
        }
        guard parts[1].isEmpty || parts[1].lowercased() == format.ending else {
            throw .invalid(
                "the ending", parts[1], nextStep: "\(format.rawValue) ends in \(format.ending) or in nothing")
        }
        self.format = format
        startTime = try Self.time("startTime", fields["starttime"])
        endTime = try Self.time("endTime", fields["endtime"])
        tracks = try Self.tracks(fields["tracks"], format)
        try check()
    }

    /// The same request for some of the tracks, relative to the asset; no colon is in it (RFC 3986 §4.2).
    package func reference(to tracks: Tracks) -> String {
        let times = [("startTime", startTime), ("endTime", endTime)].compactMap { name, time in
            time.map { ",\(name)=\($0.rfc3339Microseconds.replacing(":", with: "%3A"))" }
        }
        return "manifest(format=\(format.rawValue)\(times.joined()),tracks=\(tracks.rawValue))\(format.ending)"
    }

    /// What to list; nil when there is nothing in the range.
    ///
    /// A bound where nothing is recorded moves to the nearest media inside of the range.
    package func plan(isLive: Bool, _ footage: FootageQuestions) throws -> Plan? {
        guard let known = try footage.firstAndLast() else { return nil }
        let isOpen = isLive && endTime == nil
        var from = max(startTime ?? known.1 - Self.newest, known.0)
        let to = min(endTime ?? known.1, known.1)
        guard from < to else { return nil }
        if to - from > Self.longest {
            let newest = to - Self.longest
            guard try !footage.hasFootage(from, newest) else {
                throw Self.tooLong("there is more than 24 hours of media since startTime")
            }
            from = newest
        }
        let spans = try footage.clippedSpans(from, to)
        guard let first = spans.first, let last = spans.last else { return nil }
        return Plan(
            format: format, from: first.start, to: last.end, isLive: isOpen, isSliding: isOpen && startTime == nil)
    }
}

extension ManifestRequest {
    private static func fields(_ text: some StringProtocol) throws(RequestMistake) -> [String: String] {
        let known = ["format", "starttime", "endtime", "tracks"]
        var fields: [String: String] = [:]
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = parts[0].lowercased().trimmed
            guard parts.count == 2, known.contains(name), fields[name] == nil else {
                throw .invalid(
                    "a field", item, nextStep: "there may be, once each: format=, startTime=, endTime=, tracks=")
            }
            fields[name] = String(parts[1]).trimmed
        }
        return fields
    }

    private static func time(_ name: String, _ text: String?) throws(RequestMistake) -> WallTime? {
        guard let text else { return nil }
        guard let time = WallTime(rfc3339: text) else {
            throw .invalid(name, text, nextStep: "write it in UTC as YYYY-MM-DDThh:mm:ss.sssZ")
        }
        return time
    }

    private static func tracks(_ text: String?, _ format: Format) throws(RequestMistake) -> Tracks? {
        guard let text else { return nil }
        guard let tracks = Tracks(rawValue: text.lowercased()), format != .dash else {
            throw .invalid("tracks", text, nextStep: "give all, video or audio for HLS; DASH has them side by side")
        }
        return tracks
    }

    private func check() throws(RequestMistake) {
        guard let endTime else { return }
        guard let startTime else {
            throw .missing("startTime", nextStep: "give it with endTime, or leave both out for the newest 4 hours")
        }
        guard startTime < endTime else {
            throw RequestMistake(
                "invalidRange", "startTime is not before endTime", nextStep: "ask for a range whose start comes first")
        }
        guard endTime - startTime <= Self.longest else {
            throw Self.tooLong("the range is longer than 24 hours, the maximum")
        }
    }

    private static func tooLong(_ why: String) -> RequestMistake {
        RequestMistake("rangeTooLong", why, nextStep: "ask for at most 24 hours at a time, with startTime and endTime")
    }
}

extension String {
    /// Without the spaces around it.
    fileprivate var trimmed: String {
        let rest = drop { $0 == " " }
        return String(rest.reversed().drop { $0 == " " }.reversed())
    }
}
