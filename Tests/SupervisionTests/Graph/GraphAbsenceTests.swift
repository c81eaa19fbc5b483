import Foundation
import Glibc
import JSON
import Messages
import Recording
import Supervision
import TestSupport
import Testing

/// What is told, and answered, of media graphs when a disk, a worker or cvrd itself is away.
@Suite("Media graph: away", .timeLimit(.minutes(1)))
struct GraphAbsenceTests {
    private static let operational = "Microsoft.Media.Graph.Operational."
    private static let established = "Microsoft.Media.Graph.Diagnostics.MediaSessionEstablished"
    private let time = WallTime(seconds: 1_800_000_000)

    @Test(
        "with a state disk that stands still a sender has an answer in its time, questions theirs at once",
        .enabled(if: geteuid() == 0, "freezes a disk"))
    func frozen() async throws {
        let box = try TemporaryBox()
        try SmallFileFixture.write("", "\(box.root)/state/mounted-over")
        let disk = try await FreezingDisk(at: "\(box.root)/state", image: "\(box.root)/disk")
        let result: Result<Void, any Error>
        do { result = .success(try await sendInto(box, disk)) } catch { result = .failure(error) }
        // Also when this test has run out of time: who waits for the disk could not be ended.
        await Task { await disk.remove() }.value
        try result.get()
    }

    private func sendInto(_ box: TemporaryBox, _ disk: FreezingDisk) async throws {
        try box.script("cvr-sync", ScriptedSync.program)
        try box.configure("{}", more: "graph: { filePaths: [\(box.root)/files] }")
        try box.say("evr", [try ScriptedWorker.hello("evr"), .progress(WorkerProgress(state: .reconnecting))])
        let patience = TimeSpan.milliseconds(300)
        try await withSession(box, lastWrites: .milliseconds(100), messagePatience: patience) { session in
            try await session.activateGated("evr", box)
            let message = Admin.InputMessage(input: "recordingTrigger", body: nil)
            try await disk.freeze()
            let began = ContinuousClock.now
            // Who comes later than that does not even wait for it.
            for _ in 1...20 {
                let refusal = await #expect(throws: ChangeRefusal.self) { try await session.supervisor.send(message) }
                guard case .failed(let words, _)? = refusal, words.contains("disk has not taken") else {
                    Issue.record("\(String(describing: refusal))")
                    continue
                }
            }
            #expect(ContinuousClock.now - began < .seconds(5))
            #expect(try await session.state(of: "evr") == "Active")
            #expect(try await session.supervisor.send(.init(input: "nobody", body: nil)).instances.isEmpty)
            _ = try await session.window("evr")
            try await disk.thaw()
            try await eventually("it is taken", every: .milliseconds(20)) {
                // As long as the first write has not come back.
                (try? await session.supervisor.send(message).instances) == ["evr"] ? true : nil
            }
        }
    }

    @Test("a media session is told again by a cvrd whose predecessor kept nothing of it, and only by that one")
    func established() async throws {
        try await withGraphs { box, session in
            let event = IngestToSupervisor.event(type: "mediaSessionEstablished", at: time, detail: "SDP:\nv=0\r\n")
            let progress = IngestToSupervisor.progress(WorkerProgress(state: .recording, session: 3))
            try box.say("front", [try ScriptedWorker.hello("front"), event, progress])
            try await session.activate("front")
            _ = try await session.events.next(Self.established)
            _ = try await session.events.next(Self.operational + "RecordingStarted")
            let kept = "\(box.root)/state/graph/recordings/front.json"
            try await session.begin()
            _ = try await session.configured("front")
            #expect(!session.supervisor.events.recent.contains { $0.type == Self.established })
            await session.leave()
            // As a cvrd that is killed at that moment.
            try FileManager.default.removeItem(atPath: kept)
            try await session.begin()
            let told = try await session.events.next(Self.established)
            #expect(told.graph?.body == .object(["sdp": .string("SDP:\nv=0\r\n")]) && told.time == time.rfc3339)
            try await eventually("it is known", every: .milliseconds(20)) {
                let text = try? String(contentsOfFile: kept, encoding: .utf8)  // It is written after the event.
                return text?.contains(time.rfc3339Microseconds) == true ? true : nil
            }
        }
    }

    @Test("a window that had several sessions while cvrd was away is told with its first one too")
    func several() async throws {
        try await withGraphs { box, session in
            try await session.activateGated("evr", box)
            try box.close("evr", from: 9, first: 6)
            try box.outcomes([
                "evr 6": SyncInterface.Outcome(stored: true, waiting: 0, unfiled: 0, files: [], over: true),
                "evr 9": SyncInterface.Outcome(stored: false, waiting: 1, unfiled: 0, files: [], over: true),
            ])
            try box.store([GraphEventTests.cache("evr", stored: 9)])
            _ = try await session.supervisor.send(.init(input: "recordingTrigger", body: nil))
            for type in ["RecordingStarted", "RecordingStopped", "RecordingAvailable"] {
                _ = try await session.events.next(Self.operational + type)
            }
        }
    }

    @Test("a window whose worker is gone, or whose instance cannot run, is told as stopped when its time is over")
    func withoutWorker() async throws {
        try await withGraphs { box, session in
            try await session.activateGated("evr", box)
            let window = RecordingWindow(
                id: "w", from: .now - .seconds(60), until: .now - .seconds(30), asset: "a", correlation: "w")
            await session.leave()
            var chronicle = Chronicle()
            _ = chronicle.take(window, file: "")
            _ = chronicle.sessionStarted(3, window: "w")
            try SmallFileFixture.write(chronicle.json.text, "\(box.root)/state/graph/recordings/evr.json")
            // Nothing may be written to its folder any more: it is held, and its worker is a stray.
            try box.configure("{}")
            try await session.begin(windowPatience: .milliseconds(200))
            _ = try await session.events.next("graphNotActivated")
            let told = try await session.events.next(Self.operational + "RecordingStopped")
            #expect(told.graph?.correlationId == "w" && told.graph?.body["outputLocation"] == .string("a"))
            #expect(try await session.state(of: "evr") == "Active")
        }
    }
}

extension WallTime {
    fileprivate static var now: WallTime {
        WallTime(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))
    }
}
