import Recording

extension SegmentInfo {
    /// d0b90f1a-61ea-4708-bccb-588f01ff7103: this system's info box.
    static let boxIdentity: [UInt8] = [
        0xD0, 0xB9, 0x0F, 0x1A, 0x61, 0xEA, 0x47, 0x08, 0xBC, 0xCB, 0x58, 0x8F, 0x01, 0xFF, 0x71, 0x03,
    ]

    /// `key value` lines; ARCHITECTURE, "Segment".
    var text: String {
        var lines = [
            "version \(version)", "camera \(camera)", "session \(id.session)", "counter \(id.counter)",
            "anchor \(anchor.rfc3339Microseconds)", "source system", "quality \(quality.rawValue)",
        ]
        if let cameraClockOffset { lines.append("camera-clock \(cameraClockOffset.microseconds)") }
        if let gapBefore, let end = gapBefore.to {
            lines.append(
                "gap-before \(gapBefore.from.rfc3339Microseconds) \(end.rfc3339Microseconds)"
                    + " \(gapBefore.reason.rawValue)")
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// Nil when a key that every segment has is missing or unreadable; keys of a later build are passed over.
    init?(text: String) {
        var fields: [Substring: Substring] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            if parts.count == 2 { fields[parts[0]] = parts[1] }
        }
        guard let version = fields["version"].flatMap({ Int($0) }),
            let camera = fields["camera"].flatMap({ CameraName($0) }),
            let session = fields["session"].flatMap({ Int64($0) }),
            let counter = fields["counter"].flatMap({ Int64($0) }),
            let anchor = fields["anchor"].flatMap({ WallTime(rfc3339: $0) }),
            let quality = fields["quality"].flatMap({ ClockQuality(rawValue: String($0)) })
        else { return nil }
        self.init(
            version: version, camera: camera, id: SegmentID(session: session, counter: counter), anchor: anchor,
            quality: quality,
            cameraClockOffset: fields["camera-clock"].flatMap { Int64($0) }.map(TimeSpan.init(microseconds:)),
            gapBefore: fields["gap-before"].flatMap(Self.gap))
    }

    private static func gap(_ text: Substring) -> Gap? {
        let parts = text.split(separator: " ")
        guard parts.count == 3, let from = WallTime(rfc3339: parts[0]), let to = WallTime(rfc3339: parts[1]) else {
            return nil
        }
        return Gap(from: from, to: to, reason: GapReason(rawValue: String(parts[2])) ?? .unknown, detail: "")
    }
}
