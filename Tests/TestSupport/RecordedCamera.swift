package import Messages
import Recording
package import Testing

/// What a box knows about one camera's footage at one moment.
package struct RecordedCamera: Sendable {
    package let name: String
    package let status: Admin.Camera
    package let segments: [Listing.Segment]
    package let gaps: [Listing.Gap]
    /// From the first segment to the end of the last closed one.
    package let coverage: Listing.Coverage?

    package init(_ name: String, in box: some RecorderBox) async throws {
        self.name = name
        segments = try await box.segments(of: name)
        gaps = try await box.gaps(of: name)
        status = try await box.status(of: name)
        if let (from, to) = Self.range(of: TestBox.closed(segments)) {
            coverage = try await box.coverage(of: name, from: from.rfc3339, to: to.rfc3339)
        } else {
            coverage = nil
        }
    }

    /// Segments that are not written to any more, in order.
    package var closed: [Listing.Segment] { TestBox.closed(segments) }

    package var stored: [Listing.Segment] { segments.filter { $0.state == "verified" } }

    package var sessions: [Int64] { Set(segments.map(\.session)).sorted() }

    /// Reasons of the gaps that coverage shows, in order.
    package var gapReasons: [String] { coverage?.spans.filter { $0.kind == "gap" }.map { $0.reason ?? "none" } ?? [] }

    /// From the start of the first to the end of the last, less what listings cut off when they show milliseconds.
    private static func range(of segments: [Listing.Segment]) -> (WallTime, WallTime)? {
        guard let first = segments.first, let last = segments.last, let from = WallTime(rfc3339: first.start),
            let start = WallTime(rfc3339: last.start)
        else { return nil }
        return (from + .milliseconds(1), start + TimeSpan(microseconds: Int64(last.duration * 1e6)) - .milliseconds(1))
    }
}

extension RecordedCamera {
    /// Noticed nothing of what befell others (I1): one session from the first to the last frame, every frame of its clip,
    /// one worker, which never was in trouble.
    package func expectUnharmed(_ footage: Footage, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(gaps.isEmpty && sessions.count == 1, "\(name): \(gaps)", sourceLocation: sourceLocation)
        let coverage = String(describing: coverage)
        #expect(self.coverage?.percent == 100, "\(name): \(coverage)", sourceLocation: sourceLocation)
        #expect(
            status.restarts == 0 && status.troubles.isEmpty, "\(name): \(status)", sourceLocation: sourceLocation)
        #expect(
            footage.complaints.isEmpty && footage.tracks.allSatisfy(\.isWhole), "\(name): \(footage)",
            sourceLocation: sourceLocation)
    }
}

/// Waits until a camera has recorded on for a segment, and expects it to have noticed nothing of what befell others (I1).
package func expectUnharmed(
    _ name: String, of clip: String = "h264-video", in box: Box, sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    try await box.untilStored(try await box.segments(of: name).count + 1, of: name)
    let camera = try await RecordedCamera(name, in: box)
    let files = TestBox.cached(name, session: camera.sessions.first ?? 0, in: box.root)
    camera.expectUnharmed(
        try await Footage(files, of: try await SourceClip(clip)), sourceLocation: sourceLocation)
}

/// Where a box keeps things, and how its listings are ordered.
package enum TestBox {
    package static func object(_ segment: Listing.Segment, in root: String) -> String { "\(root)/store/\(segment.key)" }

    package static func closed(_ segments: [Listing.Segment]) -> [Listing.Segment] {
        segments.filter { $0.state != "recording" }
            .sorted { ($0.session, $0.counter) < ($1.session, $1.counter) }
    }

    /// The paths of the closed segments of one session in a camera's cache, in order.
    package static func cached(_ camera: String, session: Int64, in root: String) -> [String] {
        let files = SegmentFiles.all(in: "\(root)/cache/\(camera)", endings: [".mp4"])
        return files.compactMap { path -> (counter: Int64, path: String)? in
            let parts = path.split(separator: "/").last?.split(separator: ".") ?? []
            guard parts.count == 5, Int64(parts[2]) == session, let counter = Int64(parts[3]) else { return nil }
            return (counter, path)
        }
        .sorted { $0.counter < $1.counter }.map(\.path)
    }
}
