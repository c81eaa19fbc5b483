/// Metadata as header fields of a store over HTTP: each name behind the store's own prefix, each value ASCII.
extension ObjectMetadata {
    /// By name: `version camera session duration codecs timescale crc32c seek`, and `gaps` where there are any; `seek` as
    /// `milliseconds-offset` pairs with commas between them, as are gaps.
    package var fields: [(name: String, value: String)] {
        let points = seek.map { $0.map(String.init).joined(separator: "-") }
        return [
            ("version", String(version)), ("camera", camera), ("session", String(session)),
            ("duration", String(duration)), ("codecs", codecs), ("timescale", String(timescale)), ("crc32c", crc32c),
            ("seek", points.joined(separator: ",")),
        ] + (gaps.map { [("gaps", $0.joined(separator: ","))] } ?? [])
    }

    /// Nil unless all are there and say something; names in lower case.
    package init?(fields: (_ name: String) -> String?) {
        guard let version = fields("version").flatMap({ Int($0) }), let camera = fields("camera"),
            let session = fields("session").flatMap({ Int64($0) }),
            let duration = fields("duration").flatMap({ Double($0) }), duration.isFinite,
            let codecs = fields("codecs"), let timescale = fields("timescale").flatMap({ Int64($0) }),
            let checksum = fields("crc32c")
        else { return nil }
        var points: [[Int64]] = []
        // A store may drop a header without a value.
        for point in (fields("seek") ?? "").split(separator: ",").prefix(Self.seekLimit) {
            let pair = point.split(separator: "-").compactMap { Int64($0) }
            guard pair.count == 2 else { return nil }
            points.append(pair)
        }
        self.version = version
        self.camera = camera
        self.session = session
        self.duration = duration
        self.codecs = codecs
        self.timescale = timescale
        crc32c = checksum
        seek = points
        gaps = fields("gaps").map { $0.split(separator: ",").prefix(Self.gapLimit).map { String($0) } }
    }
}
