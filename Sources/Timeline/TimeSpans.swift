package import Recording

/// What is recorded, as MediaMTX lists it (`/list`): its front ends work with it.
package struct TimeSpans: Hashable, Sendable {
    package struct Entry: Hashable, Sendable, Codable {
        /// RFC 3339.
        package let start: String
        /// In seconds.
        package let duration: Double
        /// Where `/get` serves it.
        package let url: String
    }

    package let path: String
    package let from: WallTime
    package let to: WallTime

    /// The values of the query; without bounds all there is.
    package init(path: String?, start: String?, end: String?) throws(RequestMistake) {
        self.path = try ClipRequest.path(path)
        from = try start.map { text throws(RequestMistake) in try ClipRequest.time("start", text) } ?? .earliest
        to = try end.map { text throws(RequestMistake) in try ClipRequest.time("end", text) } ?? .latest
        guard from < to else {
            throw RequestMistake(
                "invalidRange", "start is not before end", nextStep: "ask for a range whose start comes first")
        }
    }

    /// `base` is where this server is reached, without a slash at its end; `suffix` is added to each query (`&token=…`).
    ///
    /// What is longer than the `longest` range that `/get` serves is several entries, one right after the other.
    package func entries(
        _ footage: FootageQuestions, base: String, suffix: String = "", longest: TimeSpan
    ) throws -> [Entry] {
        try footage.clippedSpans(from, to).flatMap { span in
            Self.parts(span, longest).map { part in
                let duration = (part.end - part.start).seconds
                let start = part.start.rfc3339Microseconds
                return Entry(
                    start: start, duration: duration,
                    url: "\(base)/get?path=\(path)&start=\(start)&duration=\(duration)\(suffix)")
            }
        }
    }

    private static func parts(_ span: FootageQuestions.Span, _ longest: TimeSpan) -> [FootageQuestions.Span] {
        guard longest > .zero else { return [span] }
        var parts: [FootageQuestions.Span] = []
        var rest = span
        while rest.end - rest.start > longest {
            parts.append((rest.start, rest.start + longest))
            rest.start = rest.start + longest
        }
        return parts + [rest]
    }
}

/// A clip as MediaMTX asks for it (`/get`), with what to do about gaps.
package struct ClipRequest: Hashable, Sendable {
    package enum Format: String, Sendable, CaseIterable { case fmp4, mp4 }

    package enum GapMode: String, Sendable, CaseIterable {
        /// What is after the gap follows.
        case skip
        /// The clip ends where the first gap begins.
        case stop
    }

    package let path: String
    package let start: WallTime
    package let duration: TimeSpan
    package let format: Format
    package let gap: GapMode

    package var end: WallTime { start + duration }

    /// The values of the query; MediaMTX's clips end with the first gap.
    package init(
        path: String?, start: String?, duration: String?, format: String?, gap: String? = nil
    ) throws(RequestMistake) {
        self.path = try Self.path(path)
        guard let start else { throw .missing("start", nextStep: "give the clip's start, as RFC 3339") }
        self.start = try Self.time("start", start)
        let form = "give a positive number of seconds, or a duration like 1m30s"
        guard let duration else { throw .missing("duration", nextStep: form) }
        guard let length = TimeSpan(clip: duration), length > .zero else {
            throw .invalid("duration", duration, nextStep: form)
        }
        self.duration = length
        guard let format = Format(rawValue: format ?? "fmp4") else {
            throw .invalid("format", format ?? "", nextStep: "give fmp4 or mp4")
        }
        self.format = format
        guard let gap = GapMode(rawValue: gap ?? "stop") else {
            throw .invalid("gap", gap ?? "", nextStep: "give skip or stop")
        }
        self.gap = gap
    }

    fileprivate static func path(_ text: String?) throws(RequestMistake) -> String {
        guard let text, !text.isEmpty else { throw .missing("path", nextStep: "give the name of a camera") }
        guard let camera = CameraName(text) else {
            throw .invalid("path", text, nextStep: "give the name of a camera: lower-case letters, digits and -")
        }
        return camera.text
    }

    fileprivate static func time(_ name: String, _ text: String) throws(RequestMistake) -> WallTime {
        guard let time = WallTime(rfc3339: text) else {
            throw .invalid(name, text, nextStep: "write it as RFC 3339, like 2026-01-02T03:04:05Z; a + as %2B")
        }
        return time
    }
}

extension TimeSpan {
    /// A number of seconds, or one as Go writes it (`1h15m30.5s`); nil for anything else.
    fileprivate init?(clip text: String) {
        guard (1...64).contains(text.utf8.count) else { return nil }
        if let seconds = Self.number(text) {
            self.init(seconds: seconds)
            return
        }
        let units: [String: Double] = [
            "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600,
        ]
        var seconds = 0.0
        var rest = text[...]
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !($0.isASCII && $0.isNumber) && $0 != "." }
            rest = rest.dropFirst(unit.count)
            guard let number = Self.number(digits), let factor = units[String(unit)] else { return nil }
            seconds += number * factor
        }
        self.init(seconds: seconds)
    }

    /// A plain decimal number, not negative.
    private static func number(_ text: some StringProtocol) -> Double? {
        guard text.utf8.allSatisfy({ (48...57).contains($0) || $0 == UInt8(ascii: ".") }) else { return nil }
        return Double(text)
    }
}
