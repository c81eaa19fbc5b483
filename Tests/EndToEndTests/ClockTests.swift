import Foundation
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

    @Test("that starts in 1970 and is set later costs no frame, and nothing is deleted")
    func boot() async throws {
        let since1970 = Int(Date().timeIntervalSince1970)
        try await withFront(startingAt: "-\(since1970 - 100)", workersOnly: true) { box, clock in
            try await box.untilStored(2, of: "front")
            try await setClock(clock, to: "+0", in: box)
            try await expectEverything(box, sessions: 2)
            let first = try #require(try await box.segments(of: "front").first)
            #expect(first.start.hasPrefix("1970-01-01"))
        }
    }

    private func withFront(
        startingAt offset: String, workersOnly: Bool = false, _ body: (Box, FakeTime) async throws -> Void
    ) async throws {
        try await Machine.shared.place {
            let rig = try await CameraRig([.init("front", clip: "h264-aac")])
            var settings = BoxSettings([.init("front", url: try rig.url("front"))])
            settings.retention = "P1D"
            settings.trustsClock = !workersOnly
            try await withBox(settings) { box in
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
            await rig.stop()
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

/// A wall clock of its own for a box: `clock_gettime` lies, the kernel and the monotonic clocks do not.
struct FakeTime {
    static let library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
    static var isInstalled: Bool { FileManager.default.fileExists(atPath: library) }

    private let path: String
    private let keeper: ChildProcess
    private let shared: String

    init(path: String, offset: String) async throws {
        self.path = path
        // The library makes its shared memory itself and says so in the environment, which moves the environment:
        // a Swift program then cannot find its arguments. The wrapper makes it beforehand and keeps it while cat lives.
        keeper = try ChildProcess(
            "/usr/bin/faketime", ["-f", "+0", "/bin/sh", "-c", "echo $FAKETIME_SHARED; exec cat"])
        shared = try await keeper.output.first("faketime's shared memory") { $0.isEmpty ? nil : $0 }.found
        try set(offset)
    }

    var environment: [String: String] {
        [
            "LD_PRELOAD": Self.library, "FAKETIME_SHARED": shared, "FAKETIME_TIMESTAMP_FILE": path,
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
        ]
    }

    /// A folder with our programs in which only the worker believes the clock.
    ///
    /// The library moves the monotonic times of timerfd(2) too: a program that waits on one must not be started with
    /// a clock that is behind. A worker does not wait so.
    func programs(in folder: String) async throws -> String {
        let variables = environment.map { "'\($0.key)=\($0.value)'" }.joined(separator: " ")
        let script = "#!/bin/sh\nexec env \(variables) '\(Repository.binaries)/cvr-ingest' \"$@\""
        // Not written by this process: a child that another test starts meanwhile would hold the file open.
        let made = try await run(
            "/bin/sh",
            [
                "-ec", "mkdir $2; cp $1/cvrd $1/cvr-sync $2; echo \"$3\" >$2/cvr-ingest; chmod 755 $2/cvr-ingest", "sh",
                Repository.binaries, folder, script,
            ])
        guard made.ending == .exited(0) else { throw Missed("\(folder): \(made.errors)") }
        return folder
    }

    /// Steps the clock to so many seconds from the real one.
    func set(_ offset: String) throws { try Data(offset.utf8).write(to: URL(filePath: path), options: .atomic) }

    func end() async throws {
        keeper.closeInput()
        try await keeper.end()
    }
}
