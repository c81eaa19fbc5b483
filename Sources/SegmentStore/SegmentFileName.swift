package import Recording

/// The place and name of a segment in its cache: `YYYY-MM-DD/HH/MM-SS.mmmZ.<session>.<counter>.mp4`.
package struct SegmentFileName: Hashable, Sendable, CustomStringConvertible {
    /// What the end of the name says about the bytes.
    package enum Stage: String, Sendable, CaseIterable {
        /// Immutable (I8).
        case closed = ""
        /// Still appended to, or left so by a crash.
        case partial = ".partial"
        /// An fsync of it failed: only a later recovery, from the disk itself, can say what it holds.
        case suspect = ".suspect"
    }

    /// UTC of the first sample, whole milliseconds.
    package let start: WallTime
    package let id: SegmentID
    package let stage: Stage

    package init(start: WallTime, id: SegmentID, stage: Stage = .closed) {
        self.start = start.wholeMilliseconds
        self.id = id
        self.stage = stage
    }

    /// Nil for everything that this type would not write itself.
    package init?(relativePath: some StringProtocol) {
        let parts = relativePath.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        let fields = parts[2].split(separator: ".", maxSplits: 4, omittingEmptySubsequences: false)
        guard fields.count == 5,
            let start = WallTime(rfc3339: "\(parts[0])T\(parts[1]):\(fields[0].colons).\(fields[1])"),
            let session = Int64(fields[2]), let counter = Int64(fields[3]), session > 0, counter >= 0,
            let stage = Stage.allCases.first(where: { fields[4] == "mp4" + $0.rawValue })
        else { return nil }
        self.init(start: start, id: SegmentID(session: session, counter: counter), stage: stage)
        guard self.relativePath == relativePath else { return nil }
    }

    package var isPartial: Bool { stage == .partial }

    package func with(stage: Stage) -> SegmentFileName { SegmentFileName(start: start, id: id, stage: stage) }

    /// Name of the day's directory: `YYYY-MM-DD`.
    package var day: String {
        let civil = start.civil
        return "\(padded(civil.year, 4))-\(padded(civil.month, 2))-\(padded(civil.day, 2))"
    }

    /// Name of the hour's directory: `HH`.
    package var hour: String { padded(start.civil.hour, 2) }

    /// Name in the hour's directory: `MM-SS.mmmZ.<session>.<counter>.mp4[.partial|.suspect]`.
    package var leaf: String {
        let civil = start.civil
        return "\(padded(civil.minute, 2))-\(padded(civil.second, 2)).\(padded(civil.microsecond / 1000, 3))Z"
            + ".\(id.session).\(id.counter).mp4\(stage.rawValue)"
    }

    package var relativePath: String { "\(day)/\(hour)/\(leaf)" }

    package var description: String { relativePath }
}

extension StringProtocol {
    fileprivate var colons: String { String(map { $0 == "-" ? ":" : $0 }) }
}
