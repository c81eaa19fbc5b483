import Foundation
import Isolation
import Messages
import Recording
import Supervision
import TestSupport
import Testing
import YAMLConfiguration

/// A worker of version 1, which says hello unasked: pinned as bytes.
private enum OldWorker {
    static func hello(_ camera: String) -> [UInt8] {
        let pid = bytes(Int(ScriptedWorker.pidToCome), 8)
        return text([1, 1] + text(Array(camera.utf8)) + text(Array("a".utf8)) + pid + text(Array("0.1.0".utf8)))
    }

    private static func text(_ value: [UInt8]) -> [UInt8] { bytes(value.count, 4) + value }

    private static func bytes(_ number: Int, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
}

@Suite("Supervision: adoption", .timeLimit(.minutes(1)))
struct AdoptionTests {
    private func box(_ cameras: String...) throws -> TemporaryBox {
        let box = try TemporaryBox()
        try box.script("cvr-ingest", ScriptedWorker.program(version: 1))
        for camera in cameras { try box.say(camera, OldWorker.hello(camera)) }
        try box.configure("{ \(cameras.map { "\($0): { url: rtsp://h/\($0) }" }.joined(separator: ", ")) }")
        return box
    }

    @Test("a worker of the version before is configured and stopped in its own words")
    func olderWorker() async throws {
        let box = try box("front")
        try await withSession(box) { session in
            let heard = try await session.events.next("heard", camera: "front")
            // version 1, configure, no predecessor's end, session 0, the url.
            #expect(
                heard.detail.hasPrefix("0101" + "00" + "0000000000000000" + "0000000e" + "727473703a2f2f682f66726f6e74")
            )
            let pid = try await session.camera("front").pid
            try await session.begin()
            _ = try await session.events.next("workerAdopted", camera: "front")
            _ = try await session.configured("front")
            #expect(try await session.camera("front").pid == pid)
            await session.end()
            #expect(try await session.events.next("heard", camera: "front").detail.hasPrefix("0102"))
        }
    }

    @Test("a worker that stands still holds up the adoption of no other, and is adopted too")
    func frozen() async throws {
        let box = try box("front", "yard")
        try await withSession(box) { session in
            for camera in ["front", "yard"] { _ = try await session.configured(camera) }
            let pid = try #require(try await session.camera("front").pid)
            await session.leave()
            kill(pid_t(pid), SIGSTOP)
            // Its queue of connections is full.
            let socket = UnixAddress("\(box.root)/run/front/a/worker.sock")
            var waiting: [Int32] = []
            for _ in 0..<200 { waiting.append(try socket.connect(waits: false)) }
            let start = ContinuousClock.now
            try await session.begin()
            _ = try await session.events.next("workerAdopted", camera: "yard")
            _ = try await session.events.next("workerAdopted", camera: "front")
            // A file of a disk that says nothing would be waited for for 5 s.
            #expect(ContinuousClock.now - start < .seconds(3))
            #expect(try await session.camera("front").pid == pid)
            for socket in waiting { close(socket) }
            kill(pid_t(pid), SIGCONT)
        }
    }

    @Test("an adopted worker's last words say how it ended")
    func lastWords() async throws {
        let box = try box("front")
        try await withSession(box) { session in
            _ = try await session.configured("front")
            try await session.begin()
            _ = try await session.configured("front")
            kill(pid_t(try #require(try await session.camera("front").pid)), SIGTERM)
            let end = try await session.events.next("workerExited", camera: "front")
            #expect(end.detail.contains("exit code 74") && end.detail.hasSuffix("its last words: the disk of front"))
            _ = try await session.configured("front")
        }
    }

    @Test(
        "a state disk that stands still keeps no worker from being heard",
        .enabled(if: geteuid() == 0, "freezes a disk"))
    func frozenState() async throws {
        let box = try TemporaryBox()
        try SmallFile.makeDirectory("\(box.root)/state")
        let disk = try await FreezingDisk(at: "\(box.root)/state", image: "\(box.root)/disk")
        let result: Result<Void, any Error>
        do { result = .success(try await adoptWithFrozenState(box, disk)) } catch { result = .failure(error) }
        // Also when this test has run out of time: who waits for the disk could not be ended.
        await Task { await disk.remove() }.value
        try result.get()
    }

    private func adoptWithFrozenState(_ box: TemporaryBox, _ disk: FreezingDisk) async throws {
        try box.configure("{ front: { url: rtsp://h/a } }")
        func say(_ session: Int64) throws {
            let progress = WorkerProgress(state: .reconnecting, session: session, loops: 1)
            try box.say("front", [try ScriptedWorker.hello("front"), .progress(progress)])
        }
        try say(7)
        try await withSession(box) { session in
            _ = try await session.configured("front")
            try await noted(7, in: box)
            await session.leave()
            try say(8)
            try await disk.freeze()
            do {
                try await session.begin()
                // What it says after the first progress of a session that is not noted yet.
                _ = try await session.configured("front")
                #expect(try await session.camera("front").session == 8)
            } catch {
                // Also when time has run out: while the disk stands still, a session cannot end.
                await Task { await disk.remove() }.value
                throw error
            }
            try await disk.thaw()
            try await noted(8, in: box)
        }
    }

    private func noted(_ number: Int64, in box: TemporaryBox) async throws {
        let front = try #require(CameraName("front"))
        let mark = SessionMark(front, try box.places())
        try await eventually("session \(number) in the mark") { try mark.read() == number ? true : nil }
    }

    /// Returns the worker that cvrd left.
    private func leaveWithoutRunDirectory(_ session: inout Session, _ box: TemporaryBox) async throws -> Int64 {
        _ = try await session.configured("front")
        let pid = try #require(try await session.camera("front").pid)
        await session.leave()
        try FileManager.default.removeItem(atPath: "\(box.root)/run")
        return pid
    }

    @Test("a worker without a run directory is found by its lock, and gets a successor before it ends")
    func wiped() async throws {
        let box = try box("front")
        try await withSession(box) { session in
            let pid = try await leaveWithoutRunDirectory(&session, box)
            try await session.begin()
            _ = try await session.events.next("workerAdopted", camera: "front")
            _ = try await session.events.next("workerUnreachable", camera: "front")
            _ = try await session.events.next("successorStarted", camera: "front")
            #expect(ProcessFacts.startTime(of: Int32(pid)) != nil)
            await session.end()
            #expect(ProcessFacts.startTime(of: Int32(pid)) == nil)
        }
    }

    @Test("a worker whose run directory was wiped and whose camera is gone is ended all the same")
    func wipedStray() async throws {
        let box = try box("front")
        try await withSession(box) { session in
            let pid = try await leaveWithoutRunDirectory(&session, box)
            try box.configure("{}")
            try await session.begin()
            _ = try await session.events.next("workerRemoved", camera: "front")
            await session.end()
            #expect(ProcessFacts.startTime(of: Int32(pid)) == nil)
        }
    }
}
