import Foundation
import FragmentedMP4
import Ingest
import Messages
import Recording
import SegmentStore
import Testing

@Suite("Swap: behind a gate", .timeLimit(.minutes(1)))
struct GatedSwapTests {
    let workspace: Workspace
    let station = LiveStation()

    init() throws { workspace = try Workspace() }

    /// Both workers hear of the windows, as from cvrd.
    private func swap(_ windows: [RecordingWindow], _ isUnderWay: (WorkerProgress) -> Bool) throws -> LiveWorker {
        let old = try LiveWorker(station, in: workspace, slot: .a, .gated(), windows: windows)
        try old.toWorker.waitForProgress(isUnderWay)
        let new = try LiveWorker(station, in: workspace, slot: .b, isSuccessor: true, .gated(), windows: windows)
        _ = try new.toWorker.wait { if case .readyToSucceed = $0 { true } else { false } }
        old.toWorker.send(.handOver)
        #expect(try old.end() == "handed over to its successor")
        return new
    }

    @Test("an open window goes on at the keyframe: no frame of it is lost, none is there twice")
    func open() throws {
        let now = Clocks.system().wall()
        let window = RecordingWindow(id: "w", from: now + .milliseconds(1500), until: now + .seconds(60), file: "clip")
        let new = try swap([window]) { $0.fragmentsWritten > 0 }
        try new.toWorker.waitForProgress { $0.state == .recording && $0.fragmentsWritten > 0 }
        new.toWorker.send(.stop(.stopped))
        _ = try new.end()
        let frames = try new.contents.frames
        let first = try #require(frames.first)
        #expect(frames == Array(first..<first + frames.count))
        let names = try new.contents.records.compactMap {
            if case .sessionStart(_, _, _, _, let names) = $0 { names.file } else { nil }
        }
        #expect(names == ["clip", "clip"])
        #expect(try new.contents.gaps.filter { $0.to != nil && $0.reason != .gateClosed }.isEmpty)
    }

    @Test("a window that closed just before, and is told again, is not taken for the one that is handed over")
    func twoWindows() throws {
        let now = Clocks.system().wall()
        let windows = [
            RecordingWindow(id: "a", from: now + .milliseconds(200), until: now + .milliseconds(1200), file: "a"),
            RecordingWindow(id: "b", from: now + .milliseconds(1400), until: now + .seconds(60), file: "b"),
        ]
        let new = try swap(windows) { $0.session == 2 && $0.fragmentsWritten > 2 }
        try new.toWorker.waitForProgress { $0.session == 3 && $0.fragmentsWritten > 0 }
        new.toWorker.send(.stop(.stopped))
        _ = try new.end()
        let frames = try new.contents.frames(from: 2)
        let first = try #require(frames.first)
        #expect(frames == Array(first..<first + frames.count))
        let names = try new.contents.records.compactMap {
            if case .sessionStart(_, _, _, _, let names) = $0 { names.file } else { nil }
        }
        #expect(names == ["a", "b", "b"])
        // By the seam, not by the time.
        let handOver = try new.contents.records.compactMap { if case .handOver(2, let over) = $0 { over } else { nil } }
            .first
        let next = try new.contents.segments.first { $0.info.id == SegmentID(session: 3, counter: 0) }
        #expect(try #require(next).info.anchor == (try #require(handOver)).at)
    }

    @Test("a closed gate is handed over at once, and what comes then may begin before that")
    func closed() throws {
        let new = try swap([]) { $0.state == .recording && $0.isGateClosed }
        let now = Clocks.system().wall()
        new.toWorker.send(.window(RecordingWindow(id: "w", from: now + .milliseconds(-500), until: now + .seconds(1))))
        let closed = try new.toWorker.wait { if case .event("windowClosed", _, _) = $0 { true } else { false } }
        if case .event(_, _, let detail) = closed { #expect(detail == "w 1") }
        new.toWorker.send(.stop(.stopped))
        _ = try new.end()
        let frames = try new.contents.frames
        let first = try #require(frames.first)
        #expect(frames == Array(first..<first + frames.count) && frames.count > 36, "\(frames)")
    }
}
