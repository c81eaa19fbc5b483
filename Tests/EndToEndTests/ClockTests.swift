import Foundation
import FragmentedMP4
import Messages
import Recording
import TestSupport
import Testing

/// The real binaries under libfaketime: a wrong clock costs no frame and deletes nothing (I11).
@Suite(
    "The wall clock", .showsEvidence, .timeLimit(.minutes(20)), .enabled(if: FakeTime.isInstalled, "package faketime"))
struct ClockTests {
    @Test(
        "that steps and steps back costs no frame, overlaps nothing and deletes nothing",
        arguments: ["+3600", "-3600", "+315360000", "-315360000"])
    func step(offset: String) async throws {
        try await withFront(startingAt: "+0") { box, clock in
            try await box.untilStored(2, of: "front")
            try await setClock(clock, to: offset, in: box)
            try await setClock(clock, to: "+0", in: box)
            try await expectEverything(box, sessions: 3)
            let front = try await RecordedCamera("front", in: box)
            let reasons = Set(front.gaps.map(\.reason))
            #expect(reasons == ["clockStep"], "a step forward leaves a hole, nothing else does: \(front.gaps)")
        }
    }

    /// cvr-sync believes its clock, and so it deletes what is older than a day, at each pass: the verdict on the
    /// footage of 1970 must come from what its worker knew of the clock.
    @Test("that starts in 1970, nobody vouching for it, and is set later costs no frame, and nothing is deleted")
    func boot() async throws {
        let since1970 = Int(Date().timeIntervalSince1970)
        try await withFront(startingAt: "-\(since1970 - 100)", workersOnly: true) { box, clock in
            try await box.untilStored(2, of: "front")
            try await setClock(clock, to: "+0", in: box)
            try await expectEverything(box, sessions: 2)
            let first = try #require(try await box.segments(of: "front").first)
            #expect(first.start.hasPrefix("1970-01-01"))
            let cached = try #require(TestBox.cached("front", session: first.session, in: box.root).first)
            #expect(try SegmentFiles.read(cached).info.quality == .unsynchronised)
        }
    }

    private func withFront(
        startingAt offset: String, workersOnly: Bool = false, _ body: (Box, FakeTime) async throws -> Void
    ) async throws {
        try await Machine.shared.place {
            try await withCameras(
                [.init("front", clip: "h264-aac")],
                settings: {
                    $0.retention = "P1D"
                    $0.trustsClock = !workersOnly
                }
            ) { box, _ in
                let clock = try await FakeTime(path: "\(box.root)/clock", offset: offset)
                if workersOnly {
                    try await box.start(programs: try await clock.programs(in: "\(box.root)/bin"))
                } else {
                    try await box.start(environment: clock.environment)
                }
                try await body(box, clock)
                _ = try await box.stop()
                try await clock.end()
            }
        }
    }

    /// Steps the clock and waits until two segments of the next session are stored.
    private func setClock(_ clock: FakeTime, to offset: String, in box: Box) async throws {
        let session = try await box.status(of: "front").session
        try clock.set(offset)
        try await eventually("two stored segments of the next session", within: .seconds(60), every: .seconds(1)) {
            let next = try await box.segments(of: "front").filter { $0.session > session && $0.state == "verified" }
            return next.count >= 2 ? true : nil
        }
    }

    private func expectEverything(_ box: Box, sessions: Int) async throws {
        let segments = TestBox.closed(try await box.segments(of: "front"))
        #expect(Set(segments.map(\.session)).count == sessions)
        #expect(segments.allSatisfy { $0.local && $0.duration > 0 }, "\(segments)")
        for session in Set(segments.map(\.session)) {
            let counters = segments.filter { $0.session == session }.map(\.counter)
            #expect(counters == Array(0..<Int64(counters.count)), "session \(session) has lost segments")
        }
        try await expectCoverage(segments, in: box)
        let journal = try String(contentsOfFile: "\(box.root)/cache/front/journal", encoding: .utf8)
        let steps = journal.split(separator: "\n").filter { $0.contains(" clock-step ") }
        #expect(steps.count == sessions - 1, "\(steps)")
        let clip = try await SourceClip("h264-aac")
        let files = segments.map(\.session).reduce(into: [Int64]()) { if $0.last != $1 { $0.append($1) } }
            .flatMap { TestBox.cached("front", session: $0, in: box.root) }
        let footage = try await Footage(files, of: clip)
        #expect(footage.complaints.isEmpty, "\(footage.complaints)")
        for track in footage.tracks {
            #expect(track.lost == 0 && track.duplicated == 0 && track.foreign == 0, "\(track)")
        }
    }

    /// Spans touch, never overlap, and cover what was asked for.
    private func expectCoverage(_ segments: [Listing.Segment], in box: Box) async throws {
        let starts = segments.compactMap { WallTime(rfc3339: $0.start) }
        let from = try #require(starts.min())
        let to = try #require(starts.max())
        let coverage = try await box.coverage(of: "front", from: from.rfc3339, to: to.rfc3339)
        #expect(coverage.spans.first?.from == from.rfc3339)
        #expect(coverage.spans.last?.to == to.rfc3339)
        for (span, next) in zip(coverage.spans, coverage.spans.dropFirst()) { #expect(span.to == next.from) }
        for span in coverage.spans { #expect(span.from <= span.to, "\(span)") }
        #expect(coverage.recorded >= 0 && coverage.percent <= 100)
    }
}
